#pragma once

#include <cstddef>
#include <string_view>

#include "contract/slice.hpp"

namespace otaria::contract {

/// A character that RFC 3986 lets stand in a URL: no space, no control character, nothing beyond
/// ASCII.
constexpr bool is_url_character(char c) {
  constexpr std::string_view punctuation = "-._~:/?#[]@!$&'()*+,;=%";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         punctuation.find(c) != std::string_view::npos;
}

/// `host`, `host:port` or `[v6]:port`. User information is refused: it only serves to disguise the
/// host.
constexpr bool is_authority(std::string_view text) {
  if (text.find('@') != std::string_view::npos) return false;
  std::size_t host_end = text.find(':');
  if (!text.empty() && text.front() == '[') {
    host_end = text.find(']');
    if (host_end == std::string_view::npos || host_end < 3) return false;
    ++host_end;
  }
  if (host_end == std::string_view::npos) host_end = text.size();
  if (host_end == 0) return false;
  if (host_end == text.size()) return true;
  const std::string_view port = slice(text, host_end + 1);
  if (text[host_end] != ':' || port.empty() || port.size() > 5) return false;
  std::size_t number = 0;
  for (char c : port) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  return number > 0 && number <= 65535;
}

/// A URL a notice may carry: `http://` or `https://` in lower case, a host, RFC 3986 characters.
/// Length is not judged here.
constexpr bool is_url(std::string_view text) {
  for (char c : text) {
    if (!is_url_character(c)) return false;
  }
  for (std::string_view scheme : {std::string_view{"http://"}, std::string_view{"https://"}}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view rest = slice(text, scheme.size());
    return is_authority(slice(rest, 0, rest.find_first_of("/?#")));
  }
  return false;
}

/// Scheme and authority of a URL: `https://fw.example:8443`.
constexpr std::string_view origin_of(std::string_view url) {
  const std::size_t authority = url.find("//");
  if (authority == std::string_view::npos) return {};
  const std::string_view rest = slice(url, authority + 2);
  return slice(url, 0, authority + 2 + slice(rest, 0, rest.find_first_of("/?#")).size());
}

}  // namespace otaria::contract
