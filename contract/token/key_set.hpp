#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contract/trust/primitives.hpp"

namespace otaria::token {

/// Public keys of the token issuer, read from a JSON Web Key Set.
///
/// Takes    keys of `kty` EC, `crv` P-256 with a `kid`, `use` sig and `alg` ES256 where they stand
///          there. Other keys are passed over: a set may hold more than we can use.
/// Refuses  the whole set when it is not JSON of our profile, holds no usable key, names a `kid`
///          twice, has a point that is not on the curve, or a private member (`d`, `k`): then
///          somebody has published a secret.
/// Source   RFC 7517; RFC 7518, section 6.2; reference broker authentication, section 8.3.
class KeySet {
 public:
  static constexpr std::size_t max_keys = 16;
  static constexpr std::size_t max_bytes = std::size_t{64} * 1024;
  static constexpr std::size_t longest_key_id = 64;

  struct Reading;
  /// Never throws but for want of memory.
  static Reading parse(std::string_view json);

  /// X || Y of the key, or nothing. Valid as long as the set.
  [[nodiscard]] std::optional<std::span<const std::uint8_t>> find(std::string_view key_id) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

 private:
  friend class KeySetReader;
  struct Key {
    std::string id;
    std::array<std::uint8_t, contract::es256_public_key_bytes> point{};
  };
  std::vector<Key> keys_;
};

/// A set, or why there is none.
struct KeySet::Reading {
  std::optional<KeySet> keys;
  std::string error;  ///< one sentence for a log; empty with keys
};

}  // namespace otaria::token
