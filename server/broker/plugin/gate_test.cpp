#include "server/broker/plugin/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/token/testing/minting.hpp"
#include "server/broker/plugin/testing/scratch_directory.hpp"

namespace otaria::broker_plugin {
namespace {

using crypto::PrivateKey;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using token::testing::jwk;
using token::testing::jwks;
using token::testing::Minted;

constexpr std::int64_t now_s = 1790000100;
constexpr std::int64_t end_s = 1790086400;
constexpr std::string_view mac = "a4cf12e0a1b2";
constexpr std::string_view id = "sensor_A1B2";

const int contexts[2]{};
const void* const client = &contexts[0];
const void* const other_client = &contexts[1];

PrivateKey& key_number(int number) {
  static PrivateKey keys[2]{PrivateKey::generate(contract::Algorithm::es256),
                            PrivateKey::generate(contract::Algorithm::es256)};
  return keys[number - 1];
}

std::string both_keys() {
  return R"({"keys":[)" + jwk(key_number(1).public_key(), "issuer-1") + ',' +
         jwk(key_number(2).public_key(), "issuer-2") + "]}";
}

std::string token_by(int number) {
  Minted minted;
  minted.header = R"({"alg":"ES256","kid":"issuer-)" + std::to_string(number) + R"(","typ":"JWT"})";
  return minted.signed_by(key_number(number));
}

struct GateTest : ::testing::Test {
  GateTest() { directory.replace("jwks.json", jwks(key_number(1).public_key())); }

  bool start() { return gate.start(now_s); }
  bool connects(const std::string& token, const void* by = client, std::int64_t when_s = now_s) {
    return gate.authenticate(by, id, mac, token, when_s);
  }
  bool may_subscribe(std::int64_t when_s = now_s) {
    return gate.authorize(Access::subscribe, id, mac, "sensor_A1B2/firmware/update", when_s);
  }
  std::vector<std::string> kicked_at(std::int64_t when_s) {
    std::vector<std::string> kicked;
    gate.tick(when_s, [&](const std::string& client_id) { kicked.push_back(client_id); });
    return kicked;
  }

