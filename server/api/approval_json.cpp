#include "server/api/approval_json.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace otaria::server {
namespace {

using Json = nlohmann::ordered_json;
/// Members in the order of their names: one text for one meaning.
using Sorted = nlohmann::json;

constexpr std::size_t longest_reason = 200;

template <class Object>
std::string written(const Object& json) {
  return json.dump(-1, ' ', false, Object::error_handler_t::replace);
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json approval_json(const Approval& approval, std::int64_t now) {
  return {{"id", approval.id},
          {"verb", row_of(approval.verb).name},
          {"state", name_of(state_at(approval, now))},
          {"summary", approval.summary},
          {"digest", approval.digest},
          {"requester", approval.requester},
          {"person", approval.person},
          {"created_at", approval.created_at},
          {"expires_at", approval.expires_at},
          {"decider", or_null(approval.decider)},
          {"decider_person", or_null(approval.decider_person)},
          {"decided_at", approval.decided_at ? Json(*approval.decided_at) : Json(nullptr)},
          {"reason", or_null(approval.reason)},
          {"result", approval.result.empty() ? Json(nullptr) : Json::parse(approval.result)}};
}

Refusal bad(std::string detail) {
  return {"bad_request", std::move(detail), "see docs/spec/rest.md, Two persons"};
}

}  // namespace

std::string json_of(const Approval& approval, std::int64_t now, bool whole) {
  Json json = approval_json(approval, now);
  if (whole) json["content"] = approval.content;
  return written(json);
}

std::string awaiting_json(const Approval& approval, std::int64_t now) {
  return written(Json{
      {"items", Json::array()}, {"next", nullptr}, {"approval", approval_json(approval, now)}});
}

std::string json_of(const ApprovalRules& rules) {
  Json verbs = Json::object();
  for (const ApprovalVerbRow& row : approval_verbs()) {
    verbs[std::string{row.name}] = rules.asks(row.verb);
  }
  return written(Json{{"verbs", verbs}, {"life", rules.life_s}});
}

Outcome<std::string> approved_digest_from(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  const auto digest = json.is_object() ? json.find("digest") : json.end();
  if (!json.is_object() || digest == json.end() || !digest->is_string()) {
    return bad("the body does not name the `digest` of what is approved");
  }
  return digest->get<std::string>();
}

Outcome<std::string> rejection_reason_from(const std::string& body) {
  if (body.empty()) return std::string{};
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return bad("the body is no JSON object");
  const auto reason = json.find("reason");
  if (reason == json.end()) return std::string{};
  if (!reason->is_string() || reason->get_ref<const std::string&>().size() > longest_reason) {
    return bad("`reason` is no text of at most " + std::to_string(longest_reason) + " bytes");
  }
  return reason->get<std::string>();
}

std::string updates_content(const std::string& request, const std::vector<Deployment>& updates) {
  Sorted content{{"request", Sorted::parse(request)}, {"updates", Sorted::array()}};
  for (const Deployment& update : updates) {
    content["updates"].push_back({{"device", update.device},
                                  {"release", update.release.value_or("")},
                                  {"target", update.target},
                                  {"sha256", update.sha256}});
  }
  return written(content);
}

std::string request_of_content(const std::string& content) {
  const Sorted json = Sorted::parse(content, nullptr, false);
  if (!json.is_object() || !json.contains("request")) {
    throw std::runtime_error{"an approval's content is none of ours"};
  }
  return written(json["request"]);
}

std::string updates_result(const std::vector<Deployment>& updates) {
  Json ids = Json::array();
  for (const Deployment& update : updates) ids.push_back(update.id);
  return written(Json{{"updates", ids}});
}

}  // namespace otaria::server
