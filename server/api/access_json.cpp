#include "server/api/access_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "contract/vocabulary.hpp"
#include "server/access/approval.hpp"

namespace otaria::server {
namespace {

using Json = nlohmann::ordered_json;

std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json or_null(const std::optional<std::int64_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string_view state_of(const ApiToken& token, std::int64_t now) {
  if (token.revoked_at) return "revoked";
  return is_valid_at(token, now) ? "valid" : "expired";
}

Json token_json(const ApiToken& token, std::int64_t now) {
  return {{"id", token.id},
          {"name", token.name},
          {"role", name_of(token.role)},
          {"product", token.product.empty() ? Json(nullptr) : Json(token.product)},
          {"person", token.person.empty() ? Json(nullptr) : Json(token.person)},
          {"state", state_of(token, now)},
          {"creator", token.creator},
          {"created_at", token.created_at},
          {"expires_at", token.expires_at},
          {"last_used_at", or_null(token.last_used_at)},
          {"revoked_at", or_null(token.revoked_at)}};
}

Refusal bad(std::string detail, std::string hint = "see docs/spec/rest.md, POST /tokens") {
  return {"bad_request", std::move(detail), std::move(hint)};
}

// What people read in tables and logs.
bool is_token_name(const std::string& name) {
  return name.size() <= longest_token_name &&
         std::none_of(
             name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_product(const std::string& text) {
  return !text.empty() && text.size() <= contract::max_name_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return contract::is_device_id_character(c) || c == '.';
         });
}

/// A text member; nothing, with `wrong` set, when it is no text.
std::string text_member(const Json& json, const char* name, bool& wrong) {
  const auto found = json.find(name);
  if (found == json.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  wrong = true;
  return {};
}

}  // namespace

std::string json_of(const ApiToken& token, std::int64_t now) {
  return written(token_json(token, now));
}

std::string json_of(const ApiToken& token,
                    std::int64_t now,
                    const std::string& text,
                    const std::string& recommendation) {
  Json json = token_json(token, now);
  json["token"] = text;
  if (!recommendation.empty()) json["recommendation"] = recommendation;
  return written(json);
}

Outcome<TokenRequest> token_request_from(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return bad("the body is no JSON object");
  TokenRequest request;
  bool wrong = false;
  const std::string role = text_member(json, "role", wrong);
  request.name = text_member(json, "name", wrong);
  request.product = text_member(json, "product", wrong);
  request.person = text_member(json, "person", wrong);
  if (wrong) return bad("`role`, `name`, `product` and `person` are texts");
  if (!request.person.empty() && !is_person(request.person)) {
    return bad("`person` is not 1 to " + std::to_string(longest_person) +
               " characters of a-z 0-9 . _ @ : + -");
  }
  const auto known = role_from(role);
  if (!known) return bad("`role` is none of " + role_names());
  request.role = *known;
  if (!is_token_name(request.name)) {
    return bad("`name` has more than " + std::to_string(longest_token_name) +
               " bytes, or control characters");
  }
  if (json.contains("groups")) return bad("`groups` is reserved", "leave it out");
  if (request.role == Role::agent_ci && !is_product(request.product)) {
    return bad("a token with the role agent-ci needs the `product` that it may publish for");
  }
  if (request.role != Role::agent_ci && !request.product.empty()) {
    return bad("`product` limits the role agent-ci only", "leave it out, or choose that role");
  }
  if (const auto days = json.find("days"); days != json.end()) {
    request.days = days->is_number_integer() ? days->get<std::int64_t>() : 0;
    if (request.days < 1 || request.days > most_token_days) {
      return bad("`days` is not a whole number from 1 to " + std::to_string(most_token_days));
    }
  }
  return request;
}

}  // namespace otaria::server
