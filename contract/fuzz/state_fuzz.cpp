#include <cstddef>
#include <cstdint>
#include <string>

#include "contract/fuzz/claim.hpp"
#include "contract/host/codec.hpp"

using namespace otaria::contract;

// Whatever arrives is read or named; what was read has its identity, and survives being written and
// read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto decoded = decode_state({reinterpret_cast<const char*>(data), size});
  claim(decoded.value.has_value() == (decoded.defect == Defect::none));
  if (!decoded) return 0;
  claim(is_device_id(decoded.value->id));
  const std::string written = encode_state(*decoded.value);
  if (written.size() > max_packet_bytes)
    return 0;  // members written in other ways may become longer
  const auto again = decode_state(written);
  claim(again.value.has_value() && encode_state(*again.value) == written);
  return 0;
}
