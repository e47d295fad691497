#pragma once

#include <optional>
#include <string_view>

namespace otaria::server {

/// The token of an `Authorization: Bearer …` header value; nothing when the value has another
/// scheme, more than one token, or characters that no token has.
/// Source  RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1).
std::optional<std::string_view> bearer_token(std::string_view authorization);

}  // namespace otaria::server
