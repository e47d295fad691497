// libFuzzer: a table that reads well writes back to the same records; nothing crashes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "device/slot/layout.hpp"
#include "device/verify/sha256.hpp"

using namespace otaria::device;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (!init_crypto()) std::abort();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  PartitionTable table;
  const TableVerdict verdict = read_partition_table({data, size}, 0, table);
  (void)check_table(table.entries(), default_table_offset, 0x800000);
  (void)find_layout(table.entries());
  std::array<std::uint8_t, table_bytes> written;
  if (!write_partition_table(table.entries(), written)) std::abort();
  PartitionTable again;
  if (!table.entries().empty() && !read_partition_table(written, 0, again)) std::abort();
  (void)verdict;
  return 0;
}
