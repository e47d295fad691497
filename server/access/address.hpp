#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Where a request comes from.
namespace otaria::server {

/// An IPv4 or IPv6 address; IPv4 is held as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};
std::optional<IpAddress> address_from(std::string_view text);
std::string text_of(const IpAddress& address);

/// An address with the number of leading bits that count: `10.0.0.0/8`, `::1`.
struct IpNetwork {
  IpAddress address;
  unsigned bits = 128;  ///< of the 16 bytes
  [[nodiscard]] bool contains(const IpAddress& other) const;
};
std::optional<IpNetwork> network_from(std::string_view text);

/// Networks from a list with commas and blanks between them; nothing when one of them is none.
std::optional<std::vector<IpNetwork>> networks_from(std::string_view text);

/// The address that a request is counted under.
///
/// `remote` is the peer as address:port. X-Forwarded-For is believed only as far as trusted proxies
/// wrote it: from its end, the first address that is not one of theirs. `forwarded` empty: no such
/// header. The result is `unknown` when even the peer cannot be read.
std::string source_of(std::string_view remote,
                      std::string_view forwarded,
                      const std::vector<IpNetwork>& trusted_proxies);

/// What failures are counted by: an IPv4 address, or the /64 of an IPv6 one, since whoever has one
/// of its addresses has them all.
std::string lockout_key(std::string_view source);

}  // namespace otaria::server
