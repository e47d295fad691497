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

std::string code(const Release& offered, const Device& to, bool only_newer = false) {
  const auto refusal = preflight(offer_of(offered), to, only_newer);
  return refusal ? refusal->code : "fits";
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
  Offer signed_offer = offer_of(release());
  signed_offer.has_manifest = true;
  EXPECT_FALSE(preflight(signed_offer, production, false));
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
