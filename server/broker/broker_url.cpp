#include "server/broker/broker_url.hpp"

#include <charconv>
#include <optional>

namespace otaria::server {
namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (error != std::errc{} || end != text.data() + i + 3 || value == 0) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

Refusal bad(std::string_view text, const std::string& why) {
  return {"bad_url",
          "\"" + std::string{text} + "\" is no broker URL: " + why,
          "write mqtt://HOST:PORT or mqtts://HOST:PORT"};
}

bool take_credentials(std::string_view text, BrokerUrl& url) {
  const std::size_t colon = text.find(':');
  const auto username = percent_decoded(text.substr(0, colon));
  const auto password = percent_decoded(colon == std::string_view::npos ? std::string_view{}
                                                                        : text.substr(colon + 1));
  if (!username || username->empty() || !password) return false;
  url.username = *username;
  url.password = *password;
  return true;
}

bool take_port(std::string_view text, BrokerUrl& url) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535) {
    return false;
  }
  url.port = static_cast<std::uint16_t>(port);
  return true;
}

}  // namespace

std::string BrokerUrl::shown() const {
  const bool v6 = host.find(':') != std::string::npos;
  return std::string{tls ? "mqtts://" : "mqtt://"} + (username.empty() ? "" : username + "@") +
         (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Outcome<BrokerUrl> parse_broker_url(std::string_view text) {
  BrokerUrl url;
  std::string_view rest = text;
  if (rest.starts_with("mqtt://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("mqtts://")) {
    rest.remove_prefix(8);
    url.tls = true;
    url.port = 8883;
  } else {
    return bad(text, "it begins with neither mqtt:// nor mqtts://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (!take_credentials(rest.substr(0, at), url))
      return bad("mqtt://…@", "user or password is malformed");
    rest.remove_prefix(at + 1);
  }
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return bad(text, "the bracket is not closed");
  const std::size_t colon = rest.find(':', bracket);
  if (colon != std::string_view::npos && !take_port(rest.substr(colon + 1), url)) {
    return bad(text, "the port is not a number from 1 to 65535");
  }
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("/?# ") != std::string_view::npos) {
    return bad(text, "the host is missing or malformed");
  }
  url.host = host;
  return url;
}

}  // namespace otaria::server
