#include "simulator/chip/provision.hpp"

#include <gmock/gmock.h>

#include "device/agent/testing/signing_desk.hpp"
#include "device/verify/golden_image.hpp"
#include "simulator/chip/boot.hpp"

namespace otaria::simulator {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint32_t megabyte = VirtualFlash::megabyte;

class ProvisionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(device::init_crypto()); }
};

std::string mac_of(const IdentityWish& wish, std::uint64_t seed = 1) {
  return std::string{make_identity(wish, 8 * megabyte, seed).mac.view()};
}
std::string id_of(const IdentityWish& wish) {
  return std::string{make_identity(wish, 8 * megabyte, 1).id.view()};
}
std::string refusal_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ProvisioningError& error) {
    return error.what();
  }
  return "accepted";
}
std::string refusal_of(const IdentityWish& wish) {
  return refusal_of([&] { make_identity(wish, 8 * megabyte, 1); });
}

TEST_F(ProvisionTest, TheIdComesFromTheMac) {
  EXPECT_EQ(id_of({.mac = "a4cf12e0a1b2"}), "sensor_A1B2");
  EXPECT_EQ(mac_of({.mac = "A4CF12E0A1B2"}), "a4cf12e0a1b2");
}

TEST_F(ProvisionTest, TheMacEndsInTheIdsDigitsAndIsLocallyAdministered) {
  EXPECT_THAT(mac_of({.id = "sensor_A1B2"}), StartsWith("02"));
  EXPECT_THAT(mac_of({.id = "sensor_A1B2"}), EndsWith("a1b2"));
  EXPECT_EQ(mac_of({.id = "sensor_A4CF12E0A1B2"}), "a4cf12e0a1b2");
  EXPECT_TRUE(contract::is_mac(mac_of({.id = "greenhouse-north"})));
  EXPECT_TRUE(contract::is_mac(mac_of({.id = "sensor_0123456789abcdef"})));
}

TEST_F(ProvisionTest, RandomMacsDifferBySeedAndRepeatWithIt) {
  EXPECT_NE(mac_of({}, 1), mac_of({}, 2));
  EXPECT_EQ(mac_of({}, 1), mac_of({}, 1));
}

TEST_F(ProvisionTest, DefaultsFollowTheFlash) {
  const auto identity = make_identity({}, 4 * megabyte, 1);
  EXPECT_EQ(identity.product.view(), "sensor");
  EXPECT_EQ(identity.hardware.view(), "esp32s3-4mb");
  EXPECT_EQ(identity.channel.view(), "stable");
  EXPECT_FALSE(identity.development);
}

TEST_F(ProvisionTest, WhatTheContractForbidsIsRefusedByName) {
  EXPECT_THAT(refusal_of(IdentityWish{.id = "sensor A1B2"}), HasSubstr("--id"));
  EXPECT_THAT(refusal_of(IdentityWish{.id = std::string(33, 'a')}), HasSubstr("--id"));
  EXPECT_THAT(refusal_of(IdentityWish{.mac = "a4:cf:12:e0:a1:b2"}), HasSubstr("--mac"));
  EXPECT_THAT(refusal_of(IdentityWish{.product = std::string(33, 'a')}), HasSubstr("--product"));
  EXPECT_THAT(refusal_of(IdentityWish{.hardware = "two words"}), HasSubstr("--hardware"));
  EXPECT_THAT(refusal_of(IdentityWish{.channel = "a\"b"}), HasSubstr("--channel"));
  EXPECT_THAT(refusal_of(IdentityWish{.app_version = "1.3"}), HasSubstr("--app-version"));
}

TEST_F(ProvisionTest, EverySizeBootsItsFactoryImageAndKnowsItself) {
  for (std::uint32_t size : {4 * megabyte, 8 * megabyte, 16 * megabyte}) {
    SCOPED_TRACE(testing::Message() << size << " bytes");
    auto flash = VirtualFlash::in_memory(size);
    const auto identity =
        make_identity({.id = "sensor_A1B2", .app_version = "1.3.0", .development = true}, size, 1);
    provision(flash, device::golden_image(), {identity, "trust"});
    const BootReport report = boot(flash);
    EXPECT_EQ(report.outcome, BootOutcome::started);
    const auto loaded = load_provisioned(flash, report.layout.layout.nvs);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->identity.id.view(), "sensor_A1B2");
    EXPECT_EQ(loaded->identity.provisioned_version.view(), "1.3.0");
    EXPECT_TRUE(loaded->identity.development);
    EXPECT_EQ(loaded->ca_pem, "trust");
  }
}

TEST_F(ProvisionTest, ADamagedTooLargeOrForeignFactoryImageIsRefused) {
  const Provisioned who{.identity = make_identity({.development = true}, 4 * megabyte, 1)};
  const auto refusal = [&](const device::Bytes& image) {
    auto flash = VirtualFlash::in_memory(4 * megabyte);
    return refusal_of([&] { provision(flash, image, who); });
  };
  auto image = device::golden_image();
  image[0x130] ^= 1;
  EXPECT_THAT(refusal(image), HasSubstr("bad_checksum"));
  image = device::golden_image();
  image[12] = 5;
  device::reseal(image, device::golden_digest_at);
  EXPECT_THAT(refusal(image), HasSubstr("wrong_chip"));
  image = device::golden_image();
  image.resize(300);
  EXPECT_THAT(refusal(image), HasSubstr("truncated"));
  EXPECT_THAT(refusal({}), HasSubstr("truncated"));
}

TEST_F(ProvisionTest, AProductionDeviceNeedsAKeyListThatItsOwnRootsHaveSigned) {
  device::testing::SigningDesk desk;
  const auto refusal = [](const std::string& key_list) {
    auto flash = VirtualFlash::in_memory(4 * megabyte);
    return refusal_of([&] {
      provision(flash,
                device::golden_image(),
                {.identity = make_identity({}, 4 * megabyte, 1), .key_list = key_list});
    });
  };
  const std::string good = desk.key_list({.root_threshold = 2, .signed_by = {0, 2}});
  EXPECT_EQ(refusal(good), "accepted");
  EXPECT_THAT(refusal(""), HasSubstr("--keylist"));
  EXPECT_THAT(refusal("<html>"), HasSubstr("no key list (not_compact_jws)"));
  EXPECT_THAT(refusal(good.substr(0, good.size() / 3)), HasSubstr("no key list"));
  EXPECT_THAT(refusal(desk.key_list({.root_threshold = 2})),
              HasSubstr("1 of its roots have signed it, 2 are needed"));
  std::string tampered = good;
  tampered[tampered.find('.') - 3] ^= 1;
  EXPECT_THAT(refusal(tampered), HasSubstr("--keylist"));
  const auto image = device::golden_image();
  EXPECT_THAT(refusal(desk.manifest({}, std::vector<std::uint8_t>(image.begin(), image.end()))),
              HasSubstr("wrong_type"));
}

}  // namespace
}  // namespace otaria::simulator
