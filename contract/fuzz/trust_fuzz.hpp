#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/judgement.hpp"
#include "contract/trust/key_list.hpp"

/// What the fuzz targets of contract/trust share.
namespace otaria::contract {

/// Believes every signature: the fuzzer cannot make any, and what lies behind them is to be
/// reached.
class Believer final : public SignatureVerifier {
 public:
  [[nodiscard]] bool supports(Algorithm algorithm) const override {
    return algorithm == Algorithm::es256;
  }
  bool verify(Algorithm,
              std::span<const std::uint8_t>,
              const Digest&,
              std::span<const std::uint8_t>) override {
    return true;
  }
};

/// A public key of bytes that are all `fill`, as a key list names it.
inline std::string listed_key(std::uint8_t fill, std::string_view role) {
  std::array<std::uint8_t, es256_public_key_bytes> point{};
  point.fill(fill);
  crypto::Sha256Hasher hasher;
  const KeyId id = key_id_of(Algorithm::es256, point, hasher);
  return R"({"alg":"ES256","kid":")" + std::string{id.view()} + R"(","pub":")" +
         crypto::base64url(point) + R"(","roles":[")" + std::string{role} + R"("]})";
}

/// A list of two roots (1, 2) and two release keys (3, 4), as a signed file with one line by
/// root 1.
inline std::string list_of_two_roots(std::uint32_t serial) {
  std::array<std::uint8_t, es256_public_key_bytes> point{};
  point.fill(1);
  crypto::Sha256Hasher hasher;
  const std::string id{key_id_of(Algorithm::es256, point, hasher).view()};
  const std::string payload =
      R"({"epoch":0,"expires":1853072000,"floor":{"sensor":3},"fmt":1,"issued":1790000000,"keys":[)" +
      listed_key(1, "root") + ',' + listed_key(2, "root") + ',' + listed_key(3, "release") + ',' +
      listed_key(4, "release") + R"(],"serial":)" + std::to_string(serial) +
      R"(,"threshold":{"release":1,"root":1}})";
  const std::string header = R"({"alg":"ES256","kid":")" + id + R"(","typ":"otaria-keys+jws"})";
  return crypto::base64url(header) + '.' + crypto::base64url(payload) + ".AAAA\n";
}

}  // namespace otaria::contract
