#pragma once

#include <optional>
#include <string>

#include "server/app/config.hpp"

/// The configuration keys of identities and tokens. Each takes a text, or says what is wrong with
/// it.
namespace otaria::server {

using KeyTrouble = std::optional<std::string>;

KeyTrouble take_first_use(Config& config, const std::string& text);
KeyTrouble take_audiences(Config& config, const std::string& text);
KeyTrouble take_device_mqtt_urls(Config& config, const std::string& text);
KeyTrouble take_broker_kind(Config& config, const std::string& text);
KeyTrouble take_publish_templates(Config& config, const std::string& text);
KeyTrouble take_broker_file_mode(Config& config, const std::string& text);

/// Fills in what follows from other keys, and checks what concerns several. Errors: ConfigError.
void complete_identity(Config& config);

}  // namespace otaria::server
