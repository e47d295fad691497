#pragma once

#include <cstdint>
#include <optional>

#include "device/bootloader/boot_record.hpp"
#include "device/ports/flash.hpp"
#include "device/result/result.hpp"
#include "device/slot/layout.hpp"

namespace otaria::device {

/// The agent's own hand on otadata. Every change is read back; nothing is written that is not
/// needed.
///
/// Cut      power may go at any operation of any call: a whole image boots, and repeating the call
/// finishes the job.
///          The one exception is a second cut inside the bootloader's own write during the extra
///          trial boot that follows a cut in confirm(): ota_0 or the factory image then boots.
/// Errors   flash_failed: the driver's error, or what was read back differs (`found` =
/// code_not_as_written, or
///          code_* below; `expected` = the address).
/// Slots    numbered from 0 = ota_0.
/// Not for  flash encryption: re-arming programs one word a second time.
/// Source   docs/spec/flash.md, "Our own writes"; why this order: there too.
class BootRecords {
 public:
  static constexpr std::int64_t code_not_as_written = -1001;
  static constexpr std::int64_t code_seq_exhausted =
      -1002;  ///< seq above 0xFFFF0000: somebody else wrote it
  static constexpr std::int64_t code_wrong_slot =
      -1003;  ///< the call does not fit the active record
  static constexpr std::uint32_t largest_seq = 0xFFFF0000;

  BootRecords(Flash& flash, const Layout& layout)
      : flash_{flash}, base_{layout.otadata.base}, slot_count_{layout.slot_count} {}

  struct Active {
    std::uint32_t copy = 0;
    std::uint32_t slot = 0;
    BootRecord record;
  };
  Result<BootRecordPair> read();
  /// The record that decides, none if there is no valid one.
  Result<std::optional<Active>> active();

  /// Before the passive `slot` is written: erases every other record than the active one that could
  /// select it, or whose CRC is wrong. Refuses (code_wrong_slot) when the active record names
  /// `slot`.
  Status blank(std::uint32_t slot);
  /// Makes `slot` the next to boot, on trial. The active record is not touched.
  Status select(std::uint32_t slot);
  /// Makes the trial of `running_slot` permanent; no record names another slot afterwards. Nothing
  /// to do when the active record is `valid`. Refuses (code_wrong_slot) when the active record does
  /// not name `running_slot`.
  Status confirm(std::uint32_t running_slot);
  /// When the bootloader fell back, so that the active record does not name what runs: makes
  /// `running_slot` the active one, `valid`, and blanks the other copy. Nothing to do when they
  /// agree.
  Status repair(std::uint32_t running_slot);

 private:
  [[nodiscard]] std::uint32_t address_of(std::uint32_t copy) const {
    return base_ + copy * Flash::sector_bytes;
  }
  Status erase(std::uint32_t copy);
  Status replace(std::uint32_t copy, const BootRecord& record);
  Status re_arm(const Active& active);
  Status verify(std::uint32_t copy, const BootRecord& expected);
  Status append(std::uint32_t copy, std::uint32_t above_seq, std::uint32_t slot, BootState state);
  Status repair_without_active(const BootRecordPair& records, std::uint32_t running_slot);

  Flash& flash_;
  std::uint32_t base_;
  std::uint32_t slot_count_;
};

}  // namespace otaria::device
