#include "server/registry/ulid.hpp"

#include <gtest/gtest.h>

#include <set>

namespace otaria::server {
namespace {

TEST(Ulid, WritesTheTimeInItsFirstTenCharacters) {
  UlidGenerator generator{1};
  // The example of the specification: 1469918176385 ms is 01ARYZ6S41.
  const std::string id = generator.next(1469918176385);
  EXPECT_EQ(id.size(), 26u);
  EXPECT_EQ(id.substr(0, 10), "01ARYZ6S41");
}

TEST(Ulid, RisesWithinOneMillisecondAndWhenTheClockGoesBack) {
  UlidGenerator generator{2};
  std::string before = generator.next(1700000000000);
  for (int i = 0; i < 1000; ++i) {
    const std::string id = generator.next(1700000000000 - static_cast<std::uint64_t>(i % 7));
    EXPECT_LT(before, id);
    before = id;
  }
}

TEST(Ulid, OfDifferentSeedsDoNotMeet) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    seen.insert(UlidGenerator{seed}.next(1700000000000));
  }
  EXPECT_EQ(seen.size(), 200u);
}

}  // namespace
}  // namespace otaria::server
