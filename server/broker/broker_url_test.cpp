#include "server/broker/broker_url.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

TEST(BrokerUrl, IsReadOrRefusedByTheContract) {
  EXPECT_EQ(parse_broker_url("mqtts://ota:p%40ss@[::1]/").value().shown(),
            "mqtts://ota@[::1]:8883");
  const auto bad = parse_broker_url("mqtt://host:0");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.refusal().code, "bad_url");
  EXPECT_EQ(bad.refusal().detail,
            "\"mqtt://host:0\" is no broker URL: the port is not a number from 1 to 65535");
}

TEST(BrokerUrl, NoRefusalShowsAUserOrPassword) {
  for (const char* text :
       {"mqtt://:secret@host", "mqtt://me:secret@host:0", "mqtt//me:secret@host"}) {
    const auto bad = parse_broker_url(text);
    ASSERT_FALSE(bad) << text;
    EXPECT_EQ(bad.refusal().detail.find("secret"), std::string::npos) << bad.refusal().detail;
    EXPECT_NE(bad.refusal().detail.find("@host"), std::string::npos) << bad.refusal().detail;
  }
}

}  // namespace
}  // namespace otaria::server
