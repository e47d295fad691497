#include "server/http/target.hpp"

#include <algorithm>

namespace otaria::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      if (is_control(text[i])) return std::nullopt;
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

/// Decodes segment by segment, so that a decoded slash cannot pass for a separator.
std::optional<std::string> decode_path(std::string_view raw) {
  std::string path;
  while (!raw.empty()) {
    raw.remove_prefix(1);  // the slash
    const std::string_view segment = raw.substr(0, raw.find('/'));
    raw.remove_prefix(segment.size());
    const auto decoded = decode(segment, false);
    if (!decoded || *decoded == "." || *decoded == "..") return std::nullopt;
    const bool ambiguous = std::any_of(decoded->begin(), decoded->end(), [](char c) {
      return c == '/' || c == '\\' || is_control(c);
    });
    if (ambiguous) return std::nullopt;
    path += '/';
    path += *decoded;
  }
  return path;
}

bool decode_query(std::string_view raw, Target& into) {
  while (!raw.empty()) {
    const std::string_view pair = raw.substr(0, raw.find('&'));
    raw.remove_prefix(std::min(raw.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals), true);
    auto value = decode(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    into.query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

std::string_view without_authority(std::string_view target) {
  if (target.starts_with('/')) return target;
  const auto scheme_end = target.find("://");
  const std::string_view scheme = target.substr(0, scheme_end);
  if (scheme_end == target.npos || (scheme != "http" && scheme != "https")) return {};
  target.remove_prefix(scheme_end + 3);
  const auto path = target.find_first_of("/?#");
  // An absolute URL without a path means the root; one that goes on with its query is not worth
  // serving.
  if (path == target.npos) return "/";
  return target[path] == '/' ? target.substr(path) : std::string_view{};
}

}  // namespace

std::string_view raw_path(std::string_view target) {
  const std::string_view origin = without_authority(target);
  return origin.substr(0, origin.find_first_of("?#"));
}

std::string_view raw_query(std::string_view target) {
  const std::string_view origin = target.substr(0, target.find('#'));
  const auto question = origin.find('?');
  return question == std::string_view::npos ? std::string_view{} : origin.substr(question + 1);
}

bool is_plain_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%' || c == '\\' || is_control(c)) return false;
    if (c == '/' && i + 1 < path.size() && path[i + 1] == '.') return false;
  }
  return true;
}

std::optional<Target> parse_target(std::string_view target) {
  std::string_view origin = without_authority(target);
  origin = origin.substr(0, origin.find('#'));
  if (origin.empty()) return std::nullopt;
  const auto question = origin.find('?');
  auto path = decode_path(origin.substr(0, question));
  if (!path) return std::nullopt;
  Target parsed{std::move(*path), {}};
  if (question != origin.npos && !decode_query(origin.substr(question + 1), parsed)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace otaria::server
