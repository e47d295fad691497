#include "server/broker/plugin/settings.hpp"

#include <algorithm>

namespace otaria::broker_plugin {

SettingsReading read_settings(
    const std::vector<std::pair<std::string_view, std::string_view>>& options) {
  SettingsReading reading;
  Settings& settings = reading.settings;
  std::vector<std::string_view> seen;
  for (const auto& [key, value] : options) {
    const std::string option = "plugin_opt_" + std::string{key};
    if (value.empty()) return {{}, option + " is empty: give it a value or remove the line"};
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return {{}, option + " stands there twice: remove one of the lines"};
    }
    seen.push_back(key);
    if (key == "issuer") {
      settings.issuer = value;
    } else if (key == "audience") {
      settings.audience = value;
    } else if (key == "jwks") {
      settings.jwks = value;
    } else if (key == "denylist") {
      settings.denylist = value;
    } else {
      return {{}, option + " is unknown: there are jwks, denylist, issuer and audience"};
    }
  }
  if (settings.jwks.empty()) {
    return {{}, "plugin_opt_jwks is missing: name the file of the issuer's public keys"};
  }
  return reading;
}

}  // namespace otaria::broker_plugin
