#include "server/access/lockout.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

TEST(Lockout, LocksASourceThatFailsMoreThanTenTimesAMinute) {
  Lockout lockout;
  for (unsigned i = 0; i < Lockout::failures_allowed; ++i) {
    EXPECT_FALSE(lockout.locked_for("a", 1000));
    lockout.failed("a", 1000);
  }
  EXPECT_FALSE(lockout.locked_for("a", 1000));
  lockout.failed("a", 1020);
  EXPECT_EQ(lockout.locked_for("a", 1020), 40);
  EXPECT_FALSE(lockout.locked_for("b", 1020));
}

TEST(Lockout, EndsAMinuteAfterTheFirstFailure) {
  Lockout lockout;
  for (int i = 0; i < 20; ++i) lockout.failed("a", 1000);
  EXPECT_EQ(lockout.locked_for("a", 1059), 1);
  EXPECT_FALSE(lockout.locked_for("a", 1060));
  lockout.failed("a", 1060);
  EXPECT_FALSE(lockout.locked_for("a", 1060));
}

TEST(Lockout, CountsEachMinuteForItself) {
  Lockout lockout;
  for (std::int64_t minute = 0; minute < 100; ++minute) {
    for (int i = 0; i < 10; ++i) lockout.failed("a", minute * 60);
  }
  EXPECT_FALSE(lockout.locked_for("a", std::int64_t{99} * 60));
}

TEST(Lockout, EndsWhenTheClockWasSetBack) {
  Lockout lockout;
  for (int i = 0; i < 20; ++i) lockout.failed("a", 1'000'000);
  EXPECT_FALSE(lockout.locked_for("a", 1000));
}

TEST(Lockout, OfManySourcesStaysBoundedAndForgetsTheQuietestFirst) {
  Lockout lockout;
  for (int i = 0; i < 50; ++i) lockout.failed("loud", 1000);
  for (std::size_t i = 0; i < 3 * Lockout::most_sources; ++i) {
    lockout.failed("source " + std::to_string(i), 1000);
  }
  EXPECT_EQ(lockout.sources(), Lockout::most_sources);
  EXPECT_TRUE(lockout.locked_for("loud", 1001));
}

}  // namespace
}  // namespace otaria::server
