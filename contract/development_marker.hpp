#pragma once

#include <string_view>

namespace otaria::contract {

/// Stands somewhere in every firmware image that is compiled with development mode, so that it can
/// be told from one for production: `otaria release publish --key` refuses it but for channel
/// `dev`. Firmware keeps it from the linker's garbage collection by reading it at start.
/// Source  reference trust, section 11.
inline constexpr std::string_view development_marker = "OTARIA-DEVELOPMENT-IMAGE";

}  // namespace otaria::contract
