#include "server/identity/broker_token.hpp"

#include <gtest/gtest.h>

#include "contract/openssl/crypto.hpp"

namespace otaria::server {
namespace {

const PublishTemplates telemetry{"<id>/telemetry"};
const TokenTimes times{1790000000, 1790086400, "Zk3vQ1xT0aBc"};

TokenSubject device(const std::string& id) {
  return {"a4cf12e0a1b2", id, device_rules(id, telemetry)};
}

std::size_t token_bytes(const std::string& id, BrokerKind kind) {
  return crypto::base64url(token_header("123456789")).size() + 1 +
         crypto::base64url(token_claims(device(id), times, kind)).size() + 1 + 86;
}

TEST(BrokerToken, SaysWhatTheReferenceSays) {
  EXPECT_EQ(token_claims(device("sensor_A1B2"), times, BrokerKind::mosquitto),
            R"({"iss":"otaria","aud":"otaria","sub":"a4cf12e0a1b2","username":"a4cf12e0a1b2",)"
            R"("clientid":"sensor_A1B2","iat":1790000000,"exp":1790086400,"jti":"Zk3vQ1xT0aBc",)"
            R"("acl":{"sub":["sensor_A1B2/firmware/update"],"pub":["sensor_A1B2/ota/status",)"
            R"("sensor_A1B2/ota/state","sensor_A1B2/telemetry"]}})");
}

TEST(BrokerToken, ForRabbitmqHasScopesAndNoAcl) {
  const std::string claims = token_claims(device("sensor_A1B2"), times, BrokerKind::rabbitmq);
  EXPECT_EQ(claims.find("acl"), std::string::npos);
  EXPECT_NE(claims.find(R"("scope":"otaria.configure:*/mqtt-subscription-sensor_A1B2* )"
                        R"(otaria.write:*/mqtt-subscription-sensor_A1B2* )"
                        R"(otaria.read:*/mqtt-subscription-sensor_A1B2* )"
                        R"(otaria.read:*/amq.topic/sensor_A1B2.firmware.update )"
                        R"(otaria.write:*/amq.topic/sensor_A1B2.ota.* )"
                        R"(otaria.write:*/amq.topic/sensor_A1B2.telemetry"})"),
            std::string::npos)
      << claims;
}

TEST(BrokerToken, OfAServerReadsEveryReportAndWritesEveryNotice) {
  const TopicRules rules = server_rules();
  EXPECT_EQ(rules.subscribe, (std::vector<std::string>{"+/ota/status", "+/ota/state"}));
  EXPECT_EQ(rules.publish, std::vector<std::string>{"+/firmware/update"});
  EXPECT_EQ(rules.scope,
            "otaria.configure:*/mqtt-subscription-otariad-* "
            "otaria.write:*/mqtt-subscription-otariad-* otaria.read:*/mqtt-subscription-otariad-* "
            "otaria.read:*/amq.topic/*.ota.* otaria.write:*/amq.topic/*.firmware.update");
}

TEST(BrokerToken, OfAMonitorWritesNothing) {
  EXPECT_TRUE(monitor_rules("monitor-lab").publish.empty());
  EXPECT_EQ(monitor_rules("monitor-lab").scope.find("write:*/amq.topic"), std::string::npos);
}

struct Size {
  std::size_t id;
  BrokerKind kind;
  std::size_t token, packet;
};

class Sizes : public testing::TestWithParam<Size> {};

// The table of the reference: ids of 11, 19 and 32 characters, a will with a version of five
// characters and a session of two digits.
TEST_P(Sizes, AreThoseOfTheReference) {
  const std::string id(GetParam().id, 'x');
  const std::size_t token = token_bytes(id, GetParam().kind);
  EXPECT_EQ(token, GetParam().token);
  EXPECT_EQ(connect_bytes(id, "a4cf12e0a1b2", token, will_bytes(id, 5, 2)), GetParam().packet);
}

