#include "contract/token/denylist.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otaria::token {
namespace {

using ::testing::HasSubstr;

Denylist list_of(std::string_view text) {
  auto reading = Denylist::parse(text);
  EXPECT_TRUE(reading.list) << reading.error;
  return reading.list.value_or(Denylist{});
}

TEST(Denylist, DeniesWhomItNames) {
  const Denylist list = list_of("sub:a4cf12e0a1b2\njti:Zk3vQ1xT0aBc\n");
  EXPECT_TRUE(list.denies("a4cf12e0a1b2", "other", 0));
  EXPECT_TRUE(list.denies("other", "Zk3vQ1xT0aBc", 0));
  EXPECT_FALSE(list.denies("other", "other", 0));
  // A subject's name says nothing about tokens, and the other way round.
  EXPECT_FALSE(list.denies("Zk3vQ1xT0aBc", "a4cf12e0a1b2", 0));
}

TEST(Denylist, AdmitsAgainFromTheSecondNamed) {
  const Denylist list = list_of("sub:a4cf12e0a1b2 until:1790000000");
  EXPECT_TRUE(list.denies("a4cf12e0a1b2", "", 1789999999));
  EXPECT_FALSE(list.denies("a4cf12e0a1b2", "", 1790000000));
}

TEST(Denylist, CountsTheLongerOfTwoEntries) {
  EXPECT_TRUE(list_of("sub:x until:10\nsub:x\nsub:x until:20").denies("x", "", 1000));
}

TEST(Denylist, MayBeEmptyAndCommented) {
  EXPECT_EQ(list_of("").size(), 0U);
  EXPECT_EQ(list_of("# who lost his sensor\n\r\n\nsub:x\r\n").size(), 1U);
}

TEST(Denylist, IsUnreadableAsAWholeWhenOneLineIs) {
  for (const char* bad : {"a4cf12e0a1b2",
                          "sub:",
                          "sub: x",
                          "sub:x ",
                          "sub:x until:",
                          "sub:x until:soon",
                          "sub:x until:-1",
                          "sub:x until:99999999999",
                          "sub:x until:10 more",
                          "sub:x  until:10",
                          "SUB:x",
                          " sub:x",
                          "jti:a\tb"}) {
    const auto reading = Denylist::parse(std::string{"sub:y\n"} + bad + "\n");
    EXPECT_FALSE(reading.list) << bad;
    EXPECT_THAT(reading.error, HasSubstr("line 2")) << bad;
  }
  EXPECT_FALSE(Denylist::parse("sub:" + std::string(65, 'x')).list);
  EXPECT_TRUE(Denylist::parse("sub:" + std::string(64, 'x')).list);
}

}  // namespace
}  // namespace otaria::token
