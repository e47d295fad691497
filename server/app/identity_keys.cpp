#include "server/app/identity_keys.hpp"

#include <algorithm>
#include <filesystem>

#include "contract/host/broker_url.hpp"
#include "contract/url.hpp"

namespace otaria::server {
namespace {

std::vector<std::string> items_of(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    items.emplace_back(one);
  }
  return items;
}

// Scheme, host and port, as RFC 6454 writes them.
std::string origin_of(const std::string& url) {
  return url.substr(0, url.find('/', url.find("://") + 3));
}

// What stands in a token's answer must fit the device's memory.
bool is_mqtt_url(const std::string& text) {
  const std::size_t scheme = text.find("://");
  if (text.size() > contract::max_url_bytes || !parse_broker_url(text)) return false;
  return text.find('@') == std::string::npos && text.find('/', scheme + 3) == std::string::npos;
}

std::string shown_url(const BrokerUrl& broker) {
  BrokerUrl plain = broker;
  plain.username.clear();
  plain.password.clear();
  return plain.shown();
}

}  // namespace

KeyTrouble take_first_use(Config& config, const std::string& text) {
  if (text != "refuse" && text != "trust") return "is none of: refuse, trust";
  config.identity.trust_first_use = text == "trust";
  return std::nullopt;
}

KeyTrouble take_audiences(Config& config, const std::string& text) {
  std::vector<std::string> audiences = items_of(text);
  for (const std::string& audience : audiences) {
    if (!contract::is_url(audience) || origin_of(audience) != audience) {
      return "holds something else than http or https origins without a path: \"" + audience + "\"";
    }
  }
  config.identity.exchange.audiences = std::move(audiences);
  return std::nullopt;
}

KeyTrouble take_device_mqtt_urls(Config& config, const std::string& text) {
  constexpr std::size_t most_urls = 4;
  std::vector<std::string> urls = items_of(text);
  if (urls.size() > most_urls) return "names more than " + std::to_string(most_urls) + " brokers";
  for (const std::string& url : urls) {
    if (!is_mqtt_url(url)) {
      return "holds something else than mqtt://HOST:PORT or mqtts://HOST:PORT: \"" +
             contract::without_credentials(url) + "\"";
    }
  }
  config.identity.exchange.mqtt_urls = std::move(urls);
  return std::nullopt;
}

KeyTrouble take_broker_kind(Config& config, const std::string& text) {
  const auto kind = broker_kind_from(text);
  if (!kind) return "is none of: emqx, mosquitto, rabbitmq, all";
  config.identity.issuer.broker = *kind;
  return std::nullopt;
}

KeyTrouble take_publish_templates(Config& config, const std::string& text) {
  auto templates = publish_templates_from(text);
  if (!templates) return "is no list of topics: " + templates.refusal().detail;
  config.identity.exchange.also_publish = std::move(templates.value());
  return std::nullopt;
}

KeyTrouble take_broker_file_mode(Config& config, const std::string& text) {
  if (text != "0600" && text != "0640" && text != "0644") return "is none of: 0600, 0640, 0644";
  config.identity.files.file_mode = text == "0600" ? 0600U : text == "0640" ? 0640U : 0644U;
  return std::nullopt;
}

void complete_identity(Config& config) {
  IdentityConfig& identity = config.identity;
  if (identity.trust_first_use && !config.development) {
    throw ConfigError{
        "identity.first_use = \"trust\" lets any device in that comes first: it is for development "
        "only. Add --development, or leave it out and use claims"};
  }
  if (config.mqtt_token == "self" && !config.mqtt.username.empty()) {
    throw ConfigError{
        "mqtt.token = \"self\" and mqtt.username name two ways to sign in to the broker: keep one"};
  }
  const std::string origin = origin_of(config.public_url);
  auto& audiences = identity.exchange.audiences;
  if (std::find(audiences.begin(), audiences.end(), origin) == audiences.end()) {
    audiences.insert(audiences.begin(), origin);
  }
  if (identity.exchange.mqtt_urls.empty()) {
    identity.exchange.mqtt_urls = {shown_url(config.mqtt)};
  }
  const std::filesystem::path data = config.data;
  identity.keys_directory = data / "keys";
  if (identity.files.directory.empty()) identity.files.directory = data / "broker";
}

}  // namespace otaria::server
