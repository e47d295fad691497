#include <gtest/gtest.h>

#include "contract/ulid.hpp"
#include "operator/cli/failure.hpp"
#include "operator/cli/ulid.hpp"
#include "operator/cli/up.hpp"
#include "operator/cli/update_verbs.hpp"

namespace otaria::cli {
namespace {

TEST(Ulid, IsTheOneOfTheSpecification) {
  EXPECT_EQ(ulid_of(1469918176385, {}),
            "01ARYZ6S410000000000000000");  // the time of the specification's example
  EXPECT_EQ(
      ulid_of((std::uint64_t{1} << 48) - 1, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255}),
      "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, FreshOnesAreWellFormedDistinctAndInOrderOfTime) {
  const std::string first = new_ulid();
  const std::string second = new_ulid();
  EXPECT_TRUE(contract::is_ulid(first)) << first;
  EXPECT_NE(first, second);
  EXPECT_LE(first.substr(0, 10), second.substr(0, 10));
}

TEST(Ulid, OtherTextIsNone) {
  for (const char* text : {"",
                           "1.4.0",
                           "01ARYZ6S41000000000000000",
                           "01ARYZ6S4100000000000000I0",
                           "81ARYZ6S410000000000000000",
                           "01aryz6s410000000000000000"}) {
    EXPECT_FALSE(contract::is_ulid(text)) << text;
  }
}

TEST(Duration, TakesUnits) {
  EXPECT_EQ(duration_from("300"), 300U);
  EXPECT_EQ(duration_from("90s"), 90U);
  EXPECT_EQ(duration_from("5m"), 300U);
  EXPECT_EQ(duration_from("2h"), 7200U);
  EXPECT_EQ(duration_from("1d"), 86400U);
  for (const char* text : {"", "m", "-5", "5 m", "5w", "1.5h", "4294967296", "99999999d", "0x10"}) {
    EXPECT_FALSE(duration_from(text).has_value()) << text;
  }
}

TEST(Time, TakesUnixSecondsUtcAndDistancesFromNow) {
  EXPECT_EQ(time_from("1790000000", 0), 1790000000U);
  EXPECT_EQ(time_from("2026-09-21T14:13:20Z", 0), 1790000000U);
  EXPECT_EQ(time_from("+2h", 1000), 8200U);
  for (const char* text : {"",
                           "0",
                           "+",
                           "+x",
                           "yesterday",
                           "2026-09-21",
                           "2026-09-21T14:13:20",
                           "2026-13-21T14:13:20Z",
                           "1960-01-01T00:00:00Z",
                           "99999999999"}) {
    EXPECT_FALSE(time_from(text, 1000).has_value()) << text;
  }
}

TEST(Endpoint, IsAnAddressWithAPort) {
  EXPECT_EQ(endpoint_from("127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(endpoint_from("[::1]:80")->address, "::1");
  EXPECT_EQ(host_and_port({"::1", 80}), "[::1]:80");
  for (const char* text : {"", "8080", ":8080", "a:", "a:0", "a:65536", "a:b"})
    EXPECT_FALSE(endpoint_from(text).has_value()) << text;
}

TEST(DeviceIds, AreCheckedBeforeAnythingIsSent) {
  EXPECT_NO_THROW(check_device_ids({"sensor_A1B2", "a-b"}));
  for (const std::string id : {"", "a/b", "+", "#", "a b", "0123456789012345678901234567890123"})
    EXPECT_THROW(check_device_ids({id}), Failure) << id;
}

TEST(MosquittoConfiguration, CannotBeExtendedThroughAFoldersName) {
  EXPECT_THROW(mosquitto_configuration("/x\nallow_anonymous true", "127.0.0.1", 1883, ""), Failure);
  EXPECT_THROW(mosquitto_configuration("/x", "127.0.0.1\nlistener 1", 1883, ""), Failure);
  const std::string text = mosquitto_configuration("/a b", "127.0.0.1", 1884, "root");
  EXPECT_NE(text.find("listener 1884 127.0.0.1\n"), std::string::npos);
  EXPECT_NE(text.find("persistence true\n"), std::string::npos);
  EXPECT_NE(text.find("persistence_location /a b/broker/\n"), std::string::npos);
  EXPECT_NE(text.find("user root\n"), std::string::npos);
}

}  // namespace
}  // namespace otaria::cli
