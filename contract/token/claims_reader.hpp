#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "contract/token/checker.hpp"

/// Reads the two JSON texts of a token. Used by the checker alone.
namespace otaria::token {

/// Steps 2 and 3: the header names ES256 and a key. `key_id` is set when none is returned.
Refusal read_header(std::span<const std::uint8_t> json, std::string& key_id);

/// What the payload holds. A name that does not stand there is empty; one that does, never is.
struct Payload {
  Claims claims;
  std::optional<std::string> issuer;
  bool has_audience = false;
  bool audience_fits = false;  ///< it is, or its list holds, the audience asked for
  std::optional<std::uint32_t> issued;
  std::optional<std::uint32_t> expires;
  std::optional<std::uint32_t> not_before;
  bool has_acl = false;
  bool acl_is_good = true;
};

/// Reads a payload whose signature has been verified. none, or bad_payload: not JSON of our
/// profile, a member twice, or a claim of another type or longer than it may be. A wrong `acl` is
/// told by `acl_is_good`, because it is judged last.
Refusal read_payload(std::span<const std::uint8_t> json,
                     std::string_view audience,
                     Payload& payload);

}  // namespace otaria::token
