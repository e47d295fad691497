#include "server/broker/plugin/sessions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otaria::broker_plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t now_s = 1790000000;
constexpr std::int64_t end_s = now_s + 1000;
constexpr std::string_view mac = "a4cf12e0a1b2";
constexpr std::string_view id = "sensor_A1B2";

// Addresses, as the broker's contexts have them; never followed.
const int contexts[3]{};
const void* const first = &contexts[0];
const void* const second = &contexts[1];

contract::Digest token_number(std::uint8_t number) {
  contract::Digest digest;
  digest.bytes[0] = number;
  return digest;
}

token::Claims claims_of(std::string_view client_id, std::int64_t expires_s = end_s) {
  token::Claims claims;
  claims.subject = claims.username = mac;
  claims.client_id = client_id;
  claims.expires = static_cast<std::uint32_t>(expires_s);
  claims.subscribe = {std::string{client_id} + "/firmware/update"};
  claims.publish = {std::string{client_id} + "/ota/status", std::string{client_id} + "/ota/state"};
  return claims;
}

struct SessionsTest : ::testing::Test {
  SessionsTest() { sessions.admit(first, claims_of(id), token_number(1), 1, now_s); }
  [[nodiscard]] bool may(Access access, std::string_view topic, std::int64_t when_s = now_s) const {
    return sessions.may(access, id, mac, topic, when_s);
  }
  Sessions sessions;
};

TEST_F(SessionsTest, GiveTheRightsOfTheTokenAndNoOther) {
  EXPECT_TRUE(may(Access::subscribe, "sensor_A1B2/firmware/update"));
  EXPECT_TRUE(may(Access::subscribe, "$share/g/sensor_A1B2/firmware/update"));
  EXPECT_TRUE(may(Access::read, "sensor_A1B2/firmware/update"));
  EXPECT_TRUE(may(Access::write, "sensor_A1B2/ota/status"));
  EXPECT_TRUE(may(Access::unsubscribe, "anything"));

  for (const char* topic : {"sensor_FFFF/firmware/update",
                            "#",
                            "+/firmware/update",
                            "sensor_A1B2/#",
                            "sensor_A1B2/+/update",
                            "$share/g/sensor_FFFF/firmware/update",
                            "$SYS/#",
                            "sensor_A1B2/ota/status",
                            "$share/g",
                            ""}) {
    EXPECT_FALSE(may(Access::subscribe, topic)) << topic;
  }
  for (const char* topic : {"sensor_A1B2/firmware/update",
                            "sensor_FFFF/ota/status",
                            "$delayed/1/sensor_FFFF/ota/status",
                            "$CONTROL/x",
                            "$share/g/sensor_A1B2/ota/status",
                            "sensor_A1B2/ota/+",
                            ""}) {
    EXPECT_FALSE(may(Access::write, topic)) << topic;
  }
  EXPECT_FALSE(may(Access::read, "$SYS/broker/uptime"));
}

TEST_F(SessionsTest, GiveNothingToAnotherNameOrAStranger) {
  EXPECT_FALSE(sessions.may(Access::write, id, "a4cf12e0a1b3", "sensor_A1B2/ota/status", now_s));
  EXPECT_FALSE(sessions.may(Access::write, "sensor_FFFF", mac, "sensor_A1B2/ota/status", now_s));
}

TEST_F(SessionsTest, GiveNothingFromTheTokensEndOn) {
  EXPECT_TRUE(may(Access::write, "sensor_A1B2/ota/status", end_s - 1));
  EXPECT_FALSE(may(Access::write, "sensor_A1B2/ota/status", end_s));
  EXPECT_FALSE(may(Access::read, "sensor_A1B2/firmware/update", end_s));
}

// The broker tells of the disconnection first and asks for the will then.
TEST_F(SessionsTest, LetTheWillOfALostClientPass) {
  sessions.close(first, id);
  EXPECT_TRUE(may(Access::write, "sensor_A1B2/ota/state"));
  EXPECT_FALSE(may(Access::write, "sensor_FFFF/ota/state"));
}

TEST_F(SessionsTest, LetTheWillPassAfterTheTokensEndButNothingElse) {
  sessions.close(first, id);
  EXPECT_TRUE(may(Access::write, "sensor_A1B2/ota/state", end_s + 5));
  EXPECT_FALSE(may(Access::subscribe, "sensor_A1B2/firmware/update", end_s + 5));
  EXPECT_FALSE(may(Access::read, "sensor_A1B2/firmware/update", end_s + 5));
}

