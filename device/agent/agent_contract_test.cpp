#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/agent/testing/bench_device.hpp"
#include "device/bootloader/selection.hpp"

/// docs/spec/contract.md, "Identity and repeats", "Order", "Progress", "Presence": a test per
/// sentence.
namespace otaria::device::testing {
namespace {

using contract::UpdateState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string named(const std::string& id) {
  return R"("update":")" + id + "\"";
}

std::string fault_of_last(const BenchDevice& device) {
  const auto status = device.last_status();
  return status.error ? status.error->code : "";
}

std::size_t count(const std::vector<std::string>& states, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::count(states, name));
}

/// A device in the middle of a download: at least 40,000 of 60,000 bytes are in.
struct Downloading : ::testing::Test {
  Downloading() {
    image = BenchDevice::image("1.4.0");
    offer = device.publish("1.4.0", image, named("first"));
    device.broker.offer(offer);
    EXPECT_TRUE(device.run_until([&] { return device.server.served >= 40000; }));
    device.run_for(5);
  }
  BenchDevice device;
  std::vector<std::uint8_t> image;
  std::string offer;
};

// --- identity and repeats
// -----------------------------------------------------------------------------------------

TEST_F(Downloading, RepeatOfTheUpdateInHandIsIgnored) {
  device.broker.offer(offer);
  device.settle();
  EXPECT_EQ(count(device.states("first"), "received"), 1U);
  EXPECT_THAT(device.server.asked, SizeIs(1));
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST_F(Downloading, RenewedNoticeWithSameUpdateAndDigestOnlyReplacesTheUrl) {
  const std::string new_url = "http://mirror.example/x.bin";
  device.server.files[new_url] = device.server.files.begin()->second;
  device.server.break_after = 0;
  device.broker.offer(BenchDevice::notice("1.4.0", new_url, hex(sha256_of(image)), named("first")));
  device.run_for(10);
  EXPECT_THAT(device.server.asked, SizeIs(1));  // the running download goes on
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(count(device.states("first"), "received"), 1U);
}

TEST_F(Downloading, DifferentNoticeBeforeInstalledEndsTheOldUpdateAndStartsTheNewOne) {
  device.broker.offer(device.publish("1.5.0", BenchDevice::image("1.5.0"), named("second")));
  device.settle();
  EXPECT_EQ(device.states("first").back(), "failed");
  EXPECT_EQ(device.statuses("first").back().error->code, "superseded");
  EXPECT_EQ(device.states("second").back(), "succeeded");
  EXPECT_EQ(device.running(), "1.5.0");
}

TEST_F(Downloading, WithdrawalEndsTheUpdateAsFailedWithdrawn) {
  device.broker.offer("");
  device.settle();
  EXPECT_EQ(device.states("first").back(), "failed");
  EXPECT_EQ(fault_of_last(device), "withdrawn");
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_FALSE(device.slot_boots(1));
}

TEST_F(Downloading, UnreadableNoticeNeitherSupersedesNorWithdrawsTheUpdateInHand) {
  device.broker.deliver("{broken");
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.states("first").back(), "succeeded");
}

TEST_F(Downloading, DownloadDoesNotStopWhenTheBrokerIsLost) {
  device.broker.cut();
  device.broker.reachable = false;
  const auto before = device.server.served;
  device.run_for(3000);
  EXPECT_GT(device.server.served, before);
}

TEST_F(Downloading, StatesPassedWhileOfflineAreSentAtConnectInOrder) {
  device.broker.cut();
  device.broker.reachable = false;
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::on_trial; }));
  device.broker.reachable = true;
  device.settle();
  EXPECT_THAT(
      device.states("first"),
      ElementsAre(
          "received", "downloading", "verifying", "installed", "rebooting", "trial", "succeeded"));
}

