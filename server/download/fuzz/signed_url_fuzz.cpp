// The first line is a path, the second `e`, the third `s`: a stranger's URL is never good, and the
// same path, signed by us, is good until its end and for no other path.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "server/download/url_signer.hpp"

using namespace otaria::server;
using otaria::contract::claim;

namespace {

constexpr std::int64_t now = 1'790'000'000;

std::string_view line_of(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const UrlSigner signer{{UrlSecret{1, 2, 3}, UrlSecret{4, 5, 6}}, 3600};
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string path = "/firmware/" + std::string{line_of(text)};
  const std::string_view end = line_of(text);
  const std::string_view signature = line_of(text);
  claim(signer.judge(path, end, signature, now) != UrlVerdict::good);

  const std::int64_t until = signer.end_of_url_made_at(now);
  const std::string url = signer.sign(path, until);
  const std::size_t query = path.size();
  claim(url.starts_with(path) && url.substr(query, 3) == "?e=");
  const std::size_t second = url.find("&s=", query);
  claim(second != std::string::npos);
  const std::string ours = url.substr(query + 3, second - query - 3);
  const std::string proof = url.substr(second + 3);
  claim(signer.judge(path, ours, proof, now) == UrlVerdict::good);
  claim(signer.judge(path, ours, proof, until + 1) == UrlVerdict::expired);
  claim(signer.judge(path + "x", ours, proof, now) == UrlVerdict::bad);
  claim(end == ours || signer.judge(path, end, proof, now) != UrlVerdict::good);
  return 0;
}
