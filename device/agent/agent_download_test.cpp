#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/agent/testing/bench_device.hpp"

/// The download against servers of every kind.
namespace otaria::device::testing {
namespace {

using contract::UpdateState;
using ::testing::SizeIs;

constexpr const char* id = R"("update":"first")";

std::string fault_of_last(const BenchDevice& device) {
  const auto status = device.last_status();
  return status.error ? status.error->code : "";
}

TEST(Download, BrokenConnectionIsResumedByRangeWithIfRange) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.4.0");
  device.server.break_after = 20001;
  device.broker.offer(device.publish("1.4.0", image, id));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  ASSERT_THAT(device.server.asked, SizeIs(2));
  EXPECT_EQ(device.server.asked[1].offset, 20001U / 512 * 512);
  EXPECT_EQ(device.server.asked[1].if_range, "\"" + hex(sha256_of(image)) + "\"");
}

TEST(Download, ManyBreaksDoNotEndItWhileThereIsProgress) {
  BenchDevice device;
  device.server.break_after = 3000;
  device.server.break_always = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.run_until([&] { return device.running() == "1.4.0"; });
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_GT(device.server.asked.size(), 15U);
}

TEST(Download, A200ToARangeRequestStartsFromZero) {
  BenchDevice device;
  device.server.break_after = 30000;
  device.server.ignore_range = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Download, ServerThatAlwaysIgnoresRangeAndBreaksEndsAsRangeIgnored) {
  BenchDevice device;
  device.server.break_after = 30000;
  device.server.break_always = true;
  device.server.ignore_range = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.run_until([&] { return device.ended(); });
  device.run_for(2000);
  EXPECT_EQ(device.last_status().state, UpdateState::failed);
  EXPECT_EQ(fault_of_last(device), "range_ignored");
}

TEST(Download, WrongContentRangeIsNotWrittenToFlash) {
  BenchDevice device;
  device.server.break_after = 30000;
  device.server.wrong_content_range = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] { return device.server.asked.size() >= 3; }));
  device.server.wrong_content_range = false;
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Download, RetryAfterIsHonoured) {
  BenchDevice device;
  device.server.answers = {{503, "30"}};
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  ASSERT_THAT(device.server.asked, SizeIs(2));
  EXPECT_GE(device.server.asked[1].at_ms - device.server.asked[0].at_ms, 30000U);
}

TEST(Download, BusyServerThatNamesTimesIsNoFailureHoweverOften) {
  BenchDevice device;
  for (int i = 0; i < 40; ++i) device.server.answers.emplace_back(503, "5");
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.run_for(600000);
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Download, RetriesBackOffExponentiallyWithJitterAndEndAsDownloadFailed) {
  BenchDevice device;
  device.server.reachable = false;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] { return device.ended(); }));
  EXPECT_EQ(fault_of_last(device), "download_failed");
  EXPECT_EQ(device.last_status().state, UpdateState::refused);  // nothing was fetched
  const auto& asked = device.server.asked;
  ASSERT_EQ(asked.size(), device.policy.retries_without_progress + 1U);
  for (std::size_t i = 1; i < 6; ++i) {
    const auto full = std::uint64_t{1000} << (i - 1);
    EXPECT_GE(asked[i].at_ms - asked[i - 1].at_ms, full / 2);
    EXPECT_LE(asked[i].at_ms - asked[i - 1].at_ms, full + 200);
  }
}

TEST(Download, NotFoundEndsAtOnceWithTheStatusInTheDetail) {
  BenchDevice device;
  device.broker.offer(
      BenchDevice::notice("1.4.0", "http://fw.example/none.bin", std::string(64, 'a'), id));
  device.settle();
  EXPECT_EQ(fault_of_last(device), "download_failed");
  EXPECT_NE(device.last_status().error->detail.find("404"), std::string::npos);
}

