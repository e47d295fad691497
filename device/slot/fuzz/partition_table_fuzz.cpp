// libFuzzer: a table that reads well writes back to the same records; nothing crashes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "device/slot/layout.hpp"
#include "device/verify/image_format.hpp"
#include "device/verify/sha256.hpp"

using namespace otaria::device;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (!init_crypto()) std::abort();
  return 0;
}

namespace {

/// Entries out of the fuzzer's bytes, past the magic and the MD5 that it could not guess.
PartitionTable entries_from(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t entry_bytes = 28;
  PartitionTable table;
  for (; bytes.size() >= entry_bytes; bytes = bytes.subspan(entry_bytes)) {
    Partition partition;
    partition.type = bytes[0];
    partition.subtype = bytes[1];
    partition.offset = read_u32(&bytes[2]);
    partition.bytes = read_u32(&bytes[6]);
    partition.flags = read_u32(&bytes[10]);
    const auto* label = reinterpret_cast<const char*>(&bytes[14]);
    partition.label.assign(
        {label, static_cast<std::size_t>(std::find(label, label + 14, '\0') - label)});
    if (!table.add(partition)) break;
  }
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  PartitionTable ignored;
  (void)read_partition_table({data, size}, 0, ignored);

  const PartitionTable table = entries_from({data, size});
  (void)check_table(table.entries(), default_table_offset, 0x800000);
  (void)find_layout(table.entries());
  if (table.entries().empty()) return 0;
  std::array<std::uint8_t, table_bytes> written;
  if (!write_partition_table(table.entries(), written)) std::abort();
  PartitionTable again;
  if (!read_partition_table(written, 0, again)) std::abort();
  if (!std::ranges::equal(table.entries(), again.entries())) std::abort();
  return 0;
}
