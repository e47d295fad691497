#pragma once

#include <string>

namespace otaria::server {

/// Sets up spdlog's default logger: to standard error, as lines of text or of JSON.
/// `level`: debug, info, warn, error; `format`: text, json.
void set_up_logging(const std::string& level, const std::string& format);

}  // namespace otaria::server
