#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/digest.hpp"

/// What trust needs of cryptography, as ports: the formats are read by one code everywhere, only
/// the primitives differ (PSA on devices, OpenSSL on hosts).
namespace otaria::contract {

/// Signature algorithms by their JOSE names (RFC 7518, section 3).
enum class Algorithm : std::uint8_t {
  es256,  ///< ECDSA, P-256, SHA-256; signatures are r || s, 64 bytes
  ps256,  ///< RSASSA-PSS, SHA-256, salt of 32 bytes, MGF1 with SHA-256; modulus of 3,072 bits
};

inline constexpr std::array<std::string_view, 2> algorithm_names{"ES256", "PS256"};

constexpr std::string_view name_of(Algorithm algorithm) {
  return algorithm_names[static_cast<std::size_t>(algorithm)];
}
constexpr std::optional<Algorithm> algorithm_from(std::string_view name) {
  for (std::size_t i = 0; i < algorithm_names.size(); ++i) {
    if (algorithm_names[i] == name) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

inline constexpr std::size_t es256_public_key_bytes = 64;  ///< X || Y
inline constexpr std::size_t es256_signature_bytes = 64;
/// PKCS#1 DER of a key with a modulus of 3,072 bits and an exponent of at most 4 bytes.
inline constexpr std::size_t largest_public_key_bytes = 400;
inline constexpr std::size_t largest_signature_bytes = 384;

/// What a key may sign. A key has one role.
enum class KeyRole : std::uint8_t { root, release, order };

inline constexpr std::array<std::string_view, 3> key_role_names{"root", "release", "order"};

constexpr std::string_view name_of(KeyRole role) {
  return key_role_names[static_cast<std::size_t>(role)];
}
constexpr std::optional<KeyRole> key_role_from(std::string_view name) {
  for (std::size_t i = 0; i < key_role_names.size(); ++i) {
    if (key_role_names[i] == name) return static_cast<KeyRole>(i);
  }
  return std::nullopt;
}

/// SHA-256 over bytes that arrive in pieces.
class Hasher {
 public:
  virtual void update(std::span<const std::uint8_t> bytes) = 0;
  /// The digest of everything since the start or the last finish(); then it starts anew.
  virtual Digest finish() = 0;
  void update(std::string_view text) {
    update(std::span{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

 protected:
  ~Hasher() = default;
};

/// Checks one signature.
class SignatureVerifier {
 public:
  [[nodiscard]] virtual bool supports(Algorithm algorithm) const = 0;
  /// Whether `signature` is one over the SHA-256 `digest` by the private half of `public_key`
  /// (ES256: X || Y, 64 bytes; PS256: PKCS#1 DER). False too for a key or signature that is
  /// malformed, a point off the curve included.
  virtual bool verify(Algorithm algorithm,
                      std::span<const std::uint8_t> public_key,
                      const Digest& digest,
                      std::span<const std::uint8_t> signature) = 0;

 protected:
  ~SignatureVerifier() = default;
};

}  // namespace otaria::contract
