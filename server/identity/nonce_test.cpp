#include "server/identity/nonce.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

constexpr std::int64_t now = 1'790'000'000;

TEST(Nonces, AreFreshForTwoMinutesAndNotASecondLonger) {
  Nonces nonces;
  const std::string nonce = nonces.make(now);
  EXPECT_EQ(nonce.size(), 43u);
  EXPECT_TRUE(nonces.is_fresh(nonce, now));
  EXPECT_TRUE(nonces.is_fresh(nonce, now + 119));
  EXPECT_FALSE(nonces.is_fresh(nonce, now + 120));
}

TEST(Nonces, AreTakenBackOnce) {
  Nonces nonces;
  const std::string nonce = nonces.make(now);
  EXPECT_TRUE(nonces.use(nonce, now + 1));
  EXPECT_FALSE(nonces.use(nonce, now + 1));
  EXPECT_FALSE(nonces.use(nonce, now + 119));
}

TEST(Nonces, AUsedOneStaysUsedWhenTheClockGoesBack) {
  Nonces nonces;
  const std::string nonce = nonces.make(now);
  EXPECT_TRUE(nonces.use(nonce, now + 100));
  EXPECT_FALSE(nonces.use(nonce, now));
}

TEST(Nonces, OfAFutureThatAClockSetBackMadeAreNotFresh) {
  Nonces nonces;
  const std::string nonce = nonces.make(now);
  EXPECT_TRUE(nonces.is_fresh(nonce, now - 5));
  EXPECT_FALSE(nonces.is_fresh(nonce, now - 6));
}

TEST(Nonces, OfAnotherServerOrOfNobodyAreNotFresh) {
  Nonces nonces, others;
  EXPECT_FALSE(nonces.is_fresh(others.make(now), now));
  for (const std::string& text : {std::string{},
                                  std::string(43, 'A'),
                                  std::string(42, 'A'),
                                  std::string(44, 'A'),
                                  std::string(43, '='),
                                  std::string(43, '\0')}) {
    EXPECT_FALSE(nonces.is_fresh(text, now));
  }
}

TEST(Nonces, AreNotFreshWithAnyCharacterChanged) {
  Nonces nonces;
  const std::string nonce = nonces.make(now);
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    std::string changed = nonce;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(nonces.is_fresh(changed, now)) << i;
  }
}

TEST(Nonces, WhenTheMemoryOfUsedOnesIsFullNoMoreAreTakenUntilTheyExpire) {
  Nonces nonces{2};
  EXPECT_TRUE(nonces.use(nonces.make(now), now));
  EXPECT_TRUE(nonces.use(nonces.make(now), now));
  EXPECT_FALSE(nonces.use(nonces.make(now), now));
  EXPECT_TRUE(nonces.use(nonces.make(now + 120), now + 120));
}

}  // namespace
}  // namespace otaria::server
