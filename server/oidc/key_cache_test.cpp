#include "server/oidc/key_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "server/oidc/testing/provider.hpp"

namespace otaria::server::oidc {
namespace {

using testing::Provider;

/// A loader that counts, and a clock that stands until it is set.
class Cache : public ::testing::Test {
 protected:
  Cache()
      : cache_{[this] {
                 ++loads_;
                 if (fails_) throw std::runtime_error{"the provider is away"};
                 return text_;
               },
               [this] { return now_s_ * 1000; }} {}

  std::string text_ = Provider{}.key_set();
  std::atomic<int> loads_ = 0;
  std::atomic<bool> fails_ = false;
  std::atomic<std::int64_t> now_s_ = 1'790'000'000;
  KeyCache cache_;
};

TEST_F(Cache, AsksForUnknownKeysAtMostOnceAMinute) {
  for (int i = 0; i < 1000; ++i) cache_.newer();
  EXPECT_EQ(loads_, 1);
  now_s_ += 59;
  cache_.newer();
  EXPECT_EQ(loads_, 1);
  now_s_ += 1;
  cache_.newer();
  EXPECT_EQ(loads_, 2);
}

TEST_F(Cache, AsksAgainWhenTheClockWasSetBack) {
  cache_.newer();
  now_s_ -= 1'000'000;
  cache_.newer();
  EXPECT_EQ(loads_, 2);
}

TEST_F(Cache, KeepsItsKeysWhileTheProviderIsAwayOrTalksNonsense) {
  cache_.load();
  fails_ = true;
  cache_.load();
  EXPECT_EQ(cache_.keys()->size(), 2u);
  fails_ = false;
  text_ = "<html>";
  cache_.load();
  EXPECT_EQ(cache_.keys()->size(), 2u);
}

TEST_F(Cache, FetchesOnAThreadOfItsOwn) {
  cache_.start();
  EXPECT_EQ(cache_.newer()->size(), 2u);
}

TEST(KeyFile, ThatIsNotThereOrTooLongIsNamed) {
  EXPECT_THROW(keys_in_file("/nowhere/jwks.json")(), std::runtime_error);
  EXPECT_THROW(keys_at_url("http://127.0.0.1:1/jwks.json", "")(), std::runtime_error);
  EXPECT_THROW(keys_at_url("file:///etc/passwd", "")(), std::runtime_error);
}

}  // namespace
}  // namespace otaria::server::oidc