// A takeover: AUTH of the new one, then DISCONNECT of the old one under the same id.
TEST_F(SessionsTest, AreNotClosedByTheOldClientOfATakeover) {
  sessions.admit(second, claims_of(id), token_number(2), 1, now_s);
  sessions.close(first, id);
  EXPECT_FALSE(sessions.is_closing(id));
  EXPECT_TRUE(may(Access::subscribe, "sensor_A1B2/firmware/update"));
  EXPECT_THAT(sessions.take_ended(end_s, 10), ElementsAre(std::string{id}));
}

TEST_F(SessionsTest, KnowAgainOnlyTheSameTokenOfTheSameNameUnderTheSameKeys) {
  EXPECT_TRUE(sessions.recall(id, mac, token_number(1), 1, now_s));
  EXPECT_FALSE(sessions.recall(id, mac, token_number(2), 1, now_s));
  EXPECT_FALSE(sessions.recall(id, "a4cf12e0a1b3", token_number(1), 1, now_s));
  EXPECT_FALSE(sessions.recall("sensor_FFFF", mac, token_number(1), 1, now_s));
  EXPECT_FALSE(sessions.recall(id, mac, token_number(1), 2, now_s));
  EXPECT_FALSE(sessions.recall(id, mac, token_number(1), 1, end_s));
}

TEST_F(SessionsTest, FollowAClientThatIsKnownAgainToItsNewPointer) {
  sessions.close(first, id);
  sessions.resume(second, id);
  sessions.close(first, id);
  EXPECT_FALSE(sessions.is_closing(id));
  sessions.close(second, id);
  EXPECT_TRUE(sessions.is_closing(id));
}

TEST_F(SessionsTest, EndEachConnectedClientOnce) {
  EXPECT_THAT(sessions.take_ended(end_s - 1, 10), IsEmpty());
  EXPECT_THAT(sessions.take_ended(end_s, 10), ElementsAre(std::string{id}));
  EXPECT_THAT(sessions.take_ended(end_s, 10), IsEmpty());
  EXPECT_THAT(sessions.take_ended(end_s + 1, 10), IsEmpty());
}

TEST_F(SessionsTest, DoNotEndAClientThatHasRenewedItsToken) {
  sessions.admit(first, claims_of(id, end_s + 500), token_number(2), 1, now_s);
  EXPECT_THAT(sessions.take_ended(end_s + 499, 10), IsEmpty());
  EXPECT_THAT(sessions.take_ended(end_s + 500, 10), ElementsAre(std::string{id}));
}

TEST_F(SessionsTest, LeaveTheLeewayToWhoWasAdmittedByIt) {
  sessions.admit(first, claims_of(id, now_s - 10), token_number(2), 1, now_s);
  EXPECT_TRUE(may(Access::write, "sensor_A1B2/ota/status", now_s + 19));
  EXPECT_FALSE(may(Access::write, "sensor_A1B2/ota/status", now_s + 20));
}

TEST_F(SessionsTest, EndAtMostSoManyAtATime) {
  for (int i = 0; i < 9; ++i) {
    sessions.admit(second, claims_of("d" + std::to_string(i)), token_number(1), 1, now_s);
  }
  EXPECT_THAT(sessions.take_ended(end_s, 4), SizeIs(4));
  EXPECT_THAT(sessions.take_ended(end_s, 4), SizeIs(4));
  EXPECT_THAT(sessions.take_ended(end_s, 4), SizeIs(2));
}

TEST_F(SessionsTest, AreForgottenTenMinutesAfterTheirEnd) {
  sessions.close(first, id);
  sessions.take_ended(end_s + 599, 10);
  EXPECT_EQ(sessions.size(), 1U);
  sessions.take_ended(end_s + 600, 10);
  EXPECT_EQ(sessions.size(), 0U);
}

TEST_F(SessionsTest, LoseEveryRightButTheWillWhenTaken) {
  sessions.admit(second, claims_of("sensor_FFFF"), token_number(2), 1, now_s);
  const auto taken =
      sessions.take_if([](const token::Claims& claims) { return claims.client_id == id; });
  EXPECT_THAT(taken, ElementsAre(std::string{id}));
  EXPECT_FALSE(may(Access::subscribe, "sensor_A1B2/firmware/update"));
  EXPECT_TRUE(may(Access::write, "sensor_A1B2/ota/state"));
  EXPECT_FALSE(sessions.recall(id, mac, token_number(1), 1, now_s));
  EXPECT_TRUE(
      sessions.may(Access::subscribe, "sensor_FFFF", mac, "sensor_FFFF/firmware/update", now_s));
}

TEST_F(SessionsTest, RegainTheirRightsByANewGoodToken) {
  sessions.take_if([](const token::Claims&) { return true; });
  sessions.admit(first, claims_of(id), token_number(2), 1, now_s);
  EXPECT_FALSE(sessions.is_closing(id));
  EXPECT_TRUE(may(Access::subscribe, "sensor_A1B2/firmware/update"));
}

}  // namespace
}  // namespace otaria::broker_plugin
