#include "server/identity/rabbitmq_hook.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "contract/token/topic_filter.hpp"
#include "contract/vocabulary.hpp"
#include "server/identity/broker_files.hpp"
#include "server/identity/token_exchange.hpp"

namespace otaria::server {
namespace {

std::string_view field(const RabbitmqHook::Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view{} : std::string_view{found->second};
}

// A routing key is a topic with dots; ids have none, so the way back has one meaning.
std::string topic_of(std::string_view routing_key) {
  std::string topic{routing_key};
  std::replace(topic.begin(), topic.end(), '.', '/');
  std::replace(topic.begin(), topic.end(), '*', '+');
  return topic;
}

bool is_covered(const std::vector<std::string>& rules, const std::string& requested) {
  return std::any_of(rules.begin(), rules.end(), [&](const std::string& rule) {
    return token::covers(rule, requested);
  });
}

// What comes from the wire goes into the log only when it cannot forge a line there.
std::string_view loggable(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= contract::max_device_id_bytes &&
                     std::all_of(name.begin(), name.end(), contract::is_device_id_character);
  return plain ? name : std::string_view{"(a name that is none)"};
}

}  // namespace

RabbitmqHook::RabbitmqHook(Store& store, Issuer& issuer, PublishTemplates also_publish)
    : store_{store}, issuer_{issuer}, also_publish_{std::move(also_publish)} {}

bool RabbitmqHook::user(const Fields& fields, std::int64_t now) {
  const std::string_view username = field(fields, "username");
  const std::string_view client = field(fields, "client_id");
  const auto keys = token::KeySet::parse(issuer_.jwks());
  std::vector<DeniedToken> denied;
  store_.read([&](StoreView& view) { denied = view.denied_tokens(now); });
  // The check binds the token to this name: what is denied of others does not matter.
  std::erase_if(denied, [&](const DeniedToken& token) { return token.subject != username; });
  const auto list = token::Denylist::parse(denylist_text(denied));
  if (!keys.keys || !list.list) {
    spdlog::error("rabbitmq hook: {}{}: denying everybody", keys.error, list.error);
    return false;
  }
  const auto verdict = checker_.check(field(fields, "password"),
                                      {.username = username, .client_id = client},
                                      *keys.keys,
                                      *list.list,
                                      now,
                                      token::AclClaim::optional);
  if (!verdict.ok()) {
    spdlog::info("rabbitmq hook: {} as {} is denied: {}",
                 loggable(username),
                 loggable(client),
                 token::name_of(verdict.refusal));
    return false;
  }
  // The registry may know more than the token does: another id since, or a state that ends it.
  const auto known = who(std::string{username});
  if (known && known->clientid == client) return true;
  spdlog::info("rabbitmq hook: {} as {} is denied: not active under that id",
               loggable(username),
               loggable(client));
  return false;
}

std::optional<RabbitmqHook::Who> RabbitmqHook::who(const std::string& username) {
  std::optional<Who> found;
  store_.read([&](StoreView& view) {
    if (contract::is_mac(username)) {
      const auto identity = view.identity_of_mac(username);
      if (!identity || identity->state != IdentityState::active) return;
      found = Who{identity->id, device_rules(identity->id, also_publish_)};
      return;
    }
    const auto service = view.service(username);
    if (!service || service->revoked_at) return;
    found = Who{username, is_server_name(username) ? server_rules() : monitor_rules(username)};
  });
  return found;
}

bool RabbitmqHook::vhost(const Fields& fields) {
  return field(fields, "vhost") == "/" && who(std::string{field(fields, "username")});
}

bool RabbitmqHook::resource(const Fields& fields) {
  const auto caller = who(std::string{field(fields, "username")});
  if (!caller) return false;
  const std::string_view name = field(fields, "name");
  if (field(fields, "resource") == "queue") {
    const std::string own = "mqtt-subscription-" + caller->clientid + "qos";
    return name == own + "0" || name == own + "1";
  }
  return field(fields, "resource") == "exchange" && name == "amq.topic" &&
         field(fields, "permission") != "configure";
}

bool RabbitmqHook::topic(const Fields& fields) {
  const auto caller = who(std::string{field(fields, "username")});
  if (!caller || field(fields, "name") != "amq.topic") return false;
  const std::string requested = topic_of(field(fields, "routing_key"));
  const std::string_view permission = field(fields, "permission");
  if (permission == "write") return is_covered(caller->rules.publish, requested);
  return permission == "read" && is_covered(caller->rules.subscribe, requested);
}

}  // namespace otaria::server
