#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/agent/testing/bench_device.hpp"
#include "device/bootloader/selection.hpp"

/// The life of one update, end to end on the bench device.
namespace otaria::device::testing {
namespace {

using contract::UpdateState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* id = R"("update":"01JD8Z6T9K3M5Q7S9V1X3Z5B7D")";
constexpr const char* update = "01JD8Z6T9K3M5Q7S9V1X3Z5B7D";

std::string fault_of_last(const BenchDevice& device) {
  const auto status = device.last_status();
  return status.error ? status.error->code : "";
}

TEST(Update, PassesEveryStateInOrderAndEndsConfirmed) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until(
      [&] { return device.running() == "1.4.0" && device.agent->step() == Step::idle; }));
  device.settle();
  EXPECT_THAT(
      device.states(update),
      ElementsAre(
          "received", "downloading", "verifying", "installed", "rebooting", "trial", "succeeded"));
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.last_state().confirmed, true);
  EXPECT_EQ(device.last_state().slot, "ota_1");
  EXPECT_FALSE(device.flash.rule_broken());
}

TEST(Update, SucceededIsNeverSaidBeforeTheBootRecordIsConfirmedInFlash) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] {
    return !device.statuses().empty() && device.last_status().state == UpdateState::succeeded;
  }));
  const auto records = read_boot_records(device.flash, 0xE000);
  ASSERT_TRUE(static_cast<bool>(records));
  const auto active = active_copy(records.value());
  ASSERT_TRUE(active.has_value());
  EXPECT_EQ(records.value()[*active].state, BootState::valid);
  EXPECT_EQ(slot_of(records.value()[*active].seq, 2), 1U);
}

TEST(Update, StateIsPublishedWithTheDigestOfTheFileAndTheOutcome) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.4.0");
  device.broker.offer(device.publish("1.4.0", image, id));
  device.settle();
  const auto state = device.last_state();
  EXPECT_EQ(state.image, hex(sha256_of(image)));
  EXPECT_EQ(state.version, "1.4.0");
  EXPECT_EQ(state.mode, "development");
  EXPECT_EQ(state.max_image, BenchDevice::slot_bytes);
  ASSERT_TRUE(state.last.has_value());
  EXPECT_EQ(state.last->update, update);
  EXPECT_EQ(state.last->state, UpdateState::succeeded);
  EXPECT_EQ(state.last->seq, device.last_status().seq);
}

TEST(Update, ThreeFieldNoticeIsNamedByItsDigestAndHasNoUpdateMember) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0")));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  for (const auto& status : device.statuses()) EXPECT_FALSE(status.update.has_value());
  EXPECT_EQ(device.last_status().state, UpdateState::succeeded);
}

TEST(Update, NotNewerIsRefusedWithoutFetchingAnything) {
  BenchDevice device;
  device.broker.offer(device.publish("1.2.9", BenchDevice::image("1.2.9"), id));
  device.settle();
  EXPECT_THAT(device.states(update), ElementsAre("received", "refused"));
  EXPECT_EQ(fault_of_last(device), "not_newer");
  EXPECT_THAT(device.server.asked, IsEmpty());
  EXPECT_EQ(device.running(), "1.3.0");
}

TEST(Update, SameVersionWithAnotherDigestUnforcedIsNotNewer) {
  BenchDevice device;
  device.broker.offer(device.publish("1.3.0", BenchDevice::image("1.3.0", 50000), id));
  device.settle();
  EXPECT_EQ(fault_of_last(device), "not_newer");
}

TEST(Update, ForcedOlderVersionInstalls) {
  BenchDevice device;
  device.broker.offer(
      device.publish("1.2.0", BenchDevice::image("1.2.0"), std::string(id) + R"(,"force":true)"));
  device.settle();
  EXPECT_EQ(device.running(), "1.2.0");
  EXPECT_EQ(device.last_status().state, UpdateState::succeeded);
}

TEST(Update, DigestAlreadyRunningAnswersReceivedAndSucceeded) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.3.0");
  device.broker.offer(device.publish("1.3.0", image, id));
  device.settle();
  EXPECT_THAT(device.states(update), ElementsAre("received", "succeeded"));
  EXPECT_THAT(device.server.asked, IsEmpty());
}

TEST(Update, ImageTooLargeForTheSlotIsRefusedByTheAnnouncedSize) {
  BenchDevice device;
  device.broker.offer(
      device.publish("1.4.0", BenchDevice::image("1.4.0"), std::string(id) + R"(,"size":200000)"));
  device.settle();
  EXPECT_THAT(device.states(update), ElementsAre("received", "refused"));
  EXPECT_EQ(fault_of_last(device), "too_large");
}

