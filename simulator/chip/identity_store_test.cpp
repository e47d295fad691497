#include "simulator/chip/identity_store.hpp"

#include <gtest/gtest.h>

#include "simulator/chip/virtual_flash.hpp"

namespace otaria::simulator {
namespace {

Provisioned example() {
  Provisioned provisioned;
  provisioned.identity.id.assign("sensor_A1B2");
  provisioned.identity.mac.assign("a4cf12e0a1b2");
  provisioned.identity.product.assign("sensor");
  provisioned.identity.hardware.assign("esp32s3-8mb");
  provisioned.identity.channel.assign("beta");
  provisioned.identity.development = true;
  provisioned.identity.provisioned_version.assign("1.3.0");
  provisioned.identity.plain_http = true;
  provisioned.ca_pem = "-----BEGIN CERTIFICATE-----";
  provisioned.key_list = "header.payload.signature\n";
  provisioned.claim = "one-time-secret";
  provisioned.client_certificate = "-----BEGIN CERTIFICATE----- client";
  provisioned.client_key = "-----BEGIN PRIVATE KEY-----";
  return provisioned;
}

/// The stored bytes with a member's text replaced by one of the same length, and the CRC put right.
std::vector<std::uint8_t> with(const std::string& old_text, const std::string& new_text) {
  auto bytes = encode(example());
  const auto at = std::search(bytes.begin(), bytes.end(), old_text.begin(), old_text.end());
  std::copy(new_text.begin(), new_text.end(), at);
  bytes.erase(bytes.end() - 4, bytes.end());
  std::uint32_t crc = 0xFFFFFFFF;  // the usual CRC-32, written out as a second opinion
  for (std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
  }
  crc = ~crc;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(crc >> (8 * i)));
  return bytes;
}

TEST(IdentityStore, WhatIsStoredIsLoaded) {
  auto flash = VirtualFlash::in_memory(VirtualFlash::megabyte);
  const device::Region nvs{0x9000, 0x5000};
  ASSERT_TRUE(store(flash, nvs, example()));
  const auto loaded = load_provisioned(flash, nvs);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->identity.id, example().identity.id);
  EXPECT_EQ(loaded->identity.mac, example().identity.mac);
  EXPECT_EQ(loaded->identity.product, example().identity.product);
  EXPECT_EQ(loaded->identity.hardware, example().identity.hardware);
  EXPECT_EQ(loaded->identity.channel, example().identity.channel);
  EXPECT_EQ(loaded->identity.provisioned_version, example().identity.provisioned_version);
  EXPECT_TRUE(loaded->identity.development);
  EXPECT_TRUE(loaded->identity.plain_http);
  EXPECT_EQ(loaded->ca_pem, example().ca_pem);
  EXPECT_EQ(loaded->key_list, example().key_list);
  EXPECT_EQ(loaded->claim, example().claim);
  EXPECT_EQ(loaded->client_certificate, example().client_certificate);
  EXPECT_EQ(loaded->client_key, example().client_key);
}

TEST(IdentityStore, PlainHttpIsOffUnlessItWasProvisioned) {
  EXPECT_FALSE(decode_provisioned(with("allowed", "Allowed"))->identity.plain_http);
  auto provisioned = example();
  provisioned.identity.plain_http = false;
  EXPECT_FALSE(decode_provisioned(encode(provisioned))->identity.plain_http);
}

TEST(IdentityStore, AnyModeButDevelopmentIsProduction) {
  ASSERT_TRUE(decode_provisioned(with("development", "development")));
  EXPECT_TRUE(decode_provisioned(with("development", "development"))->identity.development);
  EXPECT_FALSE(decode_provisioned(with("development", "Development"))->identity.development);
  EXPECT_FALSE(
      decode_provisioned(with("development", std::string(11, '\0')))->identity.development);
}

TEST(IdentityStore, AnIllegalIdOrMacIsNoIdentity) {
  EXPECT_FALSE(decode_provisioned(with("sensor_A1B2", "sensor/A1B2")));
  EXPECT_FALSE(decode_provisioned(with("a4cf12e0a1b2", "A4CF12E0A1B2")));
}

TEST(IdentityStore, EveryFlippedBitIsNoticed) {
  const auto bytes = encode(example());
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    auto damaged = bytes;
    damaged[i / 8] ^= static_cast<std::uint8_t>(1u << (i % 8));
    EXPECT_FALSE(decode_provisioned(damaged)) << "bit " << i;
  }
}

TEST(IdentityStore, EveryTruncationIsNoticed) {
  const auto bytes = encode(example());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_provisioned(std::span{bytes}.first(length))) << length;
  }
}

TEST(IdentityStore, AnErasedPartitionHoldsNoIdentity) {
  EXPECT_FALSE(decode_provisioned(std::vector<std::uint8_t>(0x5000, 0xFF)));
}

TEST(IdentityStore, TrustAnchorsThatDoNotFitAreRefused) {
  auto flash = VirtualFlash::in_memory(VirtualFlash::megabyte);
  auto provisioned = example();
  provisioned.ca_pem.assign(0x5000, 'x');
  EXPECT_FALSE(store(flash, {0x9000, 0x5000}, provisioned));
  provisioned.ca_pem.assign(0x10000, 'x');
  EXPECT_FALSE(store(flash, {0x9000, 0x20000}, provisioned));
  provisioned = example();
  provisioned.client_key.assign(0x10000, 'x');
  EXPECT_FALSE(store(flash, {0x9000, 0x20000}, provisioned));
  provisioned = example();
  provisioned.claim.assign(0x10000, 'x');
  EXPECT_FALSE(store(flash, {0x9000, 0x20000}, provisioned));
}

}  // namespace
}  // namespace otaria::simulator
