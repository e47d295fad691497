#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace otaria::device {

/// `ota_state` of a boot record. Any other value a record holds is kept as it is: no code of
/// ESP-IDF tests for it, so it behaves like `undefined`.
enum class BootState : std::uint32_t {
  fresh = 0,    ///< ESP_OTA_IMG_NEW: selected, not yet booted
  pending = 1,  ///< PENDING_VERIFY: on trial; seen again at a later boot it becomes `aborted`
  valid = 2,    ///< confirmed
  invalid = 3,  ///< the application gave itself up
  aborted = 4,  ///< the bootloader found `pending`
  undefined = 0xFFFFFFFF,
};

/// One copy of otadata: esp_ota_select_entry_t, 32 bytes at the start of its sector.
/// Source  ESP-IDF esp_flash_partitions.h; docs/spec/flash.md.
struct BootRecord {
  static constexpr std::uint32_t bytes = 32;
  static constexpr std::uint32_t empty_seq = 0xFFFFFFFF;
  static constexpr std::uint32_t state_offset = 24;

  std::uint32_t seq = empty_seq;
  std::array<std::uint8_t, 20> label = filled();  ///< unused, FF; kept when a record is rewritten
  BootState state = BootState::undefined;
  std::uint32_t crc = 0xFFFFFFFF;  ///< over seq alone: a torn state goes unnoticed

  friend bool operator==(const BootRecord&, const BootRecord&) = default;

  static constexpr std::array<std::uint8_t, 20> filled() {
    std::array<std::uint8_t, 20> label{};
    for (std::uint8_t& byte : label) byte = 0xFF;
    return label;
  }
};

using BootRecordBytes = std::array<std::uint8_t, BootRecord::bytes>;

/// esp_rom_crc32_le(0xFFFFFFFF, &seq, 4): reflected CRC-32 whose register starts at 0, result
/// inverted. Not the usual CRC-32 of the four bytes.
std::uint32_t boot_record_crc(std::uint32_t seq);

/// A record as written: label FF, right CRC.
BootRecord make_boot_record(std::uint32_t seq, BootState state);
BootRecordBytes encode(const BootRecord& record);
BootRecord decode_boot_record(std::span<const std::uint8_t, BootRecord::bytes> bytes);

/// seq empty, or state invalid or aborted. The CRC is not looked at.
bool is_invalid(const BootRecord& record);
/// Not invalid, and the CRC is right. Trap: seq 0 with an erased CRC word is valid and names slot
/// (0 - 1) mod n.
bool is_valid(const BootRecord& record);
/// seq empty or CRC wrong: what "otadata was never written" means to the bootloader.
bool is_unwritten(const BootRecord& record);

using BootRecordPair = std::array<BootRecord, 2>;
/// Copy 0 or 1 that decides: of two valid ones that with the larger seq, equal: copy 0.
std::optional<std::uint32_t> active_copy(const BootRecordPair& records);

/// The slot a sequence number names: 0 = ota_0. `slot_count` is not 0.
constexpr std::uint32_t slot_of(std::uint32_t seq, std::uint32_t slot_count) {
  return (seq - 1) % slot_count;  // seq 0 wraps, as in ESP-IDF
}
/// The smallest seq above `seq` that names `slot`. The caller keeps seq below 0xFFFF0000.
constexpr std::uint32_t next_seq(std::uint32_t seq, std::uint32_t slot, std::uint32_t slot_count) {
  std::uint32_t next = seq + 1;
  while (slot_of(next, slot_count) != slot) ++next;  // at most slot_count - 1 steps
  return next;
}

}  // namespace otaria::device