TEST(Identity, SupersededBeforeAnythingWasFetchedIsRefused) {
  BenchDevice device;
  device.broker.offer(
      device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first") + R"(,"spread":3600)"));
  device.run_for(50);
  device.broker.offer(device.publish("1.5.0", BenchDevice::image("1.5.0"), named("second")));
  device.settle();
  EXPECT_THAT(device.states("first"), ElementsAre("received", "waiting", "refused"));
  EXPECT_EQ(device.statuses("first").back().error->code, "superseded");
  EXPECT_EQ(device.running(), "1.5.0");
}

TEST(Identity, WithdrawnBeforeAnythingWasFetchedIsRefused) {
  BenchDevice device;
  device.broker.offer(
      device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first") + R"(,"spread":3600)"));
  device.run_for(50);
  device.broker.offer("");
  device.settle();
  EXPECT_EQ(device.states("first").back(), "refused");
  EXPECT_EQ(fault_of_last(device), "withdrawn");
}

TEST(Identity, RepeatOfAFinalUpdateSendsThatFinalStatusAgainWithANewSeq) {
  BenchDevice device;
  const auto offer = device.publish("1.2.0", BenchDevice::image("1.2.0"), named("old"));
  device.broker.offer(offer);
  device.settle();
  const auto first = device.last_status();
  device.broker.offer(offer);
  device.settle();
  EXPECT_THAT(device.states("old"), ElementsAre("received", "refused", "refused"));
  EXPECT_GT(device.last_status().seq, first.seq);
  EXPECT_EQ(device.last_status().error, first.error);
}

TEST(Identity, FinalUpdatesAreRememberedAcrossResets) {
  BenchDevice device;
  const auto offer = device.publish("1.2.0", BenchDevice::image("1.2.0"), named("old"));
  device.broker.offer(offer);
  device.settle();
  device.cut_power();
  device.settle();  // the retained notice came again at the connect
  EXPECT_THAT(device.states("old"), ElementsAre("received", "refused", "refused"));
}

TEST(Identity, TheLastEightFinalUpdatesAreRememberedAndOlderOnesAreJudgedAsNew) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.2.0");
  for (int i = 0; i < 9; ++i) {
    device.broker.offer(device.publish("1.2.0", image, named("u" + std::to_string(i))));
    device.settle();
  }
  device.broker.offer(device.publish("1.2.0", image, named("u1")));
  device.settle();
  EXPECT_THAT(device.states("u1"), ElementsAre("received", "refused", "refused"));
  device.broker.offer(device.publish("1.2.0", image, named("u0")));
  device.settle();
  EXPECT_THAT(device.states("u0"), ElementsAre("received", "refused", "received", "refused"));
}

TEST(Identity, ThreeFieldNoticesDoNotPushNamedUpdatesOutOfMemory) {
  BenchDevice device;
  device.broker.offer(device.publish("1.2.0", BenchDevice::image("1.2.0"), named("named")));
  device.settle();
  for (int i = 0; i < 12; ++i) {
    device.broker.offer(device.publish(
        "1.1.0", BenchDevice::image("1.1.0", 40000 + 16 * static_cast<std::uint32_t>(i))));
    device.settle();
  }
  device.broker.offer(device.publish("1.2.0", BenchDevice::image("1.2.0"), named("named")));
  device.settle();
  EXPECT_THAT(device.states("named"), ElementsAre("received", "refused", "refused"));
}

TEST(Identity, FromInstalledOnADifferentNoticeIsParkedAndJudgedAfterTheFinalState) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::installed; }));
  device.broker.offer(device.publish("1.5.0", BenchDevice::image("1.5.0"), named("second")));
  device.settle();
  EXPECT_EQ(device.states("first").back(), "succeeded");
  EXPECT_EQ(device.states("second").back(), "succeeded");
  EXPECT_EQ(device.running(), "1.5.0");
  // Nothing of the second was said before the first had ended.
  bool first_ended = false;
  for (const auto& status : device.statuses()) {
    if (status.update == "first" && contract::is_final(status.state)) first_ended = true;
    if (status.update == "second") {
      EXPECT_TRUE(first_ended);
    }
  }
}

TEST(Identity, NoticeThatComesDuringTheTrialIsParked) {
  BenchDevice device;
  device.application.health = Application::Health::pending;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  ASSERT_TRUE(device.run_until(
      [&] { return device.agent->step() == Step::on_trial && device.broker.online; }));
  device.run_for(1000);
  device.broker.offer(device.publish("1.5.0", BenchDevice::image("1.5.0"), named("second")));
  device.run_for(3000);
  EXPECT_THAT(device.states("second"), IsEmpty());
  device.application.health = Application::Health::passed;
  device.settle();
  EXPECT_EQ(device.running(), "1.5.0");
}

