#include "device/download/backoff.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

namespace otaria::device {
namespace {

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint32_t value) : value_{value} {}
  std::uint32_t next() override { return value_; }

 private:
  std::uint32_t value_;
};

class CountingRandom final : public Random {
 public:
  std::uint32_t next() override { return next_ += 7919; }

 private:
  std::uint32_t next_ = 0;
};

TEST(Backoff, DoublesUpToItsLimit) {
  FixedRandom least{0};
  Backoff backoff{1000, 60000};
  for (const std::uint32_t full : {1000U, 2000U, 4000U, 8000U, 16000U, 32000U, 60000U, 60000U}) {
    EXPECT_EQ(backoff.next(least), full / 2);
  }
  EXPECT_EQ(backoff.failures(), 8U);
}

TEST(Backoff, WaitsBetweenHalfAndAllOfIt) {
  for (std::uint32_t random = 0; random < 5000; ++random) {
    FixedRandom fixed{random};
    Backoff backoff{1001, 60000};
    const std::uint32_t wait = backoff.next(fixed);
    EXPECT_GE(wait, 500U);
    EXPECT_LE(wait, 1001U);
  }
}

TEST(Backoff, ScattersAFleet) {
  CountingRandom random;
  std::set<std::uint32_t> waits;
  for (int device = 0; device < 100; ++device) waits.insert(Backoff(1000, 60000).next(random));
  EXPECT_GT(waits.size(), 80U);
}

TEST(Backoff, StartsAnewAfterReset) {
  FixedRandom least{0};
  Backoff backoff{1000, 60000};
  for (int i = 0; i < 5; ++i) backoff.next(least);
  backoff.reset();
  EXPECT_EQ(backoff.failures(), 0U);
  EXPECT_EQ(backoff.next(least), 500U);
}

TEST(Backoff, StaysAtItsLimitForEver) {
  FixedRandom most{0xFFFFFFFF};
  Backoff backoff{0x80000000, 0xFFFFFFFF};
  for (int i = 0; i < 1000; ++i) EXPECT_GE(backoff.next(most), 0x40000000U);
}

TEST(Backoff, OfZeroDoesNotWait) {
  FixedRandom any{12345};
  Backoff backoff{0, 0};
  for (int i = 0; i < 30; ++i) EXPECT_EQ(backoff.next(any), 0U);
}

}  // namespace
}  // namespace otaria::device
