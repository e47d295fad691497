#include "server/broker/plugin/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otaria::broker_plugin {
namespace {

using ::testing::HasSubstr;

TEST(Settings, NeedNothingButTheKeys) {
  const auto reading = read_settings({{"jwks", "/keys.json"}});
  EXPECT_EQ(reading.error, "");
  EXPECT_EQ(reading.settings.jwks, "/keys.json");
  EXPECT_EQ(reading.settings.issuer, "otaria");
  EXPECT_EQ(reading.settings.audience, "otaria");
  EXPECT_FALSE(reading.settings.denylist);
}

TEST(Settings, TakeEveryOption) {
  const auto reading =
      read_settings({{"issuer", "i"}, {"audience", "a"}, {"jwks", "/k"}, {"denylist", "/d"}});
  EXPECT_EQ(reading.error, "");
  EXPECT_EQ(reading.settings.issuer, "i");
  EXPECT_EQ(reading.settings.audience, "a");
  EXPECT_EQ(reading.settings.denylist, "/d");
}

TEST(Settings, RefuseASlipThatWouldOpenTheBroker) {
  EXPECT_THAT(read_settings({}).error, HasSubstr("plugin_opt_jwks is missing"));
  EXPECT_THAT(read_settings({{"jwks", "/k"}, {"denylst", "/d"}}).error,
              HasSubstr("denylst is unknown"));
  EXPECT_THAT(read_settings({{"jwks", "/k"}, {"denylist", ""}}).error, HasSubstr("is empty"));
  EXPECT_THAT(read_settings({{"jwks", "/k"}, {"jwks", "/l"}}).error, HasSubstr("twice"));
}

}  // namespace
}  // namespace otaria::broker_plugin