TEST(Identity, FromInstalledOnAWithdrawalIsIgnored) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::installed; }));
  device.broker.offer("");
  device.settle();
  EXPECT_EQ(device.states("first").back(), "succeeded");
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Identity, UnreadableNoticeIsAnsweredOncePerPayloadAndStartWithoutUpdateAndTarget) {
  BenchDevice device;
  device.broker.deliver("{broken");
  device.broker.deliver("{broken");
  device.broker.deliver("other");
  device.settle();
  EXPECT_THAT(device.states(), ElementsAre("received", "refused", "received", "refused"));
  for (const auto& status : device.statuses()) {
    EXPECT_FALSE(status.update.has_value());
    EXPECT_FALSE(status.target.has_value());
  }
  EXPECT_EQ(fault_of_last(device), "bad_notice");
  device.boot(ResetReason::software);
  device.run_for(1000);
  device.broker.deliver("{broken");
  device.settle();
  EXPECT_THAT(device.statuses(), SizeIs(6));
}

TEST(Identity, DefectiveNoticeThatNamesItsUpdateIsRefusedUnderThatName) {
  BenchDevice device;
  device.broker.offer(BenchDevice::notice(
      "not a version", "http://fw.example/x", std::string(64, 'a'), named("bad")));
  device.settle();
  EXPECT_THAT(device.states("bad"), ElementsAre("received", "refused"));
  EXPECT_EQ(fault_of_last(device), "bad_notice");
}

TEST(Identity, NoticeLongerThanTheBufferIsBadAndIdentityIsByLengthAndChecksum) {
  BenchDevice device;
  device.broker.offer(BenchDevice::notice("1.4.0",
                                          "http://fw.example/x",
                                          std::string(64, 'a'),
                                          R"("padding":")" + std::string(2000, 'x') + "\""));
  device.settle();
  EXPECT_THAT(device.states(), ElementsAre("received", "refused"));
  EXPECT_EQ(fault_of_last(device), "bad_notice");
}

TEST(Identity, ReceivedAlwaysPrecedesRefused) {
  BenchDevice device;
  device.broker.offer(device.publish("1.0.0", BenchDevice::image("1.0.0"), named("x")));
  device.settle();
  EXPECT_THAT(device.states("x"), ElementsAre("received", "refused"));
}

TEST(Identity, AttemptsAreClearedBySuccess) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.4.0");
  device.crashes_on_boot.insert("1.4.0");
  for (const char* id : {"a", "b"}) {
    device.broker.offer(device.publish("1.4.0", image, named(id)));
    device.settle();
  }
  device.crashes_on_boot.clear();
  device.broker.offer(device.publish("1.4.0", image, named("c")));
  device.settle();
  ASSERT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.agent->ledger().failed_attempts(sha256_of(image)), 0U);
}

TEST(Identity, SupersededAndWithdrawnAreNoAttempts) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.4.0");
  device.server.stalls = true;
  for (int i = 0; i < 4; ++i) {
    device.broker.offer(device.publish("1.4.0", image, named("w" + std::to_string(i))));
    device.run_for(3000);
    device.broker.offer("");
    device.run_for(1000);
  }
  EXPECT_EQ(device.agent->ledger().failed_attempts(sha256_of(image)), 0U);
}

// --- after a restart
// ----------------------------------------------------------------------------------------------------

TEST_F(Downloading, AfterAPowerCutItWaitsForItsNoticeAndResumesBehindTheVerifiedPart) {
  const auto served_before = device.server.served;
  device.broker.retained.reset();
  device.cut_power();
  device.run_for(20000);
  EXPECT_EQ(device.states("first").back(), "waiting");
  EXPECT_THAT(device.server.asked, SizeIs(1));
  device.broker.offer(offer);
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  ASSERT_THAT(device.server.asked, SizeIs(2));
  EXPECT_EQ(device.server.asked[1].offset, 32768U);
  EXPECT_EQ(device.server.asked[1].if_range, "\"" + hex(sha256_of(image)) + "\"");
  EXPECT_EQ(device.server.served, served_before + image.size() - 32768);
  EXPECT_THAT(device.states("first"),
              ElementsAre("received",
                          "downloading",
                          "waiting",
                          "downloading",
                          "verifying",
                          "installed",
                          "rebooting",
                          "trial",
                          "succeeded"));
}

TEST_F(Downloading, ResumedDownloadEntersWithItsResumePoint) {
  device.cut_power();
  device.settle();
  std::vector<contract::Progress> entries;
  bool was_waiting = false;
  for (const auto& status : device.statuses("first")) {
    if (status.state == UpdateState::waiting) was_waiting = true;
    if (was_waiting && status.state == UpdateState::downloading)
      entries.push_back(*status.progress);
  }
  ASSERT_FALSE(entries.empty());
  EXPECT_EQ(entries.front().bytes, 32768U);
  EXPECT_EQ(entries.front().percent, std::size_t{32768} * 100 / image.size());
  EXPECT_EQ(entries.back().percent, 100U);
}

