// A stream of events as a server sends it: the same events however it is cut, and none beyond the
// limit. The first byte says where it is cut.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "contract/fuzz/claim.hpp"
#include "operator/cli/sse_parser.hpp"

using namespace otaria::cli;
using otaria::contract::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  SseParser whole;
  const std::vector<ServerEvent> events = whole.feed(text);
  SseParser cut;
  std::vector<ServerEvent> pieces;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    for (ServerEvent& event : cut.feed(text.substr(at, piece))) pieces.push_back(std::move(event));
  }
  claim(events.size() == pieces.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    claim(events[i].name == pieces[i].name && events[i].data == pieces[i].data);
    claim(!events[i].name.empty());
    bytes += events[i].data.size();
  }
  claim(bytes <= text.size());
  return 0;
}
