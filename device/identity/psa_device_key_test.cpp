#include "device/identity/psa_device_key.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "contract/openssl/crypto.hpp"
#include "device/verify/sha256.hpp"

namespace otaria::device {
namespace {

class PsaDeviceKeyTest : public ::testing::Test {
 protected:
  PsaDeviceKeyTest() { EXPECT_TRUE(init_crypto()); }
};

TEST_F(PsaDeviceKeyTest, SignsWhatOpenSslVerifies) {
  const auto scalar = PsaDeviceKey::generate();
  ASSERT_TRUE(scalar.has_value());
  PsaDeviceKey key{*scalar};
  std::array<std::uint8_t, DeviceKey::public_bytes> half{};
  std::array<std::uint8_t, DeviceKey::signature_bytes> signature{};
  const contract::Digest digest = crypto::sha256("text");
  ASSERT_TRUE(key.public_key(half));
  ASSERT_TRUE(key.sign(digest, signature));
  crypto::OpenSslVerifier verifier;
  EXPECT_TRUE(verifier.verify(contract::Algorithm::es256, half, digest, signature));
}

TEST_F(PsaDeviceKeyTest, MakesAnotherKeyEachTime) {
  EXPECT_NE(PsaDeviceKey::generate(), PsaDeviceKey::generate());
}

TEST_F(PsaDeviceKeyTest, WhatIsNoScalarIsNoKey) {
  const std::vector<std::vector<std::uint8_t>> none{{},
                                                    std::vector<std::uint8_t>(31, 1),
                                                    std::vector<std::uint8_t>(32, 0),
                                                    std::vector<std::uint8_t>(32, 0xFF)};
  for (const auto& scalar : none) {
    PsaDeviceKey key{scalar};
    std::array<std::uint8_t, DeviceKey::public_bytes> half{};
    std::array<std::uint8_t, DeviceKey::signature_bytes> signature{};
    EXPECT_FALSE(key.public_key(half));
    EXPECT_FALSE(key.sign({}, signature));
  }
}

}  // namespace
}  // namespace otaria::device