TEST_F(Downloading, WithoutNoticeFor24ConnectedHoursItEndsAsWithdrawn) {
  device.broker.retained.reset();
  device.cut_power();
  device.run_for(23ULL * 3600 * 1000);
  EXPECT_EQ(device.states("first").back(), "waiting");
  device.run_for(2ULL * 3600 * 1000);
  EXPECT_EQ(device.states("first").back(), "failed");
  EXPECT_EQ(fault_of_last(device), "withdrawn");
}

TEST_F(Downloading, WithdrawalSeenAfterTheRestartEndsIt) {
  device.broker.retained.reset();
  device.cut_power();
  device.run_for(5000);
  device.broker.deliver("");
  device.settle();
  EXPECT_EQ(device.states("first").back(), "failed");
  EXPECT_EQ(fault_of_last(device), "withdrawn");
}

TEST_F(Downloading, FlashThatChangedUnderThePrefixIsFetchedAnew) {
  device.flash.cells()[BenchDevice::slot_address[1] + 20000] ^= 0x55;
  device.cut_power();
  device.settle();
  EXPECT_EQ(device.server.asked[1].offset, 0U);
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST_F(Downloading, ChangedFileIsNoticedByItsEntityTag) {
  device.server.files.begin()->second.etag = "\"other\"";
  device.cut_power();
  device.settle();
  ASSERT_THAT(device.server.asked, SizeIs(2));
  EXPECT_EQ(device.running(), "1.4.0");  // the 200 began from 0, and the digest was right
}

TEST(Restart, UpdateOfWhichNothingWasFetchedWaitsForItsNoticeToo) {
  BenchDevice device;
  device.server.reachable = false;
  const auto offer = device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first"));
  device.broker.offer(offer);
  device.run_for(2000);
  device.broker.retained.reset();
  device.cut_power();
  device.run_for(5000);
  EXPECT_THAT(device.states("first"), ElementsAre("received", "waiting"));
  device.server.reachable = true;
  device.broker.offer(offer);
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Restart, FromInstalledOnAnyResetStartsTheTrialAndNeedsNoNotice) {
  BenchDevice device;
  device.application.veto_reboot = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::installed; }));
  device.broker.retained.reset();
  device.cut_power();
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.states("first").back(), "succeeded");
}

/// W1 of the reference: the bootloader's NEW to PENDING write was cut after its erase.
void lose_the_selection(BenchDevice& device) {
  std::fill_n(device.flash.cells().begin() + 0xF000, 4096, std::uint8_t{0xFF});
  device.cut_power();
}

TEST(Restart, LostSelectionIsRepeatedOnceWithoutANotice) {
  BenchDevice device;
  device.application.veto_reboot = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::installed; }));
  device.broker.retained.reset();
  const auto records = read_boot_records(device.flash, 0xE000);
  ASSERT_EQ(active_copy(records.value()), 1U);
  lose_the_selection(device);
  EXPECT_EQ(device.running(), "1.3.0");
  device.application.veto_reboot = false;
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.states("first").back(), "succeeded");
}

TEST(Restart, SelectionLostTwiceEndsAsPowerLost) {
  BenchDevice device;
  device.application.veto_reboot = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::installed; }));
  lose_the_selection(device);
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::installed; }));
  lose_the_selection(device);
  device.settle();
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_EQ(device.states("first").back(), "failed");
  EXPECT_EQ(fault_of_last(device), "power_lost");
}

// --- order
// ----------------------------------------------------------------------------------------------------------------

TEST(Order, SeqRisesStrictlyOverStatusAndStateMessagesAndResets) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  device.run_for(20);
  for (int i = 0; i < 4; ++i) {
    device.run_for(700);
    device.cut_power();
  }
  device.settle();
  std::uint32_t last = 0;
  for (const Sent& message : device.broker.sent) {
    std::uint32_t seq = 0;
    if (message.topic == "status") {
      seq = contract::decode_status(message.payload).value->seq;
    } else {
      const auto state = *contract::decode_state(message.payload).value;
      if (!state.seq) continue;  // the farewell has none
      seq = *state.seq;
    }
    EXPECT_GT(seq, last);
    last = seq;
  }
}

TEST(Order, OneMessageIsUnderWayAtATime) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  device.settle();
  EXPECT_EQ(device.broker.most_under_way, 1);
}

