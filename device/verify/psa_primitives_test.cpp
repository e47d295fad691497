#include "device/verify/psa_primitives.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "contract/trust/signed_file.hpp"
#include "contract/trust/testing/signed_examples.hpp"

namespace otaria::device {
namespace {

using contract::Algorithm;
using contract::Digest;
using Bytes = std::vector<std::uint8_t>;

Bytes decoded(std::string_view text) {
  Bytes bytes(text.size());
  const auto size = contract::base64url_decode(text, bytes);
  bytes.resize(size.value_or(0));
  return bytes;
}

// Order of P-256 (SEC 2, section 2.4.2).
const Bytes group_order = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                           0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                           0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

/// The known answer of reference trust, section 5.4, taken apart.
class PsaVerifierTest : public ::testing::Test {
 protected:
  PsaVerifierTest() {
    EXPECT_TRUE(init_crypto());
    const std::string& line = contract::testing::known_manifest;
    const std::size_t dot = line.rfind('.');
    PsaHasher hasher;
    hasher.update(std::string_view{line}.substr(0, dot));
    digest = hasher.finish();
    std::string_view text = std::string_view{line}.substr(dot + 1);
    signature = decoded(text.substr(0, text.find('\n')));
    key = decoded(contract::testing::known_public_key);
  }
  [[nodiscard]] bool verify() { return verifier.verify(Algorithm::es256, key, digest, signature); }

  PsaVerifier verifier;
  Bytes key;
  Bytes signature;
  Digest digest;
};

TEST_F(PsaVerifierTest, VerifiesTheKnownAnswer) {
  ASSERT_EQ(key.size(), contract::es256_public_key_bytes);
  ASSERT_EQ(signature.size(), contract::es256_signature_bytes);
  EXPECT_TRUE(verify());
  EXPECT_TRUE(verify());  // the key of the first call is gone and does not stand in the way
}

TEST_F(PsaVerifierTest, HashesTheKnownPayload) {
  contract::MemoryFile file{contract::testing::known_manifest};
  PsaHasher hasher;
  class Any final : public contract::SignatureVisitor {
   public:
    bool on_signature(const contract::SignatureLine&) override { return true; }
  } any;
  contract::PayloadPlace payload;
  std::array<std::uint8_t, 64> memory{};
  ASSERT_EQ(contract::read_signed_file(contract::manifest_kind, file, hasher, memory, any, payload),
            contract::SignedDefect::none);
  const auto hex = contract::hex_of(contract::digest_of_payload(file, payload, hasher));
  EXPECT_EQ(std::string(hex.data(), hex.size()), contract::testing::known_payload_sha256);
  EXPECT_EQ(contract::key_id_of(Algorithm::es256, key, hasher).view(),
            contract::testing::known_key_id);
}

TEST_F(PsaVerifierTest, RefusesEveryFlippedBitOfDigestAndSignature) {
  for (std::size_t bit = 0; bit < 256; bit += 3) {
    digest.bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify()) << "digest bit " << bit;
    digest.bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  for (std::size_t bit = 0; bit < 512; bit += 5) {
    signature[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify()) << "signature bit " << bit;
    signature[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  EXPECT_TRUE(verify());
}

// With a flipped bit the point is off the curve, or another key.
TEST_F(PsaVerifierTest, RefusesEveryFlippedBitOfTheKey) {
  for (std::size_t bit = 0; bit < 512; bit += 5) {
    key[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify()) << "key bit " << bit;
    key[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
}

TEST_F(PsaVerifierTest, RefusesSpecialPoints) {
  key.assign(64, 0x00);
  EXPECT_FALSE(verify());
  key.assign(64, 0xFF);
  EXPECT_FALSE(verify());
}

TEST_F(PsaVerifierTest, RefusesRAndSOutsideOneToOrderMinusOne) {
  const Bytes genuine = signature;
  for (const bool of_r : {true, false}) {
    for (const Bytes& value : {Bytes(32, 0x00), group_order, Bytes(32, 0xFF)}) {
      signature = genuine;
      std::copy(value.begin(), value.end(), signature.begin() + (of_r ? 0 : 32));
      EXPECT_FALSE(verify()) << (of_r ? "r " : "s ") << int{value.front()};
    }
  }
  signature.assign(64, 0x00);
  EXPECT_FALSE(verify());
}

TEST_F(PsaVerifierTest, RefusesEveryOtherLength) {
  for (std::size_t length = 0; length <= 130; ++length) {
    if (length == 64) continue;
    Bytes other = signature;
    other.resize(length);
    EXPECT_FALSE(verifier.verify(Algorithm::es256, key, digest, other)) << length;
    other = key;
    other.resize(length);
    EXPECT_FALSE(verifier.verify(Algorithm::es256, other, digest, signature)) << length;
  }
  Bytes with_prefix{0x04};
  with_prefix.insert(with_prefix.end(), key.begin(), key.end());
  EXPECT_FALSE(verifier.verify(Algorithm::es256, with_prefix, digest, signature));
}

TEST_F(PsaVerifierTest, AgreesWithOpenSslOnSignaturesGoodAndBad) {
  crypto::OpenSslVerifier other;
  for (int round = 0; round < 12; ++round) {
    auto pair = crypto::PrivateKey::generate(Algorithm::es256);
    digest.bytes[0] = static_cast<std::uint8_t>(round);
    Bytes made = pair.sign(digest);
    const Bytes& point = pair.public_key().bytes;
    EXPECT_TRUE(verifier.verify(Algorithm::es256, point, digest, made));
    made[static_cast<std::size_t>(round) * 5] ^= 0x10;
    EXPECT_FALSE(verifier.verify(Algorithm::es256, point, digest, made));
    EXPECT_FALSE(other.verify(Algorithm::es256, point, digest, made));
  }
}

// A signature of an algorithm that is not built in proves nothing; one that is must be right.
TEST_F(PsaVerifierTest, TakesPs256OnlyWhereItIsBuiltIn) {
  auto pair = crypto::PrivateKey::generate(Algorithm::ps256);
  Bytes made = pair.sign(digest);
  const Bytes& der = pair.public_key().bytes;
  const bool built_in = verifier.supports(Algorithm::ps256);
  EXPECT_EQ(verifier.verify(Algorithm::ps256, der, digest, made), built_in);
  made[100] ^= 1;
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, der, digest, made));
  EXPECT_FALSE(verifier.verify(Algorithm::es256, der, digest, made));
}

}  // namespace
}  // namespace otaria::device
