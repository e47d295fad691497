#include <algorithm>

#include "server/identity/token_exchange.hpp"

namespace otaria::server {
namespace {

constexpr std::string_view jwt_bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

int hex_digit(char c) {
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return contract::hex_value(c);
}

std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      plain += ' ';
    } else if (text[i] != '%') {
      plain += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return plain;
}

Refusal bad_form(const std::string& detail) {
  return {"bad_request",
          detail,
          "send application/x-www-form-urlencoded: grant_type=" + std::string{jwt_bearer} +
              "&assertion=<JWS>"};
}

}  // namespace

std::optional<std::map<std::string, std::string>> form_fields(std::string_view body) {
  std::map<std::string, std::string> fields;
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals));
    const auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value || !fields.emplace(*name, *value).second) return std::nullopt;
  }
  return fields;
}

Outcome<std::string> assertion_from_form(std::string_view body) {
  const auto fields = form_fields(body);
  if (!fields) return bad_form("the form cannot be read, or has a field twice");
  const auto grant = fields->find("grant_type");
  if (grant == fields->end() || grant->second != jwt_bearer) {
    return bad_form("`grant_type` is not " + std::string{jwt_bearer});
  }
  const auto assertion = fields->find("assertion");
  if (assertion == fields->end() || assertion->second.empty()) {
    return bad_form("`assertion` is missing");
  }
  return assertion->second;
}

}  // namespace otaria::server
