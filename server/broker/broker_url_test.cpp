#include "server/broker/broker_url.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

TEST(BrokerUrl, TakesHostAndPortOrTheProtocolsOwnPort) {
  EXPECT_EQ(parse_broker_url("mqtt://broker.local:1884").value().port, 1884);
  EXPECT_EQ(parse_broker_url("mqtt://broker.local").value().port, 1883);
  EXPECT_EQ(parse_broker_url("mqtts://broker.local/").value().port, 8883);
  EXPECT_TRUE(parse_broker_url("mqtts://broker.local").value().tls);
  EXPECT_EQ(parse_broker_url("mqtt://[::1]:1883").value().host, "::1");
  EXPECT_EQ(parse_broker_url("mqtt://[::1]").value().shown(), "mqtt://[::1]:1883");
}

TEST(BrokerUrl, DecodesCredentialsAndNeverShowsThePassword) {
  const BrokerUrl url = parse_broker_url("mqtt://ota:p%40ss%3A@host").value();
  EXPECT_EQ(url.username, "ota");
  EXPECT_EQ(url.password, "p@ss:");
  EXPECT_EQ(url.shown(), "mqtt://ota@host:1883");
  const auto bad = parse_broker_url("mqtt://:secret@host");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.refusal().detail.find("secret"), std::string::npos);
}

TEST(BrokerUrl, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "host",
                           "http://host",
                           "mqtt://",
                           "mqtt://host:0",
                           "mqtt://host:65536",
                           "mqtt://host:1x",
                           "mqtt://[::1",
                           "mqtt://a b",
                           "mqtt://host/path",
                           "mqtt://u%2@h",
                           "mqtt://u%00@h"}) {
    EXPECT_FALSE(parse_broker_url(text)) << text;
  }
}

}  // namespace
}  // namespace otaria::server