TEST(Update, ImageThatTurnsOutTooLargeForTheSlotIsNeverWritten) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0", 150000), id));
  device.settle();
  EXPECT_EQ(fault_of_last(device), "too_large");
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_EQ(device.flash.cells()[BenchDevice::slot_address[1] + 100], 0xFF);
}

TEST(Update, CorruptedDownloadEndsAsDigestMismatchAndLeavesAnUnbootableSlot) {
  BenchDevice device;
  auto image = BenchDevice::image("1.4.0");
  const std::string offer = device.publish("1.4.0", image, id);
  device.server.files.begin()->second.bytes[30000] ^= 1;
  device.broker.offer(offer);
  device.settle();
  EXPECT_EQ(device.last_status().state, UpdateState::failed);
  EXPECT_EQ(fault_of_last(device), "digest_mismatch");
  EXPECT_EQ(device.last_status().progress->bytes, image.size());
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_FALSE(device.slot_boots(1));
}

TEST(Update, ImageWithTheRightDigestButABadChecksumIsStillRejected) {
  BenchDevice device;
  auto image = BenchDevice::image("1.4.0");
  image[40000] ^=
      1;  // published like this: the digest of the notice fits, the appended hash does not
  device.broker.offer(device.publish("1.4.0", image, id));
  device.settle();
  EXPECT_EQ(device.last_status().state, UpdateState::failed);
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_FALSE(device.slot_boots(1));
}

TEST(Update, HtmlPageInsteadOfAnImageIsCalledOneBeforeAnythingIsErased) {
  for (const std::size_t length : {100U, 40000U}) {
    BenchDevice device;
    const auto before = device.flash.cells();
    const std::string offer = device.publish("1.4.0", BenchDevice::image("1.4.0"), id);
    std::vector<std::uint8_t> page(length, '<');
    device.server.files.begin()->second.bytes = page;
    device.broker.offer(offer);
    device.settle();
    EXPECT_EQ(device.last_status().state, UpdateState::failed) << length;
    EXPECT_EQ(fault_of_last(device), "not_an_image") << length;
    const auto passive = BenchDevice::slot_address[1];
    EXPECT_TRUE(std::equal(before.begin() + passive,
                           before.begin() + passive + BenchDevice::slot_bytes,
                           device.flash.cells().begin() + passive));
  }
}

TEST(Update, HtmlPageIsCalledOneEvenWhenTheAnnouncedSizeDiffers) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.4.0");
  const std::string offer = device.publish(
      "1.4.0", image, std::string(id) + R"(,"size":)" + std::to_string(image.size()));
  device.server.files.begin()->second.bytes = std::vector<std::uint8_t>(900, 'h');
  device.broker.offer(offer);
  device.settle();
  EXPECT_EQ(fault_of_last(device), "not_an_image");
}

TEST(Update, ImageForAnotherChipIsRejectedFromItsFirstBytes) {
  BenchDevice device;
  const auto image = make_test_image("1.4.0", 60000, 4, 5);
  device.broker.offer(device.publish("1.4.0", image, id));
  device.settle();
  EXPECT_EQ(device.last_status().state, UpdateState::failed);
  EXPECT_EQ(fault_of_last(device), "wrong_chip");
  EXPECT_EQ(device.flash.cells()[BenchDevice::slot_address[1]], 0xFF);
}

TEST(Update, OverLongAndTruncatedFilesFailByTheirAnnouncedSize) {
  for (const int difference : {-1000, +1000}) {
    BenchDevice device;
    auto image = BenchDevice::image("1.4.0");
    const std::string offer = device.publish(
        "1.4.0", image, std::string(id) + R"(,"size":)" + std::to_string(image.size()));
    device.server.files.begin()->second.bytes.resize(
        image.size() + static_cast<std::size_t>(difference), 0xAA);
    device.broker.offer(offer);
    device.settle();
    EXPECT_EQ(device.last_status().state, UpdateState::failed) << difference;
    EXPECT_EQ(fault_of_last(device), difference > 0 ? "too_large" : "download_failed");
    EXPECT_EQ(device.running(), "1.3.0");
    EXPECT_FALSE(device.slot_boots(1));
  }
}

TEST(Update, TruncatedFileWithoutAnAnnouncedSizeIsADigestMismatch) {
  BenchDevice device;
  const std::string offer = device.publish("1.4.0", BenchDevice::image("1.4.0"), id);
  auto& bytes = device.server.files.begin()->second.bytes;
  bytes.erase(bytes.end() - 1000, bytes.end());
  device.broker.offer(offer);
  device.settle();
  EXPECT_EQ(fault_of_last(device), "digest_mismatch");
  EXPECT_FALSE(device.slot_boots(1));
}

