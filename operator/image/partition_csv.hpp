#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "device/slot/partition_table.hpp"

/// Partition tables in the CSV form of ESP-IDF.
/// Source  gen_esp32part.py of ESP-IDF v5.5.5; docs/spec/flash.md.
namespace otaria::image {

struct CsvError {
  std::size_t line = 0;  ///< from 1; 0: of the table as a whole
  std::string code;  ///< of the CSV form: see partition_csv.cpp; else a name of device::TableDefect
  std::string detail;
};

struct CsvOptions {
  std::uint32_t table_offset = device::default_table_offset;
  std::uint32_t flash_bytes = 0;        ///< 0: the end of the chip is not checked
  std::uint32_t bootloader_offset = 0;  ///< of the primary bootloader; 0 on the ESP32-S3
  /// Looks up `$NAME`; none: there is no environment.
  std::function<std::optional<std::string>(const std::string& name)> environment;
};

/// `Name, Type, SubType, Offset, Size, Flags`, one entry a line; the result keeps every rule of
/// check_table().
std::variant<std::vector<device::Partition>, CsvError> parse_partition_csv(
    std::string_view text, const CsvOptions& options = {});
/// What gen_esp32part.py would print for the table; parses back to the same entries.
std::string print_partition_csv(std::span<const device::Partition> entries);

}  // namespace otaria::image
