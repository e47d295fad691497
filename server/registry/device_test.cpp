#include "server/registry/device.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

StateReport state(std::uint32_t session, std::uint32_t seq) {
  StateReport report;
  report.id = "sensor_A1B2";
  report.mac = "a4cf12e0a1b2";
  report.online = true;
  report.session = session;
  report.version = "1.3.0";
  report.product = "sensor";
  report.image = std::string(64, 'a');
  report.confirmed = true;
  report.seq = seq;
  return report;
}

StateReport presence(std::uint32_t session) {
  StateReport report;
  report.id = "sensor_A1B2";
  report.version = "1.3.0";
  report.session = session;
  return report;
}

Device known_in_session(std::uint32_t session, std::uint32_t seq = 10) {
  return apply_state(std::nullopt, state(session, seq), false, 1000).device;
}

TEST(DeviceState, AtFirstContactRegistersTheDevice) {
  const StateEffect effect = apply_state(std::nullopt, state(57, 10), false, 1000);
  EXPECT_TRUE(effect.changed);
  EXPECT_EQ(effect.device.mac, "a4cf12e0a1b2");
  EXPECT_EQ(effect.device.first_seen, 1000);
  EXPECT_TRUE(effect.device.online);
}

TEST(DeviceState, AbsentMembersMeanUnchanged) {
  StateReport report = state(57, 11);
  report.version.reset();
  report.image.reset();
  report.confirmed = false;
  const StateEffect effect = apply_state(known_in_session(57), report, false, 1001);
  EXPECT_EQ(effect.device.version, "1.3.0");
  EXPECT_EQ(effect.device.image, std::string(64, 'a'));
  EXPECT_EQ(effect.device.confirmed, false);
}

TEST(DeviceState, ASecondMacForOneIdIsRefusedAndChangesNothing) {
  StateReport intruder = state(99, 5000);
  intruder.mac = "a4cf12ffa1b2";
  intruder.version = "9.9.9";
  const StateEffect effect = apply_state(known_in_session(57), intruder, false, 1001);
  EXPECT_TRUE(effect.id_conflict);
  EXPECT_FALSE(effect.changed);
  EXPECT_EQ(effect.device.version, "1.3.0");
  EXPECT_EQ(effect.device.mac, "a4cf12e0a1b2");
}

TEST(DeviceState, ARepeatedStateChangesNothing) {
  const StateEffect effect = apply_state(known_in_session(57), state(57, 10), false, 2000);
  EXPECT_FALSE(effect.changed);
  EXPECT_EQ(effect.freshness, Freshness::late);
  EXPECT_EQ(effect.device.last_seen, 1000);  // a retained copy is no sign of life
}

TEST(DeviceState, AnOvertakenStateDoesNotBringTheOldVersionBack) {
  StateReport newer = state(57, 20);
  newer.version = "1.4.0";
  const Device device = apply_state(known_in_session(57), newer, false, 1001).device;
  EXPECT_EQ(apply_state(device, state(57, 15), false, 1002).device.version, "1.4.0");
}

TEST(DeviceState, ANewSessionIsNoticed) {
  EXPECT_TRUE(apply_state(known_in_session(57), state(58, 11), false, 1001).new_session);
  EXPECT_FALSE(apply_state(known_in_session(57), state(57, 11), false, 1001).new_session);
}

TEST(DeviceState, ALowerSessionAfterALostJournalIsANewSessionToo) {
  StateReport report = state(3, 1);
  report.seq_reset = true;
  const StateEffect effect = apply_state(known_in_session(57), report, false, 1001);
  EXPECT_EQ(effect.freshness, Freshness::restart);
  EXPECT_TRUE(effect.new_session);
  EXPECT_EQ(effect.device.session, 3u);
}

TEST(Presence, TheWillOfTheNewestSessionMarksTheDeviceOffline) {
  const StateEffect effect = apply_state(known_in_session(57), presence(57), false, 1001);
  EXPECT_FALSE(effect.device.online);
  EXPECT_TRUE(effect.changed);
  EXPECT_EQ(effect.device.version, "1.3.0");
}

TEST(Presence, ALateWillOfAnOlderSessionDoesNot) {
  EXPECT_TRUE(apply_state(known_in_session(57), presence(56), false, 1001).device.online);
}

TEST(Presence, AWillOfAnotherSessionThanTheNewestKnownDoesNot) {
  EXPECT_TRUE(apply_state(known_in_session(57), presence(58), false, 1001).device.online);
}

TEST(Presence, ARetainedStubOfALaterSessionTellsWhatWasMissedWhileTheServerWasAway) {
  StateReport missed = presence(58);
  missed.retained = true;
  EXPECT_FALSE(apply_state(known_in_session(57), missed, false, 1001).device.online);
  missed.session = 56;
  EXPECT_TRUE(apply_state(known_in_session(57), missed, false, 1001).device.online);
}

TEST(Presence, OfADeviceKnownByAStubOnlyIsAllThatIsKnown) {
  StateReport report = presence(57);
  const StateEffect effect = apply_state(std::nullopt, report, false, 1000);
  EXPECT_TRUE(effect.changed);
  EXPECT_FALSE(effect.device.online);
  EXPECT_FALSE(effect.device.version.has_value());
  EXPECT_FALSE(effect.device.mac.has_value());
}

TEST(Presence, AStubCannotMarkADeviceOnline) {
  StateReport lie = presence(57);
  lie.online = true;
  const Device offline = apply_state(known_in_session(57), presence(57), false, 1001).device;
  EXPECT_FALSE(apply_state(offline, lie, false, 1002).device.online);
}

TEST(Presence, SilenceLongerThanTheLimitCountsAsOffline) {
  const Device device = known_in_session(57);
  EXPECT_TRUE(is_online(device, 1000 + 600, 600));
  EXPECT_FALSE(is_online(device, 1000 + 601, 600));
  EXPECT_TRUE(is_online(device, 1000 + 86400 * 365, 0));
}

TEST(DeviceStatus, TellsTheRunningVersionAndIsASignOfLife) {
  StatusReport report;
  report.id = "sensor_A1B2";
  report.version = "1.4.0";
  report.seq = 11;
  const Device device = apply_status(known_in_session(57), report, Freshness::fresh, 1500);
  EXPECT_EQ(device.version, "1.4.0");
  EXPECT_EQ(device.last_seen, 1500);
  EXPECT_EQ(device.marks.newest.seq, 11u);
}

TEST(DeviceStatus, OvertakenByAnotherTellsNothing) {
  StatusReport report;
  report.id = "sensor_A1B2";
  report.version = "1.2.0";
  report.seq = 5;
  EXPECT_EQ(apply_status(known_in_session(57), report, Freshness::late, 1500).version, "1.3.0");
}

}  // namespace
}  // namespace otaria::server