INSTANTIATE_TEST_SUITE_P(Table,
                         Sizes,
                         testing::Values(Size{11, BrokerKind::mosquitto, 528, 661},
                                         Size{19, BrokerKind::emqx, 582, 739},
                                         Size{32, BrokerKind::mosquitto, 668, 864},
                                         Size{11, BrokerKind::rabbitmq, 750, 883},
                                         Size{19, BrokerKind::rabbitmq, 824, 981},
                                         Size{32, BrokerKind::rabbitmq, 946, 1142},
                                         Size{11, BrokerKind::all, 919, 1052},
                                         Size{19, BrokerKind::all, 1036, 1193},
                                         Size{32, BrokerKind::all, 1227, 1423}));

TEST(BrokerToken, IsRefusedWithTheFiguresWhenADeviceCouldNotSendIt) {
  const std::string id(32, 'x');
  const auto refusal =
      judge_token_size(device(id), token_bytes(id, BrokerKind::all), BrokerKind::all);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, "token_too_long");
  EXPECT_NE(refusal->detail.find("1227 bytes"), std::string::npos) << refusal->detail;
  EXPECT_NE(refusal->detail.find("1024"), std::string::npos) << refusal->detail;
}

TEST(BrokerToken, FitsForOneBrokerAtTheLengthsThatTheReferencePromises) {
  for (const auto& [length, kind] : {std::pair{32, BrokerKind::mosquitto},
                                     std::pair{32, BrokerKind::emqx},
                                     std::pair{19, BrokerKind::rabbitmq}}) {
    const std::string id(static_cast<std::size_t>(length), 'x');
    EXPECT_FALSE(judge_token_size(device(id), token_bytes(id, kind), kind)) << length;
  }
}

TEST(BrokerToken, IsMeasuredWithTheLongestVersionADeviceMayEverRun) {
  const std::string id(11, 'x');
  const std::size_t longest =
      1024 - (connect_bytes(id, "a4cf12e0a1b2", 1000, will_bytes(id, 32, 10)) - 1000);
  EXPECT_FALSE(judge_token_size(device(id), longest, BrokerKind::mosquitto));
  EXPECT_TRUE(judge_token_size(device(id), longest + 1, BrokerKind::mosquitto));
}

TEST(BrokerToken, TemplatesNameTopicsBelowTheDevicesOwnId) {
  const auto templates = publish_templates_from("<id>/telemetry, <id>/data/raw");
  ASSERT_TRUE(templates);
  EXPECT_EQ(device_rules("a", templates.value()).publish,
            (std::vector<std::string>{"a/ota/status", "a/ota/state", "a/telemetry", "a/data/raw"}));
  EXPECT_TRUE(publish_templates_from("").value().empty());
}

TEST(BrokerToken, TemplatesThatWouldGiveMoreAreRefused) {
  for (const char* text : {"telemetry",
                           "<id>",
                           "<id>/",
                           "<id>/#",
                           "<id>/+/x",
                           "+/telemetry",
                           "<id>//x",
                           "<id>/x/",
                           "<id>/a.b",
                           "<id>/\"",
                           "<id>/x,,<id>/y",
                           "other/telemetry",
                           "<id>/<id>"}) {
    EXPECT_FALSE(publish_templates_from(text)) << text;
  }
  std::string many = "<id>/x";
  for (int i = 0; i < 8; ++i) many += ",<id>/x";
  EXPECT_FALSE(publish_templates_from(many));
}

TEST(BrokerToken, KindsHaveNamesThatAreReadBack) {
  for (const auto kind :
       {BrokerKind::emqx, BrokerKind::mosquitto, BrokerKind::rabbitmq, BrokerKind::all}) {
    EXPECT_EQ(broker_kind_from(name_of(kind)), kind);
  }
  EXPECT_FALSE(broker_kind_from("hivemq"));
}

}  // namespace
}  // namespace otaria::server
