// libFuzzer: whatever the two copies of otadata hold, a whole image in some slot is found and
// started.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "device/bootloader/selection.hpp"

using namespace otaria::device;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t needed = 2 * BootRecord::bytes + 2;
  if (size < needed) return 0;
  BootSetup setup;
  for (std::size_t copy = 0; copy < 2; ++copy) {
    BootRecordBytes bytes;
    std::copy_n(data + copy * bytes.size(), bytes.size(), bytes.begin());
    setup.records[copy] = decode_boot_record(bytes);
    if (encode(setup.records[copy]) != bytes) std::abort();
    if (data[64] & 0x80) setup.records[copy].crc = boot_record_crc(setup.records[copy].seq);
  }
  setup.slot_count = 1 + data[64] % 16;
  setup.has_factory = (data[64] & 0x40) != 0;
  setup.rollback_enabled = (data[64] & 0x20) != 0;
  const int whole = static_cast<int>(data[65] % setup.slot_count);
  const BootDecision decision = choose_boot(setup, [whole](int index) { return index == whole; });
  if (decision.index != whole) std::abort();
  return 0;
}
