#include "server/identity/rate_limit.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

constexpr std::int64_t now = 1'790'000'000'000;

TEST(RateLimit, LetsABurstThroughAndThenOneAfterEachInterval) {
  RateLimit limit{{.burst = 3, .interval_ms = 2000}};
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limit.take("a", now));
  EXPECT_EQ(limit.take("a", now), 2);
  EXPECT_EQ(limit.take("a", now + 1999), 1);
  EXPECT_FALSE(limit.take("a", now + 2000));
  EXPECT_TRUE(limit.take("a", now + 2000));
}

TEST(RateLimit, KeepsKeysApart) {
  RateLimit limit{{.burst = 1, .interval_ms = 1000}};
  EXPECT_FALSE(limit.take("a", now));
  EXPECT_TRUE(limit.take("a", now));
  EXPECT_FALSE(limit.take("b", now));
}

TEST(RateLimit, RefusedTriesDoNotMakeTheWaitLonger) {
  RateLimit limit{{.burst = 1, .interval_ms = 1000}};
  EXPECT_FALSE(limit.take("a", now));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.take("a", now + 10));
  EXPECT_FALSE(limit.take("a", now + 1000));
}

TEST(RateLimit, AClockSetBackLocksNobodyForLongerThanTheWholeBurst) {
  RateLimit limit{{.burst = 2, .interval_ms = 1000}};
  EXPECT_FALSE(limit.take("a", now));
  const std::int64_t back = now - 86'400'000;
  EXPECT_TRUE(limit.take("a", back));
  EXPECT_FALSE(limit.take("a", back + 2000));
}

TEST(RateLimit, AFullTableForgetsWhoeverIsNearestToHisWholeBurst) {
  RateLimit limit{{.burst = 2, .interval_ms = 1000}, 2};
  EXPECT_FALSE(limit.take("heavy", now));
  EXPECT_FALSE(limit.take("heavy", now));
  EXPECT_FALSE(limit.take("light", now));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limit.take("passer-by " + std::to_string(i), now));
  EXPECT_EQ(limit.keys(), 2u);
  EXPECT_TRUE(limit.take("heavy", now));
}

}  // namespace
}  // namespace otaria::server
