// libFuzzer: whatever header lines a server sends, a body is begun only where it was asked for, and
// only one that fits. The first two bytes are the status and what was asked for.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "device/download/response.hpp"

using namespace otaria::device;
using otaria::contract::claim;

namespace {

constexpr std::uint32_t slot_bytes = 0x330000;

void add_line(ResponseHead& head, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return head.add(line, {});
  head.add(line.substr(0, colon), line.substr(colon + 1));
}

void check_head(const ResponseHead& head) {
  const auto& range = head.content_range();
  claim(!range || (range->first <= range->last && range->last < range->total));
  claim(head.etag().empty() || (head.etag().front() == '"' && head.etag().back() == '"'));
  claim(head.etag().find_first_of("\r\n ") == std::string_view::npos);
}

void check_image(std::uint32_t status, const ResponseHead& head, const DownloadRequest& asked) {
  const ResponseJudgement verdict = judge_response(status, head, asked);
  const bool begins =
      verdict.verdict == ResponseVerdict::body || verdict.verdict == ResponseVerdict::from_start;
  if (!begins || verdict.wrong_size) return;
  claim(status == 200 || status == 206);
  claim(verdict.total > 0 && verdict.total <= asked.largest && !head.is_encoded());
  claim(asked.total == 0 || verdict.total == asked.total);
  claim(status != 206 || head.content_range()->first == asked.offset);
  claim(status != 200 || (verdict.verdict == ResponseVerdict::body) == (asked.offset == 0));
}

void check_file(std::uint32_t status, const ResponseHead& head) {
  constexpr std::uint32_t largest = 8192;
  const ResponseJudgement verdict = judge_file_response(status, head, largest);
  if (verdict.verdict != ResponseVerdict::body) return;
  claim(status == 200 && !head.is_encoded() && verdict.total <= largest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr std::uint32_t known[] = {200, 206, 304, 401, 403, 404, 408, 410, 416, 429, 500, 503};
  const std::uint32_t status = data[0] < std::size(known) ? known[data[0]] : data[0] * 4U;
  DownloadRequest asked;
  asked.largest = slot_bytes;
  asked.offset = (data[1] & 1) != 0 ? 16384 : 0;
  asked.total = (data[1] & 2) != 0 ? 1'400'000 : 0;

  ResponseHead head;
  std::string_view text{reinterpret_cast<const char*>(data) + 2, size - 2};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    add_line(head, line);
  }
  check_head(head);
  check_image(status, head, asked);
  check_file(status, head);
  return 0;
}
