#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "device/bootloader/boot_record.hpp"
#include "device/ports/flash.hpp"
#include "device/result/result.hpp"

/// ESP-IDF's second-stage bootloader as a function of what it finds: which image it starts, and
/// what it writes to otadata on the way. One model serves ESP-IDF 5.0 to 6.0, with and without
/// CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE; anti-rollback by eFuse, the factory-reset and test GPIOs
/// and deep-sleep wake are not part of it. Source  ESP-IDF bootloader_start.c,
/// bootloader_utility.c; docs/spec/flash.md, "Selection".
namespace otaria::device {

/// What the bootloader starts. Values >= 0 are slots (0 = ota_0).
namespace boot_index {
inline constexpr int factory = -1;
inline constexpr int none = -99;  ///< nothing boots: it resets, and does so for ever
}  // namespace boot_index

enum class OtadataPartition : std::uint8_t {
  present,
  absent,    ///< no such partition: factory
  unusable,  ///< shorter than two sectors: nothing boots
};

struct BootSetup {
  BootRecordPair records;
  std::uint32_t slot_count = 2;  ///< 0 to 16
  bool has_factory = false;
  bool rollback_enabled = true;
  OtadataPartition otadata = OtadataPartition::present;
};

/// "Erase the sector of this copy, then program these 32 bytes": a power cut may fall between the
/// two.
struct BootRecordWrite {
  std::uint32_t copy = 0;
  BootRecord record;
  friend bool operator==(const BootRecordWrite&, const BootRecordWrite&) = default;
};

class BootDecision {
 public:
  int index = boot_index::none;
  /// In the order in which they happen; all but a first-boot record precede the loading of the
  /// image.
  [[nodiscard]] std::span<const BootRecordWrite> writes() const { return {writes_.data(), count_}; }
  void add(std::uint32_t copy, const BootRecord& record) { writes_[count_++] = {copy, record}; }

 private:
  // Two aborted trials, or one fresh record, and the record of a first boot.
  std::array<BootRecordWrite, 4> writes_{};
  std::uint32_t count_ = 0;
};

namespace detail {
using LoadsImage = bool (*)(void* context, int index);
BootDecision choose_boot(const BootSetup& setup, LoadsImage loads, void* context);
}  // namespace detail

/// `loads(index)` says whether the image of slot `index` (or boot_index::factory) verifies and
/// loads. It is asked in the bootloader's order, and no further than the first yes.
template <class Loads>
BootDecision choose_boot(const BootSetup& setup, Loads&& loads) {
  using Callable = std::remove_reference_t<Loads>;
  return detail::choose_boot(
      setup,
      [](void* context, int index) -> bool { return (*static_cast<Callable*>(context))(index); },
      const_cast<void*>(static_cast<const void*>(&loads)));
}

/// Both copies from flash.
Result<BootRecordPair> read_boot_records(Flash& flash, std::uint32_t otadata_base);
/// WRITE(copy) of the bootloader: erase, then program. Nothing is read back, as there.
Status write_boot_record(Flash& flash, std::uint32_t otadata_base, const BootRecordWrite& write);

}  // namespace otaria::device
