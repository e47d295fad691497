#include "simulator/net/broker_url.hpp"

#include <algorithm>
#include <charconv>

namespace otaria::simulator {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint16_t> port_from(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}
bool is_address_character(char c) {
  return is_host_character(c) || c == ':' || c == '%';
}

}  // namespace

std::optional<BrokerAddress> broker_from_url(std::string_view url) {
  BrokerAddress broker;
  if (take_prefix(url, "mqtts://")) {
    broker.tls = true;
    broker.port = 8883;
  } else if (!take_prefix(url, "mqtt://")) {
    return std::nullopt;
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  const bool bracketed = take_prefix(url, "[");
  const std::size_t host_end = bracketed ? url.find(']') : std::min(url.find(':'), url.size());
  if (host_end == std::string_view::npos) return std::nullopt;
  broker.host = url.substr(0, host_end);
  url.remove_prefix(host_end + (bracketed ? 1 : 0));
  if (broker.host.empty() ||
      !std::ranges::all_of(broker.host, bracketed ? is_address_character : is_host_character)) {
    return std::nullopt;
  }
  if (url.empty()) return broker;
  if (!take_prefix(url, ":")) return std::nullopt;
  const auto port = port_from(url);
  if (!port) return std::nullopt;
  broker.port = *port;
  return broker;
}

}  // namespace otaria::simulator
