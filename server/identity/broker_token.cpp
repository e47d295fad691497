#include "server/identity/broker_token.hpp"

#include <algorithm>
#include <array>

#include "contract/vocabulary.hpp"

namespace otaria::server {
namespace {

constexpr std::array<std::string_view, 4> kind_names{"emqx", "mosquitto", "rabbitmq", "all"};
constexpr std::string_view id_place = "<id>/";
constexpr std::size_t longest_template = 64;
constexpr std::size_t most_templates = 8;

// MQTT's topic as RabbitMQ's routing key.
std::string routing_key(std::string_view topic) {
  std::string key{topic};
  std::replace(key.begin(), key.end(), '/', '.');
  std::replace(key.begin(), key.end(), '+', '*');
  return key;
}

// What the MQTT plugin asks about a client's own queues.
std::string queue_scopes(const std::string& clients) {
  const std::string queues = "*/mqtt-subscription-" + clients + "*";
  return "otaria.configure:" + queues + " otaria.write:" + queues + " otaria.read:" + queues;
}

std::string read_scope(std::string_view topic) {
  return " otaria.read:*/amq.topic/" + routing_key(topic);
}

std::string write_scope(std::string_view topic) {
  return " otaria.write:*/amq.topic/" + routing_key(topic);
}

std::string text_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "\"" : ",\"") + text + "\"";
  return "[" + list + "]";
}

bool is_template(std::string_view text) {
  if (!text.starts_with(id_place) || text.size() > longest_template) return false;
  const std::string_view rest = text.substr(id_place.size());
  return !rest.empty() && rest.front() != '/' && rest.back() != '/' &&
         rest.find("//") == std::string_view::npos &&
         std::all_of(rest.begin(), rest.end(), [](char c) {
           return c == '/' || contract::is_device_id_character(c);
         });
}

}  // namespace

std::string_view name_of(BrokerKind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}

std::optional<BrokerKind> broker_kind_from(std::string_view name) {
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind_names[i] == name) return static_cast<BrokerKind>(i);
  }
  return std::nullopt;
}

Outcome<PublishTemplates> publish_templates_from(std::string_view list) {
  PublishTemplates templates;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!is_template(one) || templates.size() == most_templates) {
      return Refusal{"bad_template",
                     "\"" + std::string{one.substr(0, longest_template)} +
                         "\" is not <id>/ and levels of A-Z a-z 0-9 _ -, of at most 64 characters, "
                         "or is one of more than 8",
                     "write e.g. <id>/telemetry, <id>/data"};
    }
    templates.emplace_back(one);
  }
  return templates;
}

TopicRules device_rules(const std::string& id, const PublishTemplates& also_publish) {
  TopicRules rules;
  const std::string notice = id + std::string{contract::notice_topic_suffix};
  rules.subscribe = {notice};
  rules.publish = {id + std::string{contract::status_topic_suffix},
                   id + std::string{contract::state_topic_suffix}};
  rules.scope = queue_scopes(id) + read_scope(notice) + write_scope(id + "/ota/+");
  for (const std::string& text : also_publish) {
    const std::string topic = id + text.substr(id_place.size() - 1);
    rules.publish.push_back(topic);
    rules.scope += write_scope(topic);
  }
  return rules;
}

TopicRules server_rules() {
  TopicRules rules = monitor_rules("otariad-");
  rules.publish = {"+" + std::string{contract::notice_topic_suffix}};
  rules.scope += write_scope(rules.publish[0]);
  return rules;
}

TopicRules monitor_rules(const std::string& clientid) {
  return {.subscribe = {"+" + std::string{contract::status_topic_suffix},
                        "+" + std::string{contract::state_topic_suffix}},
          .publish = {},
          .scope = queue_scopes(clientid) + read_scope("+/ota/+")};
}

std::string token_claims(const TokenSubject& subject, const TokenTimes& times, BrokerKind kind) {
  std::string claims = R"({"iss":"otaria","aud":"otaria","sub":")" + subject.username +
                       R"(","username":")" + subject.username + R"(","clientid":")" +
                       subject.clientid + R"(","iat":)" + std::to_string(times.iat) + R"(,"exp":)" +
                       std::to_string(times.exp) + R"(,"jti":")" + times.jti + "\"";
  if (kind != BrokerKind::rabbitmq) {
    claims += R"(,"acl":{"sub":)" + text_list(subject.rules.subscribe) + R"(,"pub":)" +
              text_list(subject.rules.publish) + "}";
  }
  if (kind == BrokerKind::rabbitmq || kind == BrokerKind::all) {
    claims += R"(,"scope":")" + subject.rules.scope + "\"";
  }
  return claims + "}";
}

std::string token_header(std::string_view kid) {
  return R"({"alg":"ES256","kid":")" + std::string{kid} + R"(","typ":"JWT"})";
}

std::size_t connect_bytes(std::string_view clientid,
                          std::string_view username,
                          std::size_t token_bytes,
                          std::size_t will_bytes) {
  constexpr std::size_t length_field = 2;  // of each string (MQTT 3.1.1, 1.5.3)
  constexpr std::size_t variable_header = 10;
  const std::size_t topic = clientid.size() + contract::state_topic_suffix.size();
  const std::size_t rest = variable_header + length_field + clientid.size() + length_field + topic +
                           length_field + will_bytes + length_field + username.size() +
                           length_field + token_bytes;
  std::size_t remaining_length_bytes = 1;  // seven bits each (2.2.3)
  for (std::size_t left = rest >> 7; left > 0; left >>= 7) ++remaining_length_bytes;
  return 1 + remaining_length_bytes + rest;
}

std::size_t will_bytes(std::string_view id, std::size_t version, std::size_t session_digits) {
  constexpr std::string_view around = R"({"id":"","version":"","online":false,"session":})";
  return around.size() + id.size() + version + session_digits;
}

std::optional<Refusal> judge_token_size(const TokenSubject& device,
                                        std::size_t token_bytes,
                                        BrokerKind kind) {
  // The longest there is: the device must still connect after its next update.
  constexpr std::size_t session_digits = 10;
  const std::size_t will = will_bytes(device.clientid, contract::max_version_bytes, session_digits);
  const std::size_t packet = connect_bytes(device.clientid, device.username, token_bytes, will);
  if (packet <= contract::max_packet_bytes) return std::nullopt;
  return Refusal{
      "token_too_long",
      "the token of " + device.clientid + " has " + std::to_string(token_bytes) +
          " bytes: CONNECT could need " + std::to_string(packet) + " of the device's " +
          std::to_string(contract::max_packet_bytes) + " (broker = " + std::string{name_of(kind)} +
          ", id of " + std::to_string(device.clientid.size()) + " characters)",
      "name one broker (tokens.broker), give a shorter id, or fewer topics in acl_extra.pub"};
}

}  // namespace otaria::server