TEST(Order, StatusWithoutAcknowledgementIsSentAgainAtTheNextConnect) {
  BenchDevice device;
  device.run_for(2000);
  device.broker.swallow_acknowledgements = true;
  device.broker.offer(device.publish("1.2.0", BenchDevice::image("1.2.0"), named("first")));
  device.run_for(2000);
  EXPECT_THAT(device.states("first"), ElementsAre("received"));
  device.broker.swallow_acknowledgements = false;
  device.broker.cut();
  device.settle();
  EXPECT_EQ(device.states("first").back(), "refused");
}

TEST(Order, LostJournalAnnouncesSeqResetUntilASessionWithAnAcknowledgedStateHasEnded) {
  BenchDevice device;
  device.settle();
  std::fill_n(device.flash.cells().begin() + BenchDevice::journal_address, 0x8000, std::uint8_t{0});
  device.broker.sent.clear();
  device.broker.swallow_acknowledgements = true;
  device.boot(ResetReason::power_on);
  device.run_for(3000);
  ASSERT_FALSE(device.device_states().empty());
  EXPECT_TRUE(device.last_state().seq_reset);
  device.boot(ResetReason::power_on);  // nobody acknowledged it: still announced
  device.broker.swallow_acknowledgements = false;
  device.run_for(3000);
  EXPECT_TRUE(device.last_state().seq_reset);
  device.broker.cut();
  device.settle();
  EXPECT_FALSE(device.last_state().seq_reset);
  EXPECT_LT(*device.last_state().session, 1U << 31);
}

TEST(Order, SessionRisesWithEveryConnectionAndIsInTheWill) {
  BenchDevice device;
  device.run_for(1000);
  std::uint32_t last = 0;
  for (int i = 0; i < 12; ++i) {
    if (i % 3 == 0) device.cut_power();
    device.broker.cut();
    device.run_for(5000);
    const auto session = *device.last_state().session;
    EXPECT_GT(session, last);
    last = session;
    const std::string will = R"({"id":"sensor_A1B2","version":"1.3.0","online":false,"session":)" +
                             std::to_string(session) + "}";
    EXPECT_EQ(device.broker.last_will, will);
  }
}

TEST(Order, PlannedResetPublishesTheTextOfTheWillBeforeACleanDisconnect) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  ASSERT_TRUE(device.run_until([&] { return device.boots == 2; }));
  EXPECT_EQ(device.broker.clean_disconnects, 1);
  const auto farewell = std::ranges::find_if(device.broker.sent, [](const Sent& message) {
    return message.payload.find(R"("online":false)") != std::string::npos;
  });
  ASSERT_NE(farewell, device.broker.sent.end());
  EXPECT_EQ(farewell->payload.find("seq"), std::string::npos);
}

// --- progress
// --------------------------------------------------------------------------------------------------------------

TEST(Progress, EntryIsZeroEndIsHundredAndBetweenThemNeverTwoWithinASecond) {
  BenchDevice device;
  device.server.piece = 16;  // 16 bytes per ms: several seconds
  const auto image = BenchDevice::image("1.4.0", 100000);
  device.broker.offer(device.publish("1.4.0", image, named("first")));
  device.settle();
  std::vector<std::pair<std::uint64_t, contract::Progress>> seen;
  for (const Sent& message : device.broker.sent) {
    if (message.topic != "status") continue;
    const auto status = *contract::decode_status(message.payload).value;
    if (status.state == UpdateState::downloading)
      seen.emplace_back(message.at_ms, *status.progress);
  }
  ASSERT_GE(seen.size(), 4U);
  EXPECT_EQ(seen.front().second.percent, 0U);
  EXPECT_EQ(seen.back().second.percent, 100U);
  EXPECT_EQ(seen.back().second.bytes, image.size());
  for (std::size_t i = 1; i + 1 < seen.size(); ++i) {
    EXPECT_GE(seen[i].first - seen[i - 1].first, 1000U);
    EXPECT_GE(seen[i].second.percent, seen[i - 1].second.percent + 5);
    EXPECT_EQ(seen[i].second.total, image.size());
    EXPECT_EQ(seen[i].second.percent, seen[i].second.bytes * 100ULL / image.size());
  }
}

