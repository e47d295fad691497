#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "contract/digest.hpp"
#include "server/access/role.hpp"

/// API tokens: `ota_<id>_<secret>`, the id 8 characters that may be shown, the secret 32 random
/// bytes as 43 characters of base64url. Only the secret's SHA-256 is kept: it has 256 random bits,
/// so there is nothing that a slow hash would make slower.
/// Source  reference trust, section 14.
namespace otaria::server {

inline constexpr std::size_t token_id_characters = 8;
inline constexpr std::size_t token_secret_bytes = 32;
inline constexpr std::size_t token_secret_characters = 43;
inline constexpr std::int64_t default_token_days = 90;
inline constexpr std::int64_t most_token_days = 3650;
inline constexpr std::size_t longest_token_name = 64;

/// What the server keeps of a token.
struct ApiToken {
  std::string id;
  contract::Digest secret_sha256;  ///< of the secret's 43 characters
  Role role = Role::viewer;
  std::string product;                            ///< of agent-ci; empty otherwise
  std::string name;                               ///< free text for people
  std::string creator;                            ///< the actor who made it
  std::int64_t created_at = 0;                    ///< Unix seconds, as all times here
  std::int64_t expires_at = 0;                    ///< from then on it is refused
  std::optional<std::int64_t> last_used_at = {};  ///< written at most once a minute
  std::optional<std::int64_t> revoked_at = {};
  std::string person = {};  ///< who holds it, for the two-person rule; empty: not said
};

/// A token as its holder presents it. The views end with the text.
struct PresentedToken {
  std::string_view id, secret;
};

/// Nothing when the text has not the form of a token of ours.
std::optional<PresentedToken> parse_token(std::string_view text);

/// Compares in constant time.
bool matches(const ApiToken& token, std::string_view secret);

/// Whether it may be used at that second.
bool is_valid_at(const ApiToken& token, std::int64_t now);

/// True when `last_used_at` is so old that the use at `now` is worth a write.
bool use_is_worth_writing(const ApiToken& token, std::int64_t now);

/// `ota_<id>`: how logs, lists and the audit log name a token.
std::string shown_token(std::string_view id);

/// The text with the secret of every token in it masked: for what a client may have put into a path
/// by mistake.
std::string without_secrets(std::string text);

/// Random bytes for one token: the last eight choose the id.
using TokenEntropy = std::array<std::uint8_t, token_secret_bytes + token_id_characters>;

struct NewToken {
  ApiToken kept;     ///< id and secret_sha256 are set, the rest is the caller's
  std::string text;  ///< the only copy of the secret
};
NewToken make_token(const TokenEntropy& entropy);

/// From the random generator of OpenSSL. Throws CryptoError when it fails.
TokenEntropy random_token_entropy();

}  // namespace otaria::server
