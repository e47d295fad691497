#include "contract/token/topic_filter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace otaria::token {
namespace {

struct Pair {
  const char* rule;
  const char* asked;
  bool permitted;
};

constexpr Pair subscriptions[] = {
    {"a/b", "a/b", true},
    {"a/b", "a/B", false},
    {"a/b", "a", false},
    {"a/b", "a/b/c", false},
    {"a/b", "a/b/", false},
    {"a/b", "/a/b", false},
    {"a/b", "+/b", false},
    {"a/b", "a/+", false},
    {"a/b", "a/#", false},
    {"a/b", "#", false},
    {"a/b", "+/+", false},
    // `+` is one level: it does not open the levels below it, which EMQX's own matching would.
    {"s/+", "s/x", true},
    {"s/+", "s/+", true},
    {"s/+", "s/#", false},
    {"s/+", "s", false},
    {"s/+", "s/", true},
    {"s/+", "s/x/y", false},
    {"+", "#", false},
    {"+", "x", true},
    {"+/ota/status", "+/ota/status", true},
    {"+/ota/status", "x/ota/status", true},
    {"+/ota/status", "+/ota/+", false},
    {"+/ota/status", "x/y/ota/status", false},
    {"s/#", "s", true},
    {"s/#", "s/#", true},
    {"s/#", "s/+/x/#", true},
    {"s/#", "sx/y", false},
    {"s/#", "#", false},
    {"#", "#", true},
    {"#", "a/+/#", true},
    // A leading wildcard does not reach the topics of the broker.
    {"#", "$SYS/#", false},
    {"#", "$SYS/broker/load", false},
    {"+/broker", "$SYS/broker", false},
    {"+/#", "$CONTROL/x", false},
    {"a/#", "a/$x", true},
    // What is no filter is covered by nothing and covers nothing.
    {"a/#/b", "a/x/b", false},
    {"#", "a/#/b", false},
    {"#", "a/b#", false},
    {"#", "a+/b", false},
    {"a+", "a+", false},
    {"", "", false},
    {"#", "", false},
};

TEST(Covers, PermitsASubscriptionOnlyWhenAllThatItSelectsIsPermitted) {
  for (const auto& [rule, asked, permitted] : subscriptions) {
    EXPECT_EQ(covers(rule, asked), permitted) << rule << " asked for " << asked;
  }
}

std::vector<std::string> texts_of(const std::vector<std::string>& levels) {
  std::vector<std::string> texts = levels;
  for (std::size_t from = 0, depth = 1; depth < 3; ++depth) {
    const std::size_t to = texts.size();
    for (; from < to; ++from) {
      for (const std::string& level : levels) texts.push_back(texts[from] + '/' + level);
    }
  }
  return texts;
}

TEST(Covers, NeverPermitsAFilterThatSelectsMoreThanItsRule) {
  const auto topics = texts_of({"a", "b", "$a", ""});
  const auto filters = texts_of({"a", "+", "#", "$a", ""});
  for (const std::string& rule : filters) {
    for (const std::string& asked : filters) {
      if (!covers(rule, asked)) continue;
      for (const std::string& topic : topics) {
        ASSERT_TRUE(!matches(asked, topic) || matches(rule, topic))
            << rule << " asked for " << asked << ": " << topic;
      }
    }
  }
}

TEST(Covers, RefusesATopicThatIsLongerThanMqttCanSay) {
  EXPECT_TRUE(covers("#", std::string(65535, 'a')));
  EXPECT_FALSE(covers("#", std::string(65536, 'a')));
}

TEST(Covers, RefusesANulInsideATopic) {
  EXPECT_FALSE(covers("#", std::string_view{"a\0b", 3}));
}

TEST(Matches, SelectsTopicsButNeverFilters) {
  EXPECT_TRUE(matches("+/ota/state", "sensor_A1B2/ota/state"));
  EXPECT_TRUE(matches("a/b", "a/b"));
  EXPECT_FALSE(matches("+/ota/state", "+/ota/state"));
  EXPECT_FALSE(matches("#", "#"));
  EXPECT_FALSE(matches("#", "$SYS/broker/uptime"));
}

TEST(SharedSubscription, IsJudgedByItsFilter) {
  EXPECT_EQ(without_share("$share/g/a/b"), "a/b");
  EXPECT_EQ(without_share("$share/g/$SYS/#"), "$SYS/#");
  EXPECT_EQ(without_share("$share/g//b"), "/b");
  // Stripped once only: what stands inside is a filter, not another group.
  EXPECT_EQ(without_share("$share/g/$share/h/a"), "$share/h/a");
}

TEST(SharedSubscription, WithoutGroupOrFilterIsCoveredByNoRule) {
  for (const char* malformed : {"$share/", "$share/g", "$share/g/", "$share//a", "$share"}) {
    EXPECT_EQ(without_share(malformed), malformed);
    EXPECT_FALSE(covers("#", without_share(malformed)));
  }
}

TEST(Rule, MayBeAnyFilterThatEveryBrokerReadsAlike) {
  for (const char* good : {"a", "a/b", "+/ota/status", "a/#", "#", "+", "/", "a//b", "a/$x"}) {
    EXPECT_TRUE(is_rule(good)) << good;
  }
}

TEST(Rule, MayNotSpeakABrokersOwnLanguage) {
  for (const char* bad : {"",
                          "a/#/b",
                          "a#",
                          "a/b+",
                          "$SYS/#",
                          "$share/g/a",
                          "$CONTROL/x",
                          "${clientid}/a",
                          "a/${x}",
                          "eq a/+"}) {
    EXPECT_FALSE(is_rule(bad)) << bad;
  }
}

}  // namespace
}  // namespace otaria::token
