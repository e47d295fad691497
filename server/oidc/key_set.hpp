#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "contract/openssl/crypto.hpp"
#include "server/registry/refusal.hpp"

namespace otaria::server::oidc {

/// An RSA key for RS256 (RSASSA-PKCS1-v1_5 with SHA-256). Copies share the key.
class RsaKey {
 public:
  /// `n` and `e` big-endian. Nothing for a modulus below 2,048 or above 4,096 bits, an even
  /// exponent, or one that is none.
  static std::optional<RsaKey> from(const std::string& n, const std::string& e);
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

 private:
  explicit RsaKey(std::shared_ptr<void> key) : key_{std::move(key)} {}
  std::shared_ptr<void> key_;  ///< EVP_PKEY
};

/// A key of an OpenID provider. What kind of key it is decides on the algorithm; what a token says
/// of its own algorithm must agree, and chooses nothing (RFC 8725, section 3.1).
struct ProviderKey {
  std::string id;  ///< `kid`
  std::variant<crypto::PublicKey, RsaKey> key;
  [[nodiscard]] std::string_view algorithm() const;  ///< `ES256` or `RS256`
  /// Whether `signature` (raw bytes) is one over the text.
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;
};

inline constexpr std::size_t most_keys = 32;
inline constexpr std::size_t largest_key_set_bytes = std::size_t{64} * 1024;

/// The keys of a JWK Set that can sign tokens: P-256 and RSA, with a `kid`, not meant for
/// encryption and of no other `alg`. Others are left out, as RFC 7517, section 5 wants.
/// Errors  bad_request: no JWK Set, too large, or not one such key in it.
Outcome<std::vector<ProviderKey>> key_set_from(std::string_view text);

}  // namespace otaria::server::oidc
