#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/token/denylist.hpp"
#include "contract/token/key_set.hpp"

/// Access tokens: compact JWS, ES256, one for each device, server or monitor. The same check runs
/// in the Mosquitto plugin, behind the brokers' HTTP hook and in the API.
/// Source  reference broker authentication, sections 1 and 8; RFC 7519; RFC 8725.
namespace otaria::token {

inline constexpr std::size_t longest_token = 2048;
inline constexpr std::int64_t clock_leeway_s = 30;
inline constexpr std::int64_t longest_life_s = std::int64_t{7} * 86400;
inline constexpr std::size_t max_filters = 16;
/// Of subject, username, client id and token id, in bytes.
inline constexpr std::size_t longest_claim = 64;

/// Why a token is refused: for the log, never for the client.
enum class Refusal : std::uint8_t {
  none,
  missing,          ///< no token at all
  too_long,         ///< more than longest_token characters
  not_a_token,      ///< not two dots, or not base64url without padding
  bad_header,       ///< no JSON of our profile, a member beside alg, kid and typ, or a bad one
  wrong_algorithm,  ///< anything but ES256
  unknown_key,      ///< no `kid`, or none of the key set
  bad_signature,    ///< not 64 bytes, r or s out of range, or not by that key over these bytes
  bad_payload,      ///< no JSON of our profile, or a claim of the wrong type
  missing_claim,    ///< iss, aud, sub, username, clientid, iat, exp or acl does not stand there
  wrong_issuer,
  wrong_audience,
  wrong_username,   ///< claim differs from `sub`, or from what the client calls itself
  wrong_client_id,  ///< claim differs from the client's id
  expired,
  not_yet_valid,   ///< `iat` or `nbf` lies in the future
  lives_too_long,  ///< more than longest_life_s between `iat` and `exp`
  denied,          ///< on the denylist
  bad_acl,         ///< no object of arrays of valid filters, or too many of them
};

/// As it stands in logs, e.g. "wrong_client_id".
std::string_view name_of(Refusal refusal);

/// What a good token says. Unknown claims are ignored: nothing but these gives rights.
struct Claims {
  std::string subject;
  std::string username;
  std::string client_id;
  std::string token_id;                ///< `jti`; empty when the token has none
  std::string key_id;                  ///< of the issuer's key that verified it
  std::uint32_t issued = 0;            ///< Unix seconds
  std::uint32_t expires = 0;           ///< Unix seconds
  std::vector<std::string> subscribe;  ///< filters, at most max_filters
  std::vector<std::string> publish;    ///< filters, at most max_filters
};

/// What the bearer says about himself besides the token. Nothing: not asked (an HTTP request);
/// then the token's own claims must agree with each other, no more.
struct Bearer {
  std::optional<std::string_view> username;
  std::optional<std::string_view> client_id;
};

struct Verdict {
  Refusal refusal = Refusal::none;
  Claims claims;  ///< only meaningful when ok()
  [[nodiscard]] bool ok() const { return refusal == Refusal::none; }
};

/// Whether a token must carry its topic rules. RabbitMQ reads them from `scope`, and a device's
/// packet has no room for both: there the claim may be absent, but not malformed.
enum class AclClaim : std::uint8_t { required, optional };

/// Checks tokens of one issuer for one audience.
///
/// Order    that of reference section 8; the first failure is the answer, nothing of the payload is
///          read before the signature has been verified.
/// Thread   any number at once: it holds no state that changes.
/// Cost     one ES256 verification per token that names a known key; no I/O.
class TokenChecker {
 public:
  explicit TokenChecker(std::string issuer = "otaria", std::string audience = "otaria");

  /// `now_s` is Unix seconds. Never throws but for want of memory.
  [[nodiscard]] Verdict check(std::string_view token,
                              const Bearer& bearer,
                              const KeySet& keys,
                              const Denylist& denied,
                              std::int64_t now_s,
                              AclClaim acl = AclClaim::required) const;

 private:
  std::string issuer_;
  std::string audience_;
};

}  // namespace otaria::token
