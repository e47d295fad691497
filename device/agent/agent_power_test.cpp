#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "device/agent/testing/bench_device.hpp"

/// The power fails at every flash operation of an update, whole and torn; the device must come back
/// each time.
namespace otaria::device::testing {
namespace {

using contract::UpdateState;
using ::testing::AnyOf;

constexpr std::uint32_t small_payload = 20000;

std::uint64_t operations_of_an_update() {
  BenchDevice device;
  const auto before = device.flash.operations();
  device.broker.offer(
      device.publish("1.4.0", BenchDevice::image("1.4.0", small_payload), R"("update":"first")"));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  return device.flash.operations() - before;
}

/// Runs the update with the power going at these operations, one after the other, and to its end.
void run_with_cuts(BenchDevice& device,
                   const std::vector<std::uint64_t>& cuts,
                   std::optional<std::uint32_t> torn) {
  device.broker.offer(
      device.publish("1.4.0", BenchDevice::image("1.4.0", small_payload), R"("update":"first")"));
  for (const std::uint64_t cut : cuts) {
    device.flash.cut_after(cut);
    if (torn) device.flash.tear(*torn + static_cast<std::uint32_t>(cut));
    device.run_for(200000);
    if (!device.flash.powered()) device.cut_power();
    device.flash.power_on();
    ASSERT_FALSE(device.bricked);
    ASSERT_THAT(device.running(), AnyOf("1.3.0", "1.4.0"));
  }
  device.settle();
}

/// An update that was cut ends in truth: installed and said so, or not installed and said so.
void expect_truthful_end(const BenchDevice& device) {
  ASSERT_TRUE(device.ended());
  const auto last = device.last_status();
  if (last.state == UpdateState::succeeded) {
    EXPECT_EQ(device.running(), "1.4.0");
    EXPECT_EQ(device.last_state().confirmed, true);
  } else {
    EXPECT_EQ(device.running(), "1.3.0");
    ASSERT_TRUE(last.error.has_value());
    EXPECT_EQ(last.error->code, "power_lost");
  }
  std::uint32_t seq = 0;
  for (const auto& status : device.statuses()) {
    EXPECT_GT(status.seq, seq);
    seq = status.seq;
  }
  EXPECT_FALSE(device.flash.rule_broken());
}

TEST(PowerCut, AtAnyFlashOperationLeavesADeviceThatBootsAndEndsTheUpdateTruthfully) {
  const std::uint64_t operations = operations_of_an_update();
  ASSERT_GT(operations, 60U);
  std::uint64_t finished = 0;
  for (std::uint64_t cut = 0; cut <= operations; ++cut) {
    SCOPED_TRACE(::testing::Message() << "power cut at flash operation " << cut);
    BenchDevice device;
    run_with_cuts(device, {cut}, std::nullopt);
    expect_truthful_end(device);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    finished += device.running() == "1.4.0" ? 1 : 0;
  }
  EXPECT_GT(finished, operations * 8 / 10);  // most cuts cost time only
}

TEST(PowerCut, TornAtAnyFlashOperationLeavesADeviceThatBootsAndEndsTheUpdateTruthfully) {
  const std::uint64_t operations = operations_of_an_update();
  for (std::uint64_t cut = 0; cut <= operations; ++cut) {
    for (const std::uint32_t seed : {1U, 77U, 4242U}) {
      SCOPED_TRACE(::testing::Message()
                   << "power cut at flash operation " << cut << " torn by seed " << seed);
      BenchDevice device;
      run_with_cuts(device, {cut}, seed);
      expect_truthful_end(device);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
}

TEST(PowerCut, TwiceInOneUpdateStillEndsTruthfully) {
  const std::uint64_t operations = operations_of_an_update();
  for (std::uint64_t first = 0; first <= operations; first += 3) {
    for (const std::uint64_t second : {0U, 1U, 2U, 3U, 5U, 8U, 13U, 40U}) {
      SCOPED_TRACE(::testing::Message() << "power cuts at " << first << " and then " << second);
      BenchDevice device;
      run_with_cuts(device, {first, second}, 9U);
      expect_truthful_end(device);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace otaria::device::testing
