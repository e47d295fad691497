// Arbitrary bytes as a request: head, target, query, conditions and body must never crash, and what
// they accept must be safe.
#include <cstdlib>
#include <string_view>

#include "server/http/head.hpp"
#include "server/http/range.hpp"
#include "server/http/target.hpp"

namespace {

using namespace otaria::server;

struct Counting final : BodySink {
  bool append(std::string_view bytes) override { return (total += bytes.size()) < 1 << 20; }
  std::size_t total = 0;
};

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto target = parse_target(text)) {
    require(target->path.starts_with('/'));
    require(target->path.find('\0') == std::string::npos);
    require((target->path + "/").find("/../") == std::string::npos);
  }
  if (is_plain_path(raw_path(text))) {
    const auto target = parse_target(raw_path(text));
    require(target && target->path == raw_path(text));
  }
  for (const std::uint64_t file : {0ULL, 1ULL, 1'400'000ULL}) {
    const FileSelection part = select_part({text, text, text}, "\"tag\"", file);
    require(part.offset <= file && part.length <= file - part.offset);
  }
  Head head;
  const auto end = text.find("\r\n\r\n");
  if (end != text.npos && parse_head(text.substr(0, end + 4), head) == 0) {
    select_part(head.conditions, "\"tag\"", 1000);
    Counting sink;
    RequestParser parser(head, &sink);
    otaria::server::error_code error;
    require(parser.parse(text, error) <= text.size());
  }
  return 0;
}
