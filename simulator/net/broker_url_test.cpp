#include "simulator/net/broker_url.hpp"

#include <gtest/gtest.h>

namespace otaria::simulator {
namespace {

std::string text_of(const std::optional<BrokerAddress>& broker) {
  if (!broker) return "none";
  return broker->host + " " + std::to_string(broker->port) + (broker->tls ? " tls" : "");
}

TEST(BrokerUrl, NamesHostPortAndTls) {
  EXPECT_EQ(text_of(broker_from_url("mqtt://127.0.0.1:1884")), "127.0.0.1 1884");
  EXPECT_EQ(text_of(broker_from_url("mqtt://broker.example")), "broker.example 1883");
  EXPECT_EQ(text_of(broker_from_url("mqtts://broker.example/")), "broker.example 8883 tls");
  EXPECT_EQ(text_of(broker_from_url("mqtts://[::1]:9")), "::1 9 tls");
}

TEST(BrokerUrl, AnythingElseIsNone) {
  for (const char* url : {"",
                          "mqtt://",
                          "http://127.0.0.1",
                          "127.0.0.1:1883",
                          "mqtt://host:",
                          "mqtt://host:0",
                          "mqtt://host:65536",
                          "mqtt://host:1883x",
                          "mqtt://host/topic",
                          "mqtt://user:secret@host",
                          "mqtt://[::1",
                          "mqtt://[::1]x",
                          "mqtt://ho st",
                          "MQTT://host"}) {
    EXPECT_EQ(text_of(broker_from_url(url)), "none") << url;
  }
}

}  // namespace
}  // namespace otaria::simulator
