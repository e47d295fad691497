#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "device/ports/flash.hpp"
#include "device/slot/partition_table.hpp"

namespace otaria::device {

/// A stretch of flash: absolute address and length in bytes; length 0: there is none.
struct Region {
  std::uint32_t base = 0;
  std::uint32_t bytes = 0;
  explicit operator bool() const { return bytes != 0; }
  friend bool operator==(const Region&, const Region&) = default;
};

/// What the agent uses of a partition table, found by type and subtype, never by offset or label.
struct Layout {
  static constexpr std::uint32_t max_slots = 16;

  Region otadata;                        ///< data/ota
  Region journal;                        ///< 0x40/0x00
  Region keys;                           ///< 0x40/0x01; may be missing: then no production mode
  Region nvs;                            ///< data/nvs; may be missing
  Region factory;                        ///< app/factory; may be missing
  std::array<Region, max_slots> slot{};  ///< app/ota_0 ...
  std::uint32_t slot_count = 0;

  [[nodiscard]] std::span<const Region> slots() const { return {slot.data(), slot_count}; }
};

enum class LayoutDefect : std::uint8_t {
  none,
  unreadable,  ///< the flash driver failed: `flash`
  bad_table,   ///< the table is not whole: `table`
  no_otadata,
  otadata_too_small,  ///< below two sectors
  too_few_slots,      ///< fewer than two, counted from ota_0
  slot_gap,  ///< ota_<n> without ota_<n-1>: bootloader and application would count differently
  no_journal,
};
std::string_view name_of(LayoutDefect defect);

struct LayoutReading {
  Layout layout;
  LayoutDefect defect = LayoutDefect::none;
  TableVerdict table;
  Error flash;

  explicit operator bool() const { return defect == LayoutDefect::none; }
};

/// Of two partitions of one kind the first in the table counts, as in ESP-IDF.
LayoutReading read_layout(Flash& flash, std::uint32_t table_offset = default_table_offset);
/// The same from entries in memory.
LayoutReading find_layout(std::span<const Partition> entries);

}  // namespace otaria::device