  testing::ScratchDirectory directory;
  std::vector<std::string> log;
  Gate gate{{"otaria", "otaria", directory / "jwks.json", directory / "denied"},
            [this](Severity, const std::string& line) { log.push_back(line); }};
};

TEST_F(GateTest, DoesNotOpenWithoutUsableKeys) {
  for (const char* bad : {"", "{}", R"({"keys":[]})", "garbage"}) {
    directory.replace("jwks.json", bad);
    Gate closed{{"otaria", "otaria", directory / "jwks.json", {}},
                [this](Severity, const std::string& line) { log.push_back(line); }};
    EXPECT_FALSE(closed.start(now_s)) << bad;
    EXPECT_FALSE(closed.authenticate(client, id, mac, token_by(1), now_s));
  }
  std::filesystem::remove(directory / "jwks.json");
  EXPECT_FALSE(start());
  EXPECT_THAT(log, Contains(HasSubstr("there is no file of issuer keys")));
}

TEST_F(GateTest, DoesNotOpenWithADenylistThatCannotBeRead) {
  directory.replace("denied", "a4cf12e0a1b2\n");
  EXPECT_FALSE(start());
  EXPECT_THAT(log, Contains(HasSubstr("line 1")));
}

TEST_F(GateTest, AdmitsAGoodTokenAndGivesItsRights) {
  ASSERT_TRUE(start());
  EXPECT_FALSE(may_subscribe());
  EXPECT_TRUE(connects(token_by(1)));
  EXPECT_TRUE(may_subscribe());
}

TEST_F(GateTest, RefusesWhoSaysNothingAboutHimself) {
  ASSERT_TRUE(start());
  EXPECT_FALSE(gate.authenticate(client, id, {}, {}, now_s));
  EXPECT_FALSE(gate.authenticate(client, id, mac, {}, now_s));
  EXPECT_FALSE(gate.authenticate(client, {}, mac, token_by(1), now_s));
  EXPECT_FALSE(gate.authorize(Access::write, {}, {}, "sensor_A1B2/ota/status", now_s));
}

TEST_F(GateTest, LeavesAConnectedClientAloneWhenAnotherIsRefusedUnderItsId) {
  ASSERT_TRUE(start());
  ASSERT_TRUE(connects(token_by(1)));
  EXPECT_FALSE(connects("garbage", other_client));
  EXPECT_FALSE(gate.authenticate(other_client, id, "a4cf12e0a1b3", token_by(1), now_s));
  gate.disconnected(other_client, std::nullopt);  // as the broker tells of a refused client
  EXPECT_TRUE(may_subscribe());
}

// SIGHUP asks again about every client, offline ones too.
TEST_F(GateTest, KnowsATokenAgainThatItHasChecked) {
  ASSERT_TRUE(start());
  const std::string token = token_by(1);
  ASSERT_TRUE(connects(token));
  EXPECT_TRUE(connects(token));
  EXPECT_TRUE(may_subscribe());
  EXPECT_FALSE(gate.authenticate(client, "sensor_FFFF", mac, token, now_s));
  EXPECT_FALSE(gate.authenticate(client, id, "a4cf12e0a1b3", token, now_s));
}

TEST_F(GateTest, WritesTheReasonButNeverTheToken) {
  ASSERT_TRUE(start());
  const std::string token = token_by(1);
  EXPECT_FALSE(gate.authenticate(client, "sensor_FF\n\"FF", mac, token, now_s));
  EXPECT_THAT(log, Contains(AllOf(HasSubstr("wrong_client_id"), HasSubstr("sensor_FF??FF"))));
  EXPECT_THAT(log, Each(Not(HasSubstr(token.substr(token.size() - 20)))));
}

TEST_F(GateTest, WritesAFewRefusalsASecondAndCountsTheRest) {
  ASSERT_TRUE(start());
  log.clear();
  for (int i = 0; i < 1000; ++i) connects("garbage");
  EXPECT_THAT(log, SizeIs(LimitedLog::max_lines_per_second));
  connects("garbage", client, now_s + 1);
  EXPECT_THAT(log, Contains(HasSubstr("990 more")));
}

TEST_F(GateTest, KicksWhoseTokenHasEndedOnce) {
  ASSERT_TRUE(start());
  ASSERT_TRUE(connects(token_by(1)));
  EXPECT_THAT(kicked_at(end_s - 1), IsEmpty());
  EXPECT_THAT(kicked_at(end_s), ElementsAre(std::string{id}));
  EXPECT_TRUE(gate.authorize(Access::write, id, mac, "sensor_A1B2/ota/state", end_s)) << "the will";
  EXPECT_THAT(kicked_at(end_s + 1), IsEmpty());
}

TEST_F(GateTest, KicksWhomTheDenylistNamesAndKeepsHimOut) {
  ASSERT_TRUE(start());
  const std::string token = token_by(1);
  ASSERT_TRUE(connects(token));
  directory.replace("denied", "sub:a4cf12e0a1b2\n");
  EXPECT_THAT(kicked_at(now_s + 1), ElementsAre(std::string{id}));
  EXPECT_FALSE(connects(token));
  EXPECT_FALSE(may_subscribe());
  directory.replace("denied", "");
  EXPECT_THAT(kicked_at(now_s + 2), IsEmpty());
  EXPECT_TRUE(connects(token));
}

TEST_F(GateTest, KeepsTheDenylistThatItHasWhenTheFileBreaksOrGoes) {
  directory.replace("denied", "sub:a4cf12e0a1b2\n");
  ASSERT_TRUE(start());
  directory.replace("denied", "garbage\n");
  kicked_at(now_s + 1);
  EXPECT_FALSE(connects(token_by(1)));
  std::filesystem::remove(directory / "denied");
  kicked_at(now_s + 2);
  EXPECT_FALSE(connects(token_by(1)));
}

TEST_F(GateTest, KnowsANewIssuerKeyAtTheNextTick) {
  ASSERT_TRUE(start());
  EXPECT_FALSE(connects(token_by(2)));
  directory.replace("jwks.json", both_keys());
  kicked_at(now_s + 1);
  EXPECT_TRUE(connects(token_by(2)));
}

TEST_F(GateTest, DropsNobodyWhenAKeyIsAdded) {
  ASSERT_TRUE(start());
  ASSERT_TRUE(connects(token_by(1)));
  directory.replace("jwks.json", both_keys());
  EXPECT_THAT(kicked_at(now_s + 1), IsEmpty());
  EXPECT_TRUE(may_subscribe());
  EXPECT_TRUE(connects(token_by(1)));
}

TEST_F(GateTest, EndsWhoCameByAKeyThatIsWithdrawn) {
  directory.replace("jwks.json", both_keys());
  ASSERT_TRUE(start());
  const std::string token = token_by(1);
  ASSERT_TRUE(connects(token));
  directory.replace("jwks.json", jwks(key_number(2).public_key(), "issuer-2"));
  EXPECT_THAT(kicked_at(now_s + 1), ElementsAre(std::string{id}));
  EXPECT_FALSE(connects(token));
  EXPECT_TRUE(connects(token_by(2)));
}

TEST_F(GateTest, EndsWhoCameByAKeyWhoseNameAnotherHasNow) {
  ASSERT_TRUE(start());
  const std::string token = token_by(1);
  ASSERT_TRUE(connects(token));
  directory.replace("jwks.json", jwks(key_number(2).public_key(), "issuer-1"));
  EXPECT_THAT(kicked_at(now_s + 1), ElementsAre(std::string{id}));
  EXPECT_FALSE(connects(token));
}

TEST_F(GateTest, KeepsItsKeysAndComplainsOnceWhenTheFileBreaksOrGoes) {
  ASSERT_TRUE(start());
  log.clear();
  directory.replace("jwks.json", "{");
  kicked_at(now_s + 1);
  kicked_at(now_s + 2);
  EXPECT_THAT(log, SizeIs(1));
  EXPECT_THAT(log, Contains(HasSubstr("stay in force")));
  std::filesystem::remove(directory / "jwks.json");
  for (std::int64_t second = 3; second < 3600; ++second) kicked_at(now_s + second);
  EXPECT_THAT(log, SizeIs(2));
  EXPECT_TRUE(connects(token_by(1)));
}

TEST_F(GateTest, ReadsItsFilesEvenWhenTheBrokerNeverTicks) {
  ASSERT_TRUE(start());
  directory.replace("jwks.json", both_keys());
  EXPECT_TRUE(connects(token_by(2), client, now_s + 60));
}

TEST_F(GateTest, WorksOnceASecondHoweverOftenItIsAsked) {
  ASSERT_TRUE(start());
  kicked_at(now_s + 1);
  directory.replace("jwks.json", both_keys());
  for (int i = 0; i < 100; ++i) kicked_at(now_s + 1);
  EXPECT_FALSE(connects(token_by(2)));
  kicked_at(now_s + 2);
  EXPECT_TRUE(connects(token_by(2)));
}

TEST_F(GateTest, KicksAHundredInATickAndTheRestInTheNext) {
  ASSERT_TRUE(start());
  for (int i = 0; i < 150; ++i) {
    Minted minted;
    const std::string name = "d" + std::to_string(i);
    minted.client_id = token::testing::in_quotes(name);
    ASSERT_TRUE(gate.authenticate(client, name, mac, minted.signed_by(key_number(1)), now_s));
  }
  directory.replace("denied", "sub:a4cf12e0a1b2\n");
  EXPECT_THAT(kicked_at(now_s + 1), SizeIs(100));
  EXPECT_THAT(kicked_at(now_s + 2), SizeIs(50));
  EXPECT_THAT(kicked_at(now_s + 3), IsEmpty());
}

}  // namespace
}  // namespace otaria::broker_plugin
