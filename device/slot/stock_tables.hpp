#pragma once

#include <string_view>
#include <vector>

#include "device/slot/partition_table.hpp"

/// Partition tables that are in use, for the host: ESP-IDF's stock ones and our own defaults.
/// Source  ESP-IDF components/partition_table/partitions_two_ota*.csv; docs/spec/flash.md.
namespace otaria::device {

inline Partition partition(std::string_view label,
                           std::uint8_t type,
                           std::uint8_t subtype,
                           std::uint32_t offset,
                           std::uint32_t bytes) {
  Partition entry{type, subtype, offset, bytes, {}, 0};
  entry.label.assign(label);
  return entry;
}

inline std::vector<Partition> stock_two_ota() {
  return {partition("nvs", 1, 2, 0x9000, 0x4000),
          partition("otadata", 1, 0, 0xD000, 0x2000),
          partition("phy_init", 1, 1, 0xF000, 0x1000),
          partition("factory", 0, 0, 0x10000, 0x100000),
          partition("ota_0", 0, 0x10, 0x110000, 0x100000),
          partition("ota_1", 0, 0x11, 0x210000, 0x100000)};
}

inline std::vector<Partition> stock_two_ota_large() {
  return {partition("nvs", 1, 2, 0x9000, 0x6000),
          partition("otadata", 1, 0, 0xF000, 0x2000),
          partition("phy_init", 1, 1, 0x11000, 0x1000),
          partition("ota_0", 0, 0x10, 0x20000, 1700 * 1024),
          partition("ota_1", 0, 0x11, 0x1D0000, 1700 * 1024)};
}

/// The default layout of a sensor with 8 MB of flash.
inline std::vector<Partition> otaria_8mb() {
  return {partition("nvs", 1, 2, 0x9000, 0x5000),
          partition("otadata", 1, 0, 0xE000, 0x2000),
          partition("ota_0", 0, 0x10, 0x10000, 0x330000),
          partition("ota_1", 0, 0x11, 0x340000, 0x330000),
          partition("otaria", 0x40, 0, 0x670000, 0x8000),
          partition("otaria_keys", 0x40, 1, 0x678000, 0x8000)};
}

/// The default layout of a sensor with 4 MB of flash.
inline std::vector<Partition> otaria_4mb() {
  return {partition("nvs", 1, 2, 0x9000, 0x5000),
          partition("otadata", 1, 0, 0xE000, 0x2000),
          partition("otaria", 0x40, 0, 0x10000, 0x8000),
          partition("otaria_keys", 0x40, 1, 0x18000, 0x8000),
          partition("ota_0", 0, 0x10, 0x20000, 0x1F0000),
          partition("ota_1", 0, 0x11, 0x210000, 0x1F0000)};
}

}  // namespace otaria::device
