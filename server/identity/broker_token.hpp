#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/registry/refusal.hpp"

/// What stands in an access token for MQTT brokers: a closed list of claims, made here and nowhere
/// else. Nothing that a client sends can add one, or change a rule.
/// Source  reference broker authentication, sections 1 and 2.
namespace otaria::server {

/// Which broker a token is for: it carries only the form of rules that this one reads.
enum class BrokerKind : std::uint8_t {
  emqx,       ///< `acl`
  mosquitto,  ///< `acl`, by our plugin
  rabbitmq,   ///< `scope`, and `acl` never: both do not fit a device's buffer
  all,        ///< both
};
std::string_view name_of(BrokerKind kind);
std::optional<BrokerKind> broker_kind_from(std::string_view name);

/// MQTT topics or filters, and the same rights in RabbitMQ's scopes.
struct TopicRules {
  std::vector<std::string> subscribe, publish;
  std::string scope = {};  ///< space-separated
};

/// Topics a device may publish on besides its own, with `<id>` for its id: `<id>/telemetry`.
using PublishTemplates = std::vector<std::string>;
/// From a list with commas: each `<id>/` and levels of A-Z a-z 0-9 _ -, at most 64 characters, at
/// most 8 of them; an empty text is no topic at all. Code bad_template.
Outcome<PublishTemplates> publish_templates_from(std::string_view list);

/// Exact topics, no wildcards: a filter in a device's token would mean other things on EMQX.
TopicRules device_rules(const std::string& id, const PublishTemplates& also_publish);
TopicRules server_rules();  ///< reads every status and state, writes every notice
/// Reads every status and state.
TopicRules monitor_rules(const std::string& clientid);

/// Who a token is for.
struct TokenSubject {
  std::string username = {};  ///< MAC of a device, name of a service; also `sub`
  std::string clientid = {};
  TopicRules rules;
};

/// What differs from token to token.
struct TokenTimes {
  std::int64_t iat = 0, exp = 0;  ///< Unix seconds
  std::string jti = {};           ///< 12 characters
};

/// The payload: members in the order of the reference, without white space.
std::string token_claims(const TokenSubject& subject, const TokenTimes& times, BrokerKind kind);
/// The protected header.
std::string token_header(std::string_view kid);

/// Bytes of the MQTT 3.1.1 CONNECT packet with which a device presents a token: clean session,
/// username, password, and the contract's will of `will_bytes` on `<id>/ota/state`.
std::size_t connect_bytes(std::string_view clientid,
                          std::string_view username,
                          std::size_t token_bytes,
                          std::size_t will_bytes);
/// The contract's will for a version of so many characters and a session of so many digits.
std::size_t will_bytes(std::string_view id, std::size_t version, std::size_t session_digits);

/// Whether a device can send the token whatever version it will run; code token_too_long with the
/// figures.
std::optional<Refusal> judge_token_size(const TokenSubject& device,
                                        std::size_t token_bytes,
                                        BrokerKind kind);

}  // namespace otaria::server
