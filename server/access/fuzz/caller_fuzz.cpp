// The first line is the peer's address, the second X-Forwarded-For, the third Authorization: what
// every request brings before anybody is known.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "server/access/address.hpp"
#include "server/access/bearer.hpp"

using namespace otaria::server;
using otaria::contract::claim;

namespace {

std::string_view line_of(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

/// An address that was read is written in one way, which reads as the same.
void check_address(std::string_view text) {
  const auto address = address_from(text);
  if (!address) return;
  const auto again = address_from(text_of(*address));
  claim(again && *again == *address);
  const auto network = network_from(text);
  claim(network && network->bits == 128 && network->contains(*address));
}

/// Whoever sends the request chooses no other form for it, and no text of his own.
void check_source(std::string_view remote, std::string_view forwarded) {
  static const auto proxies = networks_from("10.0.0.0/8, fd00::/8").value();
  const std::string source = source_of(remote, forwarded, proxies);
  claim(source == "unknown" || address_from(source).has_value());
  claim(!lockout_key(source).empty());
  claim(source_of(remote, forwarded, {}) == source_of(remote, "", {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string_view remote = line_of(text);
  const std::string_view forwarded = line_of(text);
  const std::string_view authorization = line_of(text);
  check_address(remote);
  check_source(remote, forwarded);
  if (const auto networks = networks_from(forwarded)) {
    for (const IpNetwork& network : *networks) claim(network.bits <= 128);
  }
  if (const auto token = bearer_token(authorization)) {
    claim(!token->empty() && token->find_first_of(" ,;\"\t") == std::string_view::npos);
    claim(authorization.ends_with(*token) || authorization.find(*token) != std::string_view::npos);
  }
  return 0;
}
