#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otaria::broker_plugin {

/// What `plugin_opt_…` lines of mosquitto.conf say.
struct Settings {
  std::string issuer = "otaria";
  std::string audience = "otaria";
  std::filesystem::path jwks;
  std::optional<std::filesystem::path> denylist;
};

struct SettingsReading {
  Settings settings;
  std::string error;  ///< one sentence with what to do; empty: usable
};

/// Unknown, repeated and empty options are errors: a slip in `jwks` or `denylist` must not open a
/// broker. Keys are without `plugin_opt_`.
SettingsReading read_settings(
    const std::vector<std::pair<std::string_view, std::string_view>>& options);

}  // namespace otaria::broker_plugin
