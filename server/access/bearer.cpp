#include "server/access/bearer.hpp"

#include <algorithm>

namespace otaria::server {
namespace {

constexpr std::string_view scheme = "bearer";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// b64token, RFC 6750: its `=` may only stand at the end, which no token of ours or JWT needs.
bool is_token_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view{"-._~+/="}.find(c) != std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') {
    return std::nullopt;
  }
  if (!std::equal(scheme.begin(), scheme.end(), authorization.begin(), [](char ours, char given) {
        return ours == lower(given);
      })) {
    return std::nullopt;
  }
  authorization.remove_prefix(scheme.size());
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  if (authorization.empty() ||
      !std::all_of(authorization.begin(), authorization.end(), is_token_character)) {
    return std::nullopt;
  }
  return authorization;
}

}  // namespace otaria::server
