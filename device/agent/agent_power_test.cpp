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

// --- a production device: manifest, a newer key list on the way, counter
// -----------------------------------------------------------------------

SigningDesk& desk() {
  static SigningDesk made;
  return made;
}

constexpr std::uint32_t new_counter = 5;

/// Signed by a key that only list 2 names: the update fetches manifest, list and image.
void offer_signed(BenchDevice& device) {
  static const auto image = BenchDevice::image("1.4.0", small_payload);
  static const std::string list = desk().key_list({.serial = 2, .releases = {1}, .revoked = {0}});
  static const std::string manifest =
      desk().manifest({.security_counter = new_counter, .keys = 2, .signed_by = {1}}, image);
  device.put_file("/keys.jws", list);
  device.broker.offer(device.publish_signed("1.4.0", image, manifest, R"("update":"first")"));
}

BenchOptions with_first_list() {
  static const std::string list = desk().key_list({});
  return production(list);
}

std::uint64_t operations_of_a_signed_update() {
  BenchDevice device{with_first_list()};
  const auto before = device.flash.operations();
  offer_signed(device);
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.last_state().keys, 2U);
  return device.flash.operations() - before;
}

void expect_trust_to_match_the_end(const BenchDevice& device) {
  const bool installed = device.last_status().state == UpdateState::succeeded;
  EXPECT_EQ(device.last_state().security_counter, installed ? new_counter : 0U);
  EXPECT_THAT(*device.last_state().keys, AnyOf(1U, 2U));
  if (installed) {
    EXPECT_EQ(device.last_state().keys, 2U);
  }
  std::size_t ends = 0;
  for (std::size_t i = 0; i < device.agent->ledger().outcome_count(); ++i)
    ends += device.agent->ledger().outcome(i).update.view() == "first" ? 1 : 0;
  EXPECT_EQ(ends, 1U);  // applied, or refused, once
}

void cut_signed_update_at(std::uint64_t cut, std::optional<std::uint32_t> torn) {
  BenchDevice device{with_first_list()};
  offer_signed(device);
  device.flash.cut_after(cut);
  if (torn) device.flash.tear(*torn + static_cast<std::uint32_t>(cut));
  device.run_for(200000);
  if (!device.flash.powered()) device.cut_power();
  device.flash.power_on();
  ASSERT_FALSE(device.bricked);
  ASSERT_THAT(device.running(), AnyOf("1.3.0", "1.4.0"));
  device.settle();
  expect_truthful_end(device);
  expect_trust_to_match_the_end(device);
}

TEST(PowerCut, AtAnyFlashOperationOfASignedUpdateLeavesADeviceThatBootsAndTrustsTheSame) {
  const std::uint64_t operations = operations_of_a_signed_update();
  ASSERT_GT(operations, operations_of_an_update());
  for (std::uint64_t cut = 0; cut <= operations; ++cut) {
    SCOPED_TRACE(::testing::Message() << "power cut at flash operation " << cut);
    cut_signed_update_at(cut, std::nullopt);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
}

TEST(PowerCut, TornAtAnyFlashOperationOfASignedUpdateLeavesADeviceThatBootsAndTrustsTheSame) {
  const std::uint64_t operations = operations_of_a_signed_update();
  for (std::uint64_t cut = 0; cut <= operations; ++cut) {
    for (const std::uint32_t seed : {5U, 1234U}) {
      SCOPED_TRACE(::testing::Message()
                   << "power cut at flash operation " << cut << " torn by seed " << seed);
      cut_signed_update_at(cut, seed);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace otaria::device::testing
