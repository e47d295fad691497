#include "server/registry/preflight.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

Device device() {
  Device device;
  device.id = "sensor_A1B2";
  device.product = "sensor";
  device.hardware = "esp32s3-8mb";
  device.chip = "esp32s3";
  device.version = "1.3.0";
  device.mode = "development";
  device.max_image = 3342336;
  return device;
}

Release release() {
  Release release;
  release.id = "01JD0000000000000000000001";
  release.product = "sensor";
  release.version = "1.4.0";
  release.chip = "esp32s3";
  release.size = 1000000;
  return release;
}

std::string code(const Release& offered,
                 const Device& to,
                 bool only_newer = false,
                 const TrustFacts& trust = {}) {
  const auto refusal = preflight(offer_of(offered), to, only_newer, trust);
  return refusal ? refusal->code : "fits";
}

Release signed_release(std::uint32_t security_counter = 3) {
  Release signed_one = release();
  signed_one.manifest = ReleaseManifest{.id = signed_one.id, .security_counter = security_counter};
  return signed_one;
}

Device production_device() {
  Device one = device();
  one.mode = "production";
  one.channel = "stable";
  one.security_counter = 3;
  one.keys = 2;
  return one;
}

TEST(Preflight, PassesWhatFits) {
  EXPECT_EQ(code(release(), device(), true), "fits");
}

TEST(Preflight, NamesWhatDoesNotFit) {
  Release other = release();
  other.chip = "esp32c3";
  EXPECT_EQ(code(other, device()), "wrong_chip");
  other = release();
  other.size = 3342337;
  EXPECT_EQ(code(other, device()), "too_large");
  other.size = 3342336;
  EXPECT_EQ(code(other, device()), "fits");
  other = release();
  other.product = "gateway";
  EXPECT_EQ(code(other, device()), "wrong_product");
  other = release();
  other.hardware = {"esp32s3-4mb"};
  EXPECT_EQ(code(other, device()), "wrong_hardware");
  other.hardware = {"esp32s3-4mb", "esp32s3-8mb"};
  EXPECT_EQ(code(other, device()), "fits");
}

TEST(Preflight, AProductionDeviceNeedsAManifest) {
  Device production = device();
  production.mode = "production";
  EXPECT_EQ(code(release(), production), "manifest_required");
  EXPECT_EQ(code(signed_release(), production), "fits");
}

TEST(Preflight, AManifestForAnotherChannelDoesNotFit) {
  Release beta = signed_release();
  beta.manifest->channel = "beta";
  EXPECT_EQ(code(beta, production_device()), "wrong_channel");
  beta.manifest->channel = "stable";
  EXPECT_EQ(code(beta, production_device()), "fits");
  beta.manifest->channel = "";
  EXPECT_EQ(code(beta, production_device()), "fits");
}

TEST(Preflight, ASteppingStoneIsAskedForWhateverTheOrderOfVersions) {
  Release stepped = signed_release();
  stepped.manifest->min_version = "1.3.1";
  EXPECT_EQ(code(stepped, production_device(), false), "step_required");
  stepped.manifest->min_version = "1.3.0";
  EXPECT_EQ(code(stepped, production_device(), false), "fits");
}

TEST(Preflight, TheSecurityCounterMayStayOrRiseByAtMost256) {
  EXPECT_EQ(code(signed_release(2), production_device()), "security_counter");
  EXPECT_EQ(code(signed_release(3), production_device()), "fits");
  EXPECT_EQ(code(signed_release(3 + 256), production_device()), "fits");
  EXPECT_EQ(code(signed_release(3 + 257), production_device()), "security_counter");
}

TEST(Preflight, TheKeyListsFloorCountsLikeTheDevicesCounter) {
  EXPECT_EQ(code(signed_release(4), production_device(), false, {.floor = 5}), "security_counter");
  EXPECT_EQ(code(signed_release(5), production_device(), false, {.floor = 5}), "fits");
}

// A thief's counter was confirmed; the roots have begun a new epoch to take it back.
TEST(Preflight, ANewEpochTakesBackADevicesCounter) {
  Device poisoned = production_device();
  poisoned.security_counter = 250;
  EXPECT_EQ(code(signed_release(4), poisoned, false, {.floor = 3, .epoch_since = 3}), "fits");
  poisoned.keys = 3;  // it has taken the list already, so 250 was confirmed since
  EXPECT_EQ(code(signed_release(4), poisoned, false, {.floor = 3, .epoch_since = 3}),
            "security_counter");
}

TEST(Preflight, ADevelopmentDeviceIsNotHeldToAManifest) {
  Release stepped = signed_release(0);
  stepped.manifest->min_version = "9.0.0";
  stepped.manifest->channel = "beta";
  Device bench = production_device();
  bench.mode = "development";
  EXPECT_EQ(code(stepped, bench), "fits");
}

TEST(Preflight, OnlyOnRequestAsksWhetherTheVersionIsNewer) {
  Release same = release();
  same.version = "1.3.0";
  EXPECT_EQ(code(same, device(), false), "fits");
  EXPECT_EQ(code(same, device(), true), "not_newer");
  same.version = "1.4.0-rc.1";
  EXPECT_EQ(code(same, device(), true), "fits");
}

TEST(Preflight, HoldsNothingAgainstADeviceThatNeverSaidWhatItIs) {
  Device unknown;
  unknown.id = "sensor_0001";
  Release picky = release();
  picky.hardware = {"esp32s3-4mb"};
  EXPECT_EQ(code(picky, unknown, true), "fits");
}

TEST(BuildFor, PicksTheBuildThatNamesTheDevicesHardware) {
  Release any = release();
  Release exact = release();
  exact.id = "exact";
  exact.hardware = {"esp32s3-8mb"};
  Release other = release();
  other.hardware = {"esp32s3-4mb"};
  EXPECT_EQ(build_for({any, exact, other}, device()).value().id, "exact");
  EXPECT_EQ(build_for({any, other}, device()).value().id, any.id);
}

TEST(BuildFor, PrefersTheDevicesProduct) {
  Release gateway = release();
  gateway.product = "gateway";
  EXPECT_EQ(build_for({gateway, release()}, device()).value().product, "sensor");
}

TEST(BuildFor, RefusesToGuess) {
  EXPECT_EQ(build_for({}, device()).refusal().code, "unknown_release");
  Release twin = release();
  twin.id = "twin";
  EXPECT_EQ(build_for({release(), twin}, device()).refusal().code, "ambiguous_release");
  Release first = release();
  first.hardware = {"a"};
  Release second = release();
  second.hardware = {"b"};
  EXPECT_EQ(build_for({first, second}, device()).refusal().code, "wrong_hardware");
}

TEST(BuildFor, TheOnlyBuildIsLeftToThePreflightToJudge) {
  Release only = release();
  only.hardware = {"esp32s3-4mb"};
  EXPECT_TRUE(build_for({only}, device()));
}

}  // namespace
}  // namespace otaria::server
