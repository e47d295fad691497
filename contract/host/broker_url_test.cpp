#include "contract/host/broker_url.hpp"

#include <gtest/gtest.h>

namespace otaria::contract {
namespace {

std::string shown(std::string_view text) {
  const auto reading = read_broker_url(text);
  return reading.url ? reading.url->shown() : std::string{reading.defect};
}

TEST(BrokerUrl, TakesHostAndPortOrTheProtocolsOwnPort) {
  EXPECT_EQ(shown("mqtt://127.0.0.1:1884"), "mqtt://127.0.0.1:1884");
  EXPECT_EQ(shown("mqtt://broker_1.example"), "mqtt://broker_1.example:1883");
  EXPECT_EQ(shown("mqtts://broker.example/"), "mqtts://broker.example:8883");
  EXPECT_EQ(shown("mqtt://[::1]"), "mqtt://[::1]:1883");
  EXPECT_EQ(shown("mqtts://[fe80::1%eth0]:9"), "mqtts://[fe80::1%eth0]:9");
}

TEST(BrokerUrl, DecodesCredentialsAndNeverShowsThePassword) {
  const auto full = read_broker_url("mqtts://us%40er:p%3A%2Fw@[fe80::1]:4444/").url;
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->tls);
  EXPECT_EQ(full->username, "us@er");
  EXPECT_EQ(full->password, "p:/w");
  EXPECT_EQ(full->host, "fe80::1");
  EXPECT_EQ(full->port, 4444);
  EXPECT_EQ(full->shown(), "mqtts://us%40er@[fe80::1]:4444");
  EXPECT_EQ(read_broker_url("mqtt://user@host").url->password, "");
}

TEST(BrokerUrl, WhatItShowsReadsAsTheSamePlaceAndUser) {
  for (const char* user : {"a%3Ab", "%25zz", "%C3%A4", "a%2Fb"}) {
    const auto url = read_broker_url("mqtt://" + std::string{user} + ":secret@host").url;
    ASSERT_TRUE(url) << user;
    const auto again = read_broker_url(url->shown()).url;
    ASSERT_TRUE(again) << url->shown();
    EXPECT_EQ(again->username, url->username);
    EXPECT_EQ(again->password, "");
  }
}

TEST(BrokerUrl, WhatIsNoneHasADefect) {
  for (const char* text : {"",
                           "broker",
                           "127.0.0.1:1883",
                           "http://x",
                           "MQTT://x",
                           "mqtt://",
                           "mqtt://:1883",
                           "mqtt://x:",
                           "mqtt://x:0",
                           "mqtt://x:65536",
                           "mqtt://x:1883x",
                           "mqtt://x:-1",
                           "mqtt://[::1",
                           "mqtt://[]",
                           "mqtt://[a%b]",
                           "mqtt://[::1]x",
                           "mqtt://a b",
                           "mqtt://x/topic",
                           "mqtt://@x",
                           "mqtt://:secret@x",
                           "mqtt://%zz@x",
                           "mqtt://a%2@x",
                           "mqtt://a%@x",
                           "mqtt://a%00b@x"}) {
    const auto reading = read_broker_url(text);
    EXPECT_FALSE(reading.url) << text;
    EXPECT_NE(reading.defect, "") << text;
  }
}

TEST(BrokerUrl, InAnErrorSentenceItHasNoCredentials) {
  EXPECT_EQ(without_credentials("mqtt://me:p@ss@host:0"), "…@host:0");
  EXPECT_EQ(without_credentials("me:secret@"), "…@");
  EXPECT_EQ(without_credentials("http://host"), "http://host");
}

TEST(BrokerUrl, WithANulAmongItsCredentialsIsNone) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(read_broker_url("mqtt://us\0er:p@broker.example"sv).url);
  EXPECT_FALSE(read_broker_url("mqtt://user:p\0w@broker.example"sv).url);
  EXPECT_FALSE(read_broker_url("mqtt://us%00er@broker.example"sv).url);
}

}  // namespace
}  // namespace otaria::contract
