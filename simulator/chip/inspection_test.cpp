#include "simulator/chip/inspection.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "device/agent/testing/signing_desk.hpp"
#include "device/journal/ledger.hpp"
#include "device/verify/golden_image.hpp"
#include "simulator/chip/provision.hpp"

namespace otaria::simulator {
namespace {

using testing::HasSubstr;

class InspectionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(device::init_crypto()); }

  void make(IdentityWish wish,
            const device::Bytes& image = device::golden_image(),
            const std::string& key_list = "") {
    wish.development = key_list.empty();
    provision(
        flash_, image, {.identity = make_identity(wish, flash_.size(), 1), .key_list = key_list});
    layout_ = device::read_layout(flash_).layout;
  }
  /// As the agent writes it down.
  void journal_says(std::uint32_t slot,
                    const device::Bytes& image,
                    std::string_view version,
                    bool confirmed) {
    std::array<std::uint8_t, device::Journal::work_bytes> work{};
    device::Journal journal{flash_, layout_.journal.base, layout_.journal.bytes, work};
    device::Ledger ledger{journal};
    ASSERT_TRUE(ledger.open(1));
    device::SlotContent content;
    content.known = true;
    content.confirmed = confirmed;
    content.digest = device::sha256_of(image);
    content.bytes = static_cast<std::uint32_t>(image.size());
    content.version.assign(version);
    ASSERT_TRUE(ledger.set_slot(slot, content));
  }
  std::string version() { return version_of_slot(flash_, layout_, 0); }

  VirtualFlash flash_ = VirtualFlash::in_memory(8 * VirtualFlash::megabyte);
  device::Layout layout_;
};

TEST_F(InspectionTest, WithoutBetterKnowledgeAnImageIsWhatItsDescriptorSays) {
  make({});
  EXPECT_EQ(version(), "1.2.3");
}

TEST_F(InspectionTest, TheProvisionedVersionComesBeforeTheDescriptors) {
  make({.app_version = "1.3.0"});
  EXPECT_EQ(version(), "1.3.0");
}

TEST_F(InspectionTest, TheJournalsVersionComesBeforeAll) {
  make({.app_version = "1.3.0"});
  journal_says(0, device::golden_image(), "1.4.0", true);
  EXPECT_EQ(version(), "1.4.0");
}

TEST_F(InspectionTest, TheJournalsVersionOfAnotherImageDoesNotCount) {
  make({.app_version = "1.3.0"});
  journal_says(0, {1, 2, 3}, "1.4.0", true);
  EXPECT_EQ(version(), "1.3.0");
}

TEST_F(InspectionTest, ADescriptorThatIsNoSemverCountsForNothing) {
  auto image = device::golden_image();
  device::put_text(image, 0x20 + 16, "v4.4.7 38eeba213a");
  device::reseal(image, device::golden_digest_at);
  make({}, image);
  EXPECT_EQ(version(), "0.0.0");
}

TEST_F(InspectionTest, ASignatureSectorBelongsToTheFile) {
  make({}, device::signed_golden_image());
  const auto slot = inspect_slot(flash_, layout_, 0);
  EXPECT_EQ(slot.image_bytes, 8192u);
  EXPECT_EQ(slot.digest, device::sha256_of(device::signed_golden_image()));
}

TEST_F(InspectionTest, LookingChangesNothing) {
  make({});
  const auto before = flash_.counters().operations;
  EXPECT_EQ(inspect_device(flash_).next.outcome, BootOutcome::started);
  EXPECT_EQ(flash_.counters().operations, before);
}

TEST_F(InspectionTest, JsonTellsWhatTheNextStartRuns) {
  make({.id = "sensor_A1B2", .app_version = "1.3.0", .development = true});
  const auto json = nlohmann::json::parse(to_json(inspect_device(flash_)));
  EXPECT_EQ(json["id"], "sensor_A1B2");
  EXPECT_EQ(json["mode"], "development");
  EXPECT_EQ(json["version"], "1.3.0");
  EXPECT_EQ(json["slot"], "ota_0");
  EXPECT_EQ(json["confirmed"], true);
  EXPECT_EQ(json["image"].get<std::string>().size(), 64u);
  EXPECT_EQ(json["slots"][1]["valid"], false);
  EXPECT_EQ(json["records"][0], nullptr);
}

TEST_F(InspectionTest, AProductionDeviceThatNeverRanShowsTheKeyListItWillJudgeBy) {
  device::testing::SigningDesk desk;
  make({.id = "sensor_A1B2"},
       device::golden_image(),
       desk.key_list({.serial = 3, .floor = {{"sensor", 7}, {"other", 9}}}));
  const auto json = nlohmann::json::parse(to_json(inspect_device(flash_)));
  EXPECT_EQ(json["mode"], "production");
  EXPECT_EQ(json["plain_http"], false);
  EXPECT_EQ(json["keys"], 3);
  EXPECT_EQ(json["security_counter"], 7);
  EXPECT_THAT(to_text(inspect_device(flash_)),
              HasSubstr("key list 3, security counter at least 7"));
}

TEST_F(InspectionTest, TheClaimIsNeverShown) {
  provision(
      flash_,
      device::golden_image(),
      {.identity = make_identity({.development = true}, flash_.size(), 1), .claim = "very-secret"});
  const auto inspection = inspect_device(flash_);
  EXPECT_EQ(to_json(inspection).find("very-secret"), std::string::npos);
  EXPECT_EQ(to_text(inspection).find("very-secret"), std::string::npos);
  EXPECT_THAT(to_text(inspection), HasSubstr("no key list"));
}

TEST_F(InspectionTest, AnImageOnTrialIsNotConfirmed) {
  make({});
  ASSERT_TRUE(flash_.write(layout_.slot[1].base, device::golden_image()));
  ASSERT_TRUE(device::write_boot_record(
      flash_, layout_.otadata.base, {0, device::make_boot_record(1, device::BootState::valid)}));
  ASSERT_TRUE(device::write_boot_record(
      flash_, layout_.otadata.base, {1, device::make_boot_record(2, device::BootState::fresh)}));
  const auto json = nlohmann::json::parse(to_json(inspect_device(flash_)));
  EXPECT_EQ(json["slot"], "ota_1");
  EXPECT_EQ(json["on_trial"], true);
  EXPECT_EQ(json["confirmed"], false);
  EXPECT_THAT(to_text(inspect_device(flash_)), HasSubstr("seq 2 -> ota_1, new"));
}

TEST_F(InspectionTest, AnErasedChipIsDescribedToo) {
  const auto json = nlohmann::json::parse(to_json(inspect_device(flash_)));
  EXPECT_EQ(json["bootable"], false);
  EXPECT_THAT(to_text(inspect_device(flash_)), HasSubstr("no partition table"));
}

}  // namespace
}  // namespace otaria::simulator