TEST(Progress, SlowDownloadIsReportedEveryTenSeconds) {
  BenchDevice device;
  device.policy.stall_minimum_bytes = 16;
  device.boot(ResetReason::power_on);
  device.server.piece = 1;
  const auto image = BenchDevice::image("1.4.0", 100000);
  device.broker.offer(device.publish("1.4.0", image, named("first")));
  device.run_for(40000);
  std::vector<std::uint64_t> at;
  for (const Sent& message : device.broker.sent) {
    if (message.payload.find("downloading") != std::string::npos) at.push_back(message.at_ms);
  }
  ASSERT_GE(at.size(), 3U);
  for (std::size_t i = 1; i < at.size(); ++i) EXPECT_LE(at[i] - at[i - 1], 10500U);
}

TEST(Progress, TheThreeMembersAppearOnlyWhileDownloadingAndInFailedAfterBytes) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("first")));
  device.settle();
  for (const auto& status : device.statuses("first")) {
    EXPECT_EQ(status.progress.has_value(), status.state == UpdateState::downloading)
        << contract::name_of(status.state);
  }
}

TEST(Progress, AtIsSentOnlyWhileTheClockIsSet) {
  BenchDevice device;
  device.broker.offer(device.publish("1.2.0", BenchDevice::image("1.2.0"), named("first")));
  device.settle();
  EXPECT_FALSE(device.last_status().at.has_value());
  device.clock.unix_at_zero = 1790000000;
  device.broker.offer(device.publish("1.1.0", BenchDevice::image("1.1.0"), named("second")));
  device.settle();
  ASSERT_TRUE(device.last_status().at.has_value());
  EXPECT_GT(*device.last_status().at, 1790000000U);
}

// --- courtesy
// --------------------------------------------------------------------------------------------------------------

TEST(Courtesy, SpreadWaitsAndForceIgnoresIt) {
  BenchDevice device;
  device.broker.offer(
      device.publish("1.4.0", BenchDevice::image("1.4.0"), named("a") + R"(,"spread":86400)"));
  device.run_for(2000);
  EXPECT_THAT(device.states("a"), ElementsAre("received", "waiting"));
  device.broker.offer(device.publish(
      "1.5.0", BenchDevice::image("1.5.0"), named("b") + R"(,"spread":86400,"force":true)"));
  device.settle();
  EXPECT_EQ(device.running(), "1.5.0");
}

TEST(Courtesy, NotBeforeWaitsOnlyWithAClock) {
  BenchDevice device;
  device.broker.offer(device.publish(
      "1.4.0", BenchDevice::image("1.4.0"), named("a") + R"(,"not_before":4000000000)"));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  device.clock.unix_at_zero = 1790000000;
  device.broker.offer(device.publish(
      "1.5.0", BenchDevice::image("1.5.0"), named("b") + R"(,"not_before":1790003600)"));
  device.run_for(60000);
  EXPECT_EQ(device.states("b").back(), "waiting");
  device.run_for(3600ULL * 1000);
  EXPECT_EQ(device.running(), "1.5.0");
}

TEST(Courtesy, DeadlineRefusesOnlyWithAClock) {
  BenchDevice device;
  device.clock.unix_at_zero = 1790000000;
  device.broker.offer(device.publish(
      "1.4.0", BenchDevice::image("1.4.0"), named("a") + R"(,"deadline":1789999999)"));
  device.settle();
  EXPECT_EQ(fault_of_last(device), "notice_expired");
  device.clock.unix_at_zero.reset();
  device.broker.offer(device.publish(
      "1.4.0", BenchDevice::image("1.4.0"), named("b") + R"(,"deadline":1789999999)"));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Courtesy, ApplicationsVetoIsWaitingAndRunsOutAsBusy) {
  BenchDevice device;
  device.application.veto_download = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("a")));
  device.run_for(60000);
  EXPECT_THAT(device.states("a"), ElementsAre("received", "waiting"));
  device.run_for(25ULL * 3600 * 1000);
  EXPECT_EQ(device.states("a").back(), "refused");
  EXPECT_EQ(fault_of_last(device), "busy");
}

TEST(Courtesy, ApplicationIsWarnedBeforeTheRestartAndMayDelayIt) {
  BenchDevice device;
  device.application.veto_reboot = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), named("a")));
  device.run_for(60000);
  EXPECT_EQ(device.states("a").back(), "installed");
  EXPECT_EQ(device.application.warned, 0);
  device.application.veto_reboot = false;
  device.settle();
  EXPECT_EQ(device.application.warned, 1);
  EXPECT_EQ(device.running(), "1.4.0");
}

}  // namespace
}  // namespace otaria::device::testing