TEST(Download, ExpiredUrlKeepsThePrefixWaitsAndGoesOnWithTheRenewedOne) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.4.0");
  const auto offer = device.publish("1.4.0", image, id);
  device.server.break_after = 40000;
  device.broker.offer(offer);
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::backing_off; }));
  device.server.answers = {{403, ""}};
  device.run_for(5000);
  EXPECT_EQ(device.states("first").back(), "waiting");
  const std::string renewed = "http://fw.example/renewed.bin";
  device.server.files[renewed] = device.server.files.begin()->second;
  device.broker.offer(BenchDevice::notice("1.4.0", renewed, hex(sha256_of(image)), id));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.server.asked.back().url, renewed);
  EXPECT_EQ(device.server.asked.back().offset, 40000U / 512 * 512);
}

TEST(Download, RepeatedNoticeWithTheSameUrlIsTriedAgainButNotAtOnce) {
  BenchDevice device;
  const auto offer = device.publish("1.4.0", BenchDevice::image("1.4.0"), id);
  device.server.answers = {{403, ""}};
  device.broker.offer(offer);
  device.run_for(2000);
  ASSERT_EQ(device.agent->step(), Step::awaiting_url);
  device.broker.offer(offer);
  device.run_for(2000);
  EXPECT_THAT(device.server.asked, SizeIs(1));
  device.run_for(60000);
  device.broker.offer(offer);
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Download, ExpiredUrlWithoutRenewalEndsAsDownloadFailedAfterAnHour) {
  BenchDevice device;
  device.server.answers = {{403, ""}};
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.run_for(50ULL * 60 * 1000);
  EXPECT_EQ(device.states("first").back(), "waiting");
  device.run_for(20ULL * 60 * 1000);
  EXPECT_EQ(fault_of_last(device), "download_failed");
}

TEST(Download, StalledServerIsLeftAndAskedAgain) {
  BenchDevice device;
  device.server.stalls = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.run_for(63000);
  EXPECT_THAT(device.server.asked, SizeIs(2));
  device.server.stalls = false;
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(Download, ServerThatTricklesIsGivenUpThoughEachRequestBringsABlock) {
  BenchDevice device;
  device.policy.stall_window_ms = 1000;
  device.policy.retries_without_progress = 2;
  device.boot();
  device.server.silent_after = 1000;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] { return device.ended(); }));
  EXPECT_EQ(fault_of_last(device), "download_failed");
  EXPECT_THAT(device.server.asked, SizeIs(device.policy.retries_without_progress + 1U));
}

TEST(Download, FirmwareWithoutALengthIsNotAccepted) {
  BenchDevice device;
  device.server.no_length = true;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  device.settle();
  EXPECT_EQ(fault_of_last(device), "download_failed");
  EXPECT_EQ(device.flash.cells()[BenchDevice::slot_address[1] + 64], 0xFF);
}

TEST(Download, FirstBytesStayOutOfFlashUntilEverythingIsProven) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  int looks = 0;
  ASSERT_TRUE(device.run_until([&] {
    if (device.agent->step() == Step::rehashing) return true;
    EXPECT_EQ(device.flash.cells()[BenchDevice::slot_address[1]], 0xFF);
    ++looks;
    return false;
  }));
  EXPECT_GT(looks, 10);
  EXPECT_EQ(device.flash.cells()[BenchDevice::slot_address[1]], 0xE9);
}

TEST(Download, PiecesOfAnySizeGiveTheSameImage) {
  for (const std::uint32_t piece : {1U, 31U, 511U, 512U, 513U, 60000U}) {
    BenchDevice device;
    device.policy.stall_minimum_bytes = 1;
    device.server.piece = piece;
    device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0", 20000), id));
    device.settle();
    EXPECT_EQ(device.running(), "1.4.0") << piece;
  }
}

TEST(Download, FlashThatDoesNotTakeAWriteEndsAsFlashFailedAndTheDeviceGoesOn) {
  BenchDevice device;
  device.broker.offer(device.publish("1.4.0", BenchDevice::image("1.4.0"), id));
  ASSERT_TRUE(device.run_until([&] { return device.server.served > 22000; }));
  // A cell stuck at 0 in the sector that is being written, ahead of the writer.
  device.flash.cells()[BenchDevice::slot_address[1] + 24 * 1024 - 1] = 0x00;
  device.settle();
  EXPECT_EQ(device.last_status().state, UpdateState::failed);
  EXPECT_EQ(fault_of_last(device), "flash_failed");
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_EQ(device.agent->step(), Step::idle);
}

}  // namespace
}  // namespace otaria::device::testing
