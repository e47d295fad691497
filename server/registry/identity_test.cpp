#include "server/registry/identity.hpp"

#include <gtest/gtest.h>

#include <set>

namespace otaria::server {
namespace {

DeviceIdentity active_device() {
  return {.mac = "a4cf12e0a1b2",
          .id = "sensor_A1B2",
          .key = "key",
          .next_key = "next",
          .state = IdentityState::active,
          .changed_at = 10};
}

IdTaken taken(std::set<std::string> ids) {
  return [ids = std::move(ids)](const std::string& id) { return ids.contains(id); };
}

TEST(Identity, IdsComeFromTheLastTwoBytesOfTheMac) {
  EXPECT_EQ(choose_id("a4cf12e0a1b2", "", taken({})).value(), "sensor_A1B2");
}

TEST(Identity, TheSecondMacOfAShortIdGetsItsWholeMac) {
  EXPECT_EQ(choose_id("000000e0a1b2", "", taken({"sensor_A1B2"})).value(), "sensor_000000e0a1b2");
}

TEST(Identity, AnIdThatWasAskedForIsGivenOrRefusedButNeverReplaced) {
  EXPECT_EQ(choose_id("a4cf12e0a1b2", "boiler-7", taken({})).value(), "boiler-7");
  const auto refused = choose_id("a4cf12e0a1b2", "boiler-7", taken({"boiler-7"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.refusal().code, "id_conflict");
}

TEST(Identity, WhenEvenTheLongIdIsTakenNothingIsGuessed) {
  const auto refused = choose_id("a4cf12e0a1b2", "", taken({"sensor_A1B2", "sensor_a4cf12e0a1b2"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.refusal().code, "id_conflict");
}

TEST(Identity, ASuspendedDeviceCanBecomeActiveAgainAndARevokedOneCannot) {
  auto suspended = in_state(active_device(), IdentityState::suspended, "lost", 20).value();
  EXPECT_EQ(suspended.reason, "lost");
  EXPECT_EQ(suspended.changed_at, 20);
  EXPECT_EQ(in_state(suspended, IdentityState::active, "", 30).value().state,
            IdentityState::active);
  const auto revoked = in_state(suspended, IdentityState::revoked, "", 30).value();
  for (const auto state : {IdentityState::active, IdentityState::suspended}) {
    const auto again = in_state(revoked, state, "", 40);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.refusal().code, "identity_revoked");
  }
}

TEST(Identity, RevokingForgetsAnAnnouncedKey) {
  EXPECT_EQ(in_state(active_device(), IdentityState::revoked, "", 20).value().next_key, "");
}

TEST(Identity, ADeviceWithoutAKeyCannotBeActivated) {
  DeviceIdentity pending{.mac = "a4cf12e0a1b2", .id = "sensor_A1B2"};
  const auto active = in_state(pending, IdentityState::active, "", 20);
  ASSERT_FALSE(active);
  EXPECT_EQ(active.refusal().code, "no_key");
  EXPECT_TRUE(in_state(pending, IdentityState::revoked, "", 20));
}

TEST(Identity, TheSameStateAgainChangesNothing) {
  EXPECT_EQ(in_state(active_device(), IdentityState::active, "other", 99).value().changed_at, 10);
}

TEST(Identity, NobodyBecomesPendingAgain) {
  EXPECT_FALSE(in_state(active_device(), IdentityState::pending, "", 20));
}

TEST(Identity, EveryStateHasANameThatIsReadBack) {
  for (const auto state : {IdentityState::pending,
                           IdentityState::active,
                           IdentityState::suspended,
                           IdentityState::revoked,
                           IdentityState::retired}) {
    EXPECT_EQ(identity_state_from(name_of(state)), state);
  }
  EXPECT_FALSE(identity_state_from("Active"));
}

}  // namespace
}  // namespace otaria::server
