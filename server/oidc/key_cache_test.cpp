#include "server/oidc/key_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <semaphore>
#include <stdexcept>
#include <thread>

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

/// A provider whose every answer waits for the test: two keys at first, then the EC one alone.
class SlowProvider : public ::testing::Test {
 protected:
  ~SlowProvider() override { answers_.release(100); }  // no fetch may outlive the test

  void await_fetch(int number) {
    while (fetches_ < number) std::this_thread::yield();
  }
  std::future<std::size_t> question() {
    return std::async(std::launch::async, [this] { return cache_.newer()->size(); });
  }
  static bool waits(std::future<std::size_t>& question) {
    return question.wait_for(std::chrono::seconds{0}) != std::future_status::ready;
  }

  const Provider provider_;
  std::atomic<int> fetches_ = 0;
  std::atomic<std::int64_t> now_s_ = 1'790'000'000;
  std::counting_semaphore<> answers_{0};
  KeyCache cache_{[this] {
                    const bool first = ++fetches_ == 1;
                    const auto ec = Provider::Json::array({provider_.ec_jwk()});
                    const Provider::Json only_ec{{"keys", ec}};
                    answers_.acquire();
                    return first ? provider_.key_set() : only_ec.dump();
                  },
                  [this] { return now_s_ * 1000; },
                  std::chrono::hours{1}};
};

TEST_F(SlowProvider, IsAwaitedAtTheStartAndThatIsNotTheMinutesQuestion) {
  cache_.start();
  await_fetch(1);
  auto early = question();
  answers_.release(2);
  EXPECT_GE(early.get(), 1u);
  EXPECT_EQ(cache_.newer()->size(), 1u);
  EXPECT_EQ(fetches_, 2);
}

TEST_F(SlowProvider, IsAskedAgainAboutAKeyThatItMayHaveGotWhileItAnswered) {
  cache_.start();
  answers_.release();
  while (cache_.keys()->empty()) std::this_thread::yield();
  auto before = question();
  await_fetch(2);
  now_s_ += KeyCache::seconds_between_questions;
  auto during = question();
  answers_.release();
  EXPECT_EQ(before.get(), 1u);
  await_fetch(3);
  EXPECT_TRUE(waits(during));
  answers_.release();
  EXPECT_EQ(during.get(), 1u);
  EXPECT_EQ(fetches_, 3);
}

TEST(KeyFile, ThatIsNotThereOrTooLongIsNamed) {
  EXPECT_THROW(keys_in_file("/nowhere/jwks.json")(), std::runtime_error);
  EXPECT_THROW(keys_at_url("http://127.0.0.1:1/jwks.json", "")(), std::runtime_error);
  EXPECT_THROW(keys_at_url("file:///etc/passwd", "")(), std::runtime_error);
}

}  // namespace
}  // namespace otaria::server::oidc
