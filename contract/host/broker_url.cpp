#include "contract/host/broker_url.hpp"

#include <algorithm>
#include <charconv>

namespace otaria::contract {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}
bool is_address_character(char c) {
  return is_host_character(c) || c == ':' || c == '%';
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') return std::nullopt;  // as %00 below: MQTT and C strings end there
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    const auto [end, error] = std::from_chars(digits, digits + 2, value, 16);
    if (error != std::errc{} || end != digits + 2 || value == 0) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_host_character(c) || c == '~') {  // RFC 3986, section 2.3
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return encoded;
}

bool take_credentials(std::string_view text, BrokerUrl& url) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto username = percent_decoded(text.substr(0, colon));
  const auto password = percent_decoded(text.substr(std::min(colon + 1, text.size())));
  if (!username || username->empty() || !password) return false;
  url.username = *username;
  url.password = *password;
  return true;
}

/// Takes the host from the front of the text.
bool take_host(std::string_view& text, BrokerUrl& url) {
  const bool bracketed = take_prefix(text, "[");
  const std::size_t end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
  if (end == std::string_view::npos) return false;
  url.host = text.substr(0, end);
  text.remove_prefix(end + (bracketed ? 1 : 0));
  if (bracketed && url.host.find(':') == std::string::npos) return false;
  return !url.host.empty() &&
         std::ranges::all_of(url.host, bracketed ? is_address_character : is_host_character);
}

bool take_port(std::string_view text, BrokerUrl& url) {
  if (text.empty()) return true;
  if (!take_prefix(text, ":")) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), url.port);
  return error == std::errc{} && end == text.data() + text.size() && url.port != 0;
}

}  // namespace

std::string BrokerUrl::shown() const {
  const bool v6 = host.find(':') != std::string::npos;
  return std::string{tls ? "mqtts://" : "mqtt://"} +
         (username.empty() ? "" : percent_encoded(username) + "@") +
         (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

BrokerUrlReading read_broker_url(std::string_view text) {
  BrokerUrl url;
  if (take_prefix(text, "mqtts://")) {
    url.tls = true;
    url.port = 8883;
  } else if (!take_prefix(text, "mqtt://")) {
    return {std::nullopt, "it begins with neither mqtt:// nor mqtts://"};
  }
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (!take_credentials(text.substr(0, at), url)) {
      return {std::nullopt, "user or password is malformed"};
    }
    text.remove_prefix(at + 1);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  if (!take_host(text, url)) return {std::nullopt, "the host is missing or malformed"};
  if (!take_port(text, url)) return {std::nullopt, "the port is not a number from 1 to 65535"};
  return {std::move(url), {}};
}

std::string without_credentials(std::string_view text) {
  const std::size_t at = text.rfind('@');
  return at == std::string_view::npos ? std::string{text} : "…" + std::string{text.substr(at)};
}

}  // namespace otaria::contract
