#include <cstddef>
#include <cstdint>
#include <string>

#include "contract/device/notice_reader.hpp"
#include "contract/fuzz/claim.hpp"
#include "contract/host/codec.hpp"
#include "contract/semver.hpp"
#include "contract/url.hpp"

using namespace otaria::contract;

// Whatever arrives is read or named; what was read is valid, and survives being written and read
// again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const NoticeReading reading = read_notice({reinterpret_cast<const char*>(data), size});
  const Notice& notice = reading.notice;
  claim(notice.update.empty() || is_update_id(notice.update.view()));
  claim(notice.version.empty() || parse_semver(notice.version.view()).has_value());
  claim(notice.manifest.empty() || is_url(notice.manifest.view()));
  if (reading.defect != Defect::none) return 0;
  claim(reading.has_identity && reading.member.empty());
  claim(!notice.version.empty() && is_url(notice.url.view()));
  const std::string written = encode_notice(notice);
  const auto again = decode_notice(written);
  claim(again.value.has_value() && encode_notice(*again.value) == written);
  return 0;
}