TEST(Update, CrashingFirmwareIsRolledBackAndReportedSo) {
  BenchDevice device;
  device.crashes_on_boot.insert("1.4.0");
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.settle();
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_EQ(device.last_status().state, UpdateState::rolled_back);
  EXPECT_EQ(fault_of_last(device), "boot_failed");
  EXPECT_EQ(std::ranges::count(device.booted, "1.4.0"), 1);
}

TEST(Update, FirmwareThatCannotReachTheBrokerIsRolledBackAndReportedSo) {
  BenchDevice device;
  device.unreachable_in_trial.insert("1.4.0");
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] { return device.ended(); }));
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_EQ(device.last_status().state, UpdateState::rolled_back);
  EXPECT_EQ(fault_of_last(device), "trial_timeout");
  // The state passed while offline is still told, in order.
  EXPECT_THAT(device.states(update),
              ElementsAre("received",
                          "downloading",
                          "verifying",
                          "installed",
                          "rebooting",
                          "trial",
                          "rolled_back"));
}

TEST(Update, FailedSelfTestIsRolledBackAndReportedSo) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::installed; }));
  device.application.health = Application::Health::failed;
  ASSERT_TRUE(device.run_until([&] { return device.running() == "1.3.0" && device.boots > 2; }));
  device.application.health = Application::Health::passed;
  device.settle();
  EXPECT_EQ(device.last_status().state, UpdateState::rolled_back);
  EXPECT_EQ(fault_of_last(device), "self_test_failed");
  EXPECT_EQ(device.last_state().confirmed, true);
}

TEST(Update, PowerCutDuringTheTrialRollsBackAsPowerLost) {
  BenchDevice device;
  device.application.health = Application::Health::pending;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::on_trial; }));
  device.run_for(2000);
  device.cut_power();
  device.application.health = Application::Health::passed;
  device.settle();
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_EQ(device.last_status().state, UpdateState::rolled_back);
  EXPECT_EQ(fault_of_last(device), "power_lost");
}

TEST(Update, ThreeFailedAttemptsStopTryingUntilForced) {
  BenchDevice device;
  device.crashes_on_boot.insert("1.4.0");
  const auto image = BenchDevice::image("1.4.0");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    device.broker.offer(
        device.publish("1.4.0", image, R"("update":"attempt-)" + std::to_string(attempt) + "\""));
    device.settle();
    ASSERT_EQ(device.last_status().state, UpdateState::rolled_back) << attempt;
  }
  device.broker.offer(device.publish("1.4.0", image, R"("update":"attempt-4")"));
  device.settle();
  EXPECT_EQ(device.last_status().state, UpdateState::refused);
  EXPECT_EQ(fault_of_last(device), "attempts_exhausted");

  device.crashes_on_boot.clear();
  device.broker.offer(device.publish("1.4.0", image, R"("update":"attempt-5","force":true)"));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Update, RetainedThreeFieldNoticeIsTriedAgainAtEachDeliveryUntilTheAttemptsAreUsedUp) {
  BenchDevice device;
  device.crashes_on_boot.insert("1.4.0");
  device.broker.offer(
      device.publish("1.4.0", BenchDevice::image("1.4.0")));  // comes again after each restart
  ASSERT_TRUE(device.run_until(
      [&] { return !device.statuses().empty() && fault_of_last(device) == "attempts_exhausted"; }));
  EXPECT_EQ(std::ranges::count(device.booted, "1.4.0"), 3);
  EXPECT_EQ(device.running(), "1.3.0");
}

TEST(Update, OfflineDeviceGetsItsRetainedNoticeWhenItComesBack) {
  BenchDevice device;
  device.broker.reachable = false;
  device.run_for(5000);
  device.broker.retained = device.publish("1.4.0", BenchDevice::image("1.4.0"), id);
  device.broker.reachable = true;
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Update, ProductionDeviceRefusesTheThreeFieldNotice) {
  BenchDevice device{{.development = false}};
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.settle();
  EXPECT_EQ(fault_of_last(device), "manifest_required");
  EXPECT_EQ(device.last_state().mode, "production");
}

TEST(Update, UnmentionedVersionKeepsTheReleasesNameNotTheDescriptors) {
  BenchDevice device;
  // An Arduino build: the descriptor carries the SDK's version.
  const auto image = make_test_image("esp-idf: v4.4.3 6407ecb3f8", 60000, 9);
  device.broker.offer(device.publish("1.4.0", image, id));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  device.boot(ResetReason::power_on);
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Update, TheAgentsPrivatePowerOnTwiceInARowStillConfirmsNothingUnasked) {
  BenchDevice device;
  device.boot(ResetReason::power_on);
  device.boot(ResetReason::external);
  device.settle();
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_THAT(device.statuses(), IsEmpty());
  EXPECT_EQ(device.last_state().reset_reason, "external");
}

}  // namespace
}  // namespace otaria::device::testing
