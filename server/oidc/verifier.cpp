#include "server/oidc/verifier.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "contract/json_text.hpp"

namespace otaria::server::oidc {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_token = 8192;
constexpr std::size_t longest_subject = 255;
constexpr std::int64_t clock_difference_s = 30;

Refusal invalid(std::string detail) {
  return {"token_invalid", std::move(detail), "sign in again at the provider"};
}

Json parsed(const std::string& text) {
  if (contract::check_json(text).defect != contract::Defect::none) return nullptr;
  return Json::parse(text, nullptr, false);
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// A NumericDate (RFC 7519, section 2); it may have a fraction. Nothing when it is none.
std::optional<std::int64_t> time_of(const Json& json, const char* name) {
  constexpr double latest = 253'402'300'799;  // the end of the year 9999
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(seconds >= 0 && seconds <= latest)) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

std::vector<std::string> texts_of(const Json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> texts;
  if (!value.is_array()) return texts;
  for (const Json& item : value) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

/// The claim of that very name, else the one at the end of the path.
std::vector<std::string> claim_of(const Json& claims, const std::string& name) {
  if (const auto found = claims.find(name); found != claims.end()) return texts_of(*found);
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return {};
  const auto inner = claims.find(name.substr(0, dot));
  if (inner == claims.end() || !inner->is_object()) return {};
  return claim_of(*inner, name.substr(dot + 1));
}

struct Token {
  std::string_view signed_text;
  std::string algorithm, key_id, claims, signature;
};

/// Nothing for what is no compact JWS whose header we understand.
std::optional<Token> token_from(std::string_view text) {
  const std::size_t first = text.find('.');
  const std::size_t second = text.find('.', first == std::string_view::npos ? first : first + 1);
  if (text.size() > longest_token || second == std::string_view::npos ||
      text.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  const auto header_text = crypto::from_base64url(text.substr(0, first));
  auto claims = crypto::from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = crypto::from_base64url(text.substr(second + 1));
  if (!header_text || !claims || !signature) return std::nullopt;
  const Json header = parsed(*header_text);
  if (!header.is_object() || header.contains("crit") || header.contains("b64")) return std::nullopt;
  return Token{text.substr(0, second),
               text_of(header, "alg"),
               text_of(header, "kid"),
               std::move(*claims),
               std::move(*signature)};
}

const ProviderKey* key_named(const KeySet& keys, const std::string& id) {
  const auto found = std::find_if(
      keys->begin(), keys->end(), [&](const ProviderKey& key) { return key.id == id; });
  return found == keys->end() ? nullptr : &*found;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<std::map<std::string, Role>> role_map_from(std::string_view text) {
  std::map<std::string, Role> roles;
  while (!text.empty()) {
    const std::string_view pair = trimmed(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(text.find(','), text.size() - 1) + 1);
    const std::size_t equals = pair.rfind('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    const auto role = role_from(trimmed(pair.substr(equals + 1)));
    if (!role || *role == Role::agent_ci) return std::nullopt;
    roles[std::string{trimmed(pair.substr(0, equals))}] = *role;
  }
  if (roles.empty()) return std::nullopt;
  return roles;
}

Outcome<Caller> Verifier::verify(std::string_view text) {
  const auto token = token_from(text);
  if (!token) return invalid("the token is neither one of this server's nor a JWT");
  KeySet keys = keys_.keys();
  const ProviderKey* key = key_named(keys, token->key_id);
  // Only a name that a key could have is worth a question to the provider.
  if (key == nullptr && !token->key_id.empty()) {
    keys = keys_.newer();
    key = key_named(keys, token->key_id);
  }
  if (key == nullptr) return invalid("the provider has no key that the token names");
  if (token->algorithm != key->algorithm()) {
    return invalid("the token's algorithm is not that of the key it names");
  }
  if (!key->verifies(token->signed_text, token->signature)) {
    return invalid("the token's signature does not fit");
  }
  return caller_of(token->claims);
}

Outcome<Caller> Verifier::caller_of(const std::string& text) const {
  const std::int64_t now = clock_() / 1000;
  const Json claims = parsed(text);
  if (!claims.is_object()) return invalid("the token holds no claims");
  if (text_of(claims, "iss") != settings_.issuer) return invalid("another issuer made the token");
  const auto audience = claim_of(claims, "aud");
  if (std::find(audience.begin(), audience.end(), settings_.audience) == audience.end()) {
    return invalid("the token is meant for somebody else than " + settings_.audience);
  }
  const auto ends = time_of(claims, "exp");
  if (!ends) return invalid("the token does not say when it expires");
  if (now >= *ends + clock_difference_s) {
    return Refusal{"token_expired", "the token has expired", "sign in again at the provider"};
  }
  if (claims.contains("nbf")) {
    const auto begins = time_of(claims, "nbf");
    if (!begins || now + clock_difference_s < *begins) return invalid("the token is not valid yet");
  }
  const std::string subject = text_of(claims, "sub");
  if (subject.empty() || subject.size() > longest_subject) return invalid("the token names nobody");
  Caller caller;
  caller.actor = "oidc:" + subject;
  caller.expires_at = *ends + clock_difference_s;
  for (const std::string& group : claim_of(claims, settings_.role_claim)) {
    const auto role = settings_.roles.find(group);
    if (role == settings_.roles.end()) continue;
    caller.rights = caller.rights.with(rights_of(role->second));
    caller.roles += (caller.roles.empty() ? "" : ", ") + std::string{name_of(role->second)};
  }
  if (caller.roles.empty()) {
    return Refusal{
        "forbidden",
        caller.actor + " is known, but no role belongs to its claim `" + settings_.role_claim + "`",
        "add one of its groups to oidc.role_map, or the person to a group"};
  }
  return caller;
}

}  // namespace otaria::server::oidc
