// Arbitrary bytes as partitions.csv: a table that keeps the rules and reads back from its own
// print, or an error that names its line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "operator/image/partition_csv.hpp"

using namespace otaria;
using contract::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  image::CsvOptions options;
  options.flash_bytes = 0x800000;
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    return name == "SIZE" ? std::optional<std::string>{"0x10000"} : std::nullopt;
  };
  const auto parsed = image::parse_partition_csv(text, options);
  if (const auto* error = std::get_if<image::CsvError>(&parsed)) {
    claim(!error->code.empty());
    claim(error->line <= 1 + static_cast<std::size_t>(std::ranges::count(text, '\n')));
    return 0;
  }
  const auto& table = std::get<std::vector<device::Partition>>(parsed);
  claim(static_cast<bool>(device::check_table(table, options.table_offset, options.flash_bytes)));
  const auto again = image::parse_partition_csv(image::print_partition_csv(table), options);
  const auto* entries = std::get_if<std::vector<device::Partition>>(&again);
  claim(entries != nullptr && *entries == table);
  return 0;
}
