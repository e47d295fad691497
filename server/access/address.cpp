#include "server/access/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace otaria::server {
namespace {

constexpr std::size_t mapped_prefix_bytes = 12;
constexpr unsigned mapped_prefix_bits = 96;

bool is_mapped_v4(const IpAddress& address) {
  constexpr std::array<std::uint8_t, mapped_prefix_bytes> prefix{
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(prefix.begin(), prefix.end(), address.bytes.begin());
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; the zone of a
// link-local address (`%eth0`) goes too.
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find_first_of("]%") - 1);
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    return text.substr(0, colon);
  }
  return text;
}

bool is_trusted(const IpAddress& address, const std::vector<IpNetwork>& networks) {
  return std::any_of(networks.begin(), networks.end(), [&](const IpNetwork& network) {
    return network.contains(address);
  });
}

}  // namespace

std::optional<IpAddress> address_from(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton ends there
  const std::string copy{text};
  IpAddress address;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) != 1) return std::nullopt;
  address.bytes[10] = address.bytes[11] = 0xff;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v4);
  std::copy_n(bytes, sizeof v4, address.bytes.begin() + mapped_prefix_bytes);
  return address;
}

std::string text_of(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped_v4(address)) {
    inet_ntop(AF_INET, address.bytes.data() + mapped_prefix_bytes, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
  }
  return text.data();
}

bool IpNetwork::contains(const IpAddress& other) const {
  const unsigned whole = bits / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const unsigned shift = 8 - bits % 8;
  return (address.bytes[whole] >> shift) == (other.bytes[whole] >> shift);
}

std::optional<IpNetwork> network_from(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = address_from(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNetwork network{*address, 128};
  if (slash == std::string_view::npos) return network;
  const unsigned offset = is_mapped_v4(*address) ? mapped_prefix_bits : 0;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || bits > 128 - offset) {
    return std::nullopt;
  }
  network.bits = offset + bits;
  return network;
}

std::optional<std::vector<IpNetwork>> networks_from(std::string_view text) {
  std::vector<IpNetwork> networks;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto network = network_from(trimmed(text.substr(0, comma)));
    if (!network) return std::nullopt;
    networks.push_back(*network);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return networks;
}

std::string source_of(std::string_view remote,
                      std::string_view forwarded,
                      const std::vector<IpNetwork>& trusted_proxies) {
  auto address = address_from(without_port(remote));
  if (!address) return "unknown";
  while (!forwarded.empty() && is_trusted(*address, trusted_proxies)) {
    const std::size_t comma = forwarded.rfind(',');
    const std::size_t start = comma == std::string_view::npos ? 0 : comma + 1;
    const auto before = address_from(without_port(trimmed(forwarded.substr(start))));
    if (!before) break;  // what a trusted proxy cannot have written is nobody's address
    address = before;
    forwarded = comma == std::string_view::npos ? std::string_view{} : forwarded.substr(0, comma);
  }
  return text_of(*address);
}

std::string lockout_key(std::string_view source) {
  auto address = address_from(source);
  if (!address) return std::string{source};
  if (is_mapped_v4(*address)) return text_of(*address);
  std::fill(address->bytes.begin() + 8, address->bytes.end(), std::uint8_t{0});
  return text_of(*address) + "/64";
}

}  // namespace otaria::server
