#include "server/api/identity_json.hpp"

#include <nlohmann/json.hpp>

#include "server/api/problem.hpp"

namespace otaria::server {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t longest_lead_s = std::int64_t{90} * 86'400;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Refusal bad(const std::string& detail) {
  return {"bad_request", detail, "docs/spec/rest.md describes the body"};
}

Json or_null(const std::string& text) {
  return text.empty() ? Json{} : Json(text);
}
Json or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json{};
}

std::optional<Json> object_from(const std::string& body) {
  Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  return parsed;
}

/// False when the member is there and no text.
bool take(const Json& object, const char* name, std::string& into) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return true;
  if (!found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

}  // namespace

std::string json_of(const DeviceIdentity& identity) {
  const auto key = device_key_from(identity.key);
  return text_of({{"id", identity.id},
                  {"mac", identity.mac},
                  {"state", std::string{name_of(identity.state)}},
                  {"key_id", key ? Json(key->key_id()) : Json{}},
                  {"product", or_null(identity.product)},
                  {"hardware", or_null(identity.hardware)},
                  {"origin", identity.origin},
                  {"reason", or_null(identity.reason)},
                  {"created_at", identity.created_at},
                  {"changed_at", identity.changed_at},
                  {"last_token_at", or_null(identity.last_token_at)}});
}

std::string json_of(const ServiceIdentity& service) {
  return text_of({{"name", service.name},
                  {"creator", service.creator},
                  {"created_at", service.created_at},
                  {"revoked_at", or_null(service.revoked_at)}});
}

std::string json_of(const ImportResult& result) {
  return text_of({{"created", result.created}, {"unchanged", result.unchanged}});
}

std::string json_of(const std::vector<MadeClaim>& claims) {
  Json items = Json::array();
  for (const MadeClaim& claim : claims) {
    items.push_back(
        {{"mac", or_null(claim.mac)}, {"id", or_null(claim.id)}, {"claim", claim.code}});
  }
  return text_of({{"items", items}});
}

std::string json_of(const DeviceToken& token) {
  return text_of({{"token", token.token},
                  {"expires_in", token.expires_in},
                  {"time", token.time},
                  {"id", token.id},
                  {"username", token.mac},
                  {"clientid", token.id},
                  {"mqtt", token.mqtt},
                  {"keys", token.keys},
                  {"seq", token.seq}});
}

std::string json_of(const TokenExchange::ServiceToken& token) {
  return text_of({{"token", token.token},
                  {"expires_in", token.expires_in},
                  {"username", token.name},
                  {"clientid", token.name}});
}

std::string json_of(const IssuerKeyState& key) {
  const char* state = key.signs ? "signs" : key.announced ? "announced" : "verifies";
  return text_of({{"kid", key.key.kid},
                  {"state", state},
                  {"created_at", key.key.created_at},
                  {"use_from", key.key.use_from}});
}

std::string nonce_json(const std::string& nonce) {
  return text_of({{"nonce", nonce}, {"expires_in", Nonces::life_s}});
}

Response problem(const Refusal& refusal, const ProblemExtras& extras) {
  Response response = problem(refusal);
  Json json = Json::parse(response.body);
  if (extras.nonce) json["nonce"] = *extras.nonce;
  if (extras.state) json["state"] = std::string{name_of(*extras.state)};
  for (const ImportError& error : extras.errors) {
    json["errors"].push_back(
        {{"line", error.line}, {"code", error.code}, {"detail", error.detail}});
  }
  response.body = text_of(json);
  return response;
}

Outcome<std::vector<ClaimWish>> claim_wishes_from(const std::string& body) {
  const auto object = object_from(body);
  const auto devices = object ? object->find("devices") : Json::const_iterator{};
  if (!object || devices == object->end() || !devices->is_array()) {
    return bad("the body is not {\"devices\":[{\"mac\",\"id\",\"product\",\"hardware\"}…]}");
  }
  std::vector<ClaimWish> wishes;
  for (const Json& item : *devices) {
    ClaimWish wish;
    if (!item.is_object() || !take(item, "mac", wish.mac) || !take(item, "id", wish.id) ||
        !take(item, "product", wish.product) || !take(item, "hardware", wish.hardware)) {
      return bad("item " + std::to_string(wishes.size() + 1) + " is no object of texts");
    }
    wishes.push_back(std::move(wish));
  }
  return wishes;
}

Outcome<StateRequest> state_request_from(const std::string& body) {
  const auto object = object_from(body);
  std::string state;
  StateRequest request;
  if (!object || !take(*object, "state", state) || !take(*object, "reason", request.reason)) {
    return bad("the body is not {\"state\":\"…\",\"reason\":\"…\"}");
  }
  const auto known = identity_state_from(state);
  if (!known || *known == IdentityState::pending) {
    return bad("`state` is none of active, suspended, revoked, retired");
  }
  request.state = *known;
  return request;
}

Outcome<std::string> service_name_from(const std::string& body) {
  const auto object = object_from(body);
  std::string name;
  if (!object || !take(*object, "name", name) || name.empty()) {
    return bad("the body is not {\"name\":\"otariad-<n>\" or \"monitor-<name>\"}");
  }
  return name;
}

Outcome<Issuer::Rotation> rotation_from(const std::string& body) {
  Issuer::Rotation rotation;
  if (body.empty()) return rotation;
  const auto object = object_from(body);
  if (!object) return bad("the body is not {\"lead\":S,\"withdraw_old\":false}");
  if (const auto lead = object->find("lead"); lead != object->end() && !lead->is_null()) {
    if (!lead->is_number_integer() || lead->get<std::int64_t>() < 0 ||
        lead->get<std::int64_t>() > longest_lead_s) {
      return bad("`lead` is not a whole number from 0 to " + std::to_string(longest_lead_s));
    }
    rotation.lead_s = lead->get<std::int64_t>();
  }
  if (const auto old = object->find("withdraw_old"); old != object->end() && !old->is_null()) {
    if (!old->is_boolean()) return bad("`withdraw_old` is neither true nor false");
    rotation.withdraw_old = old->get<bool>();
  }
  return rotation;
}

}  // namespace otaria::server
