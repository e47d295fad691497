// The words inside messages, two lines of them: versions, URLs, JSON strings. Versions have an
// order; what a URL's origin is has one answer.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "contract/json_text.hpp"
#include "contract/semver.hpp"
#include "contract/ulid.hpp"
#include "contract/url.hpp"

using namespace otaria::contract;

namespace {

void check_versions(std::string_view a, std::string_view b) {
  const auto first = parse_semver(a);
  const auto second = parse_semver(b);
  if (first) claim(compare_precedence(*first, *first) == 0 && a.size() <= max_version_bytes);
  claim(!is_newer(a, a) && !(is_newer(a, b) && is_newer(b, a)));
  if (!first || !second) return;
  const auto forward = compare_precedence(*first, *second);
  claim((forward < 0) == (compare_precedence(*second, *first) > 0));
  claim(is_newer(a, b) == (forward > 0));
}

void check_url(std::string_view url) {
  if (!is_url(url)) return;
  const std::string_view origin = origin_of(url);
  claim(url.starts_with(origin) && is_url(origin) && origin_of(origin) == origin);
  claim(origin.find('@') == std::string_view::npos);
}

void check_string(std::string_view raw) {
  char buffer[256];
  std::size_t written = 0;
  const std::string quoted = '"' + std::string{raw} + '"';
  if (!check_json(quoted).grammatical || quoted.size() > sizeof buffer) return;
  if (decode_json_string(raw, buffer, written) != Defect::none) return;
  claim(written <= raw.size());
  for (std::string_view rest{buffer, written}; !rest.empty();) {
    const std::size_t character = utf8_sequence_bytes(rest);
    claim(character > 0 && character <= rest.size());
    rest.remove_prefix(character);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string_view first = text.substr(0, text.find('\n'));
  const std::string_view second = text.substr(first.size() == size ? size : first.size() + 1);
  check_versions(first, second);
  check_url(first);
  check_string(first);
  claim(!is_ulid(first) || first.size() == ulid_characters);
  return 0;
}
