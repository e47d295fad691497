#include "server/broker/ingest.hpp"

#include <gtest/gtest.h>

#include "server/broker/testing/child_process.hpp"
#include "server/broker/testing/temporary_store.hpp"

namespace otaria::server {
namespace {

std::string status(int seq) {
  return R"({"id":"a","version":"1.3.0","state":"received","seq":)" + std::to_string(seq) + "}";
}

/// Fails as a full disk does until it is told to work.
class FailingStore final : public Store {
 public:
  explicit FailingStore(Store& inner) : inner_{inner} {}
  void read(const std::function<void(StoreView&)>& work) override { inner_.read(work); }
  void write(const std::function<void(StoreTransaction&)>& work) override {
    ++attempts;
    if (failing) throw DatabaseError{"disk full"};
    inner_.write([&](StoreTransaction& transaction) {
      work(transaction);
      if (transaction.device("poison")) throw DatabaseError{"constraint failed", false};
    });
  }
  void on_commit(std::function<void(const Changes&)> observer) override {
    inner_.on_commit(std::move(observer));
  }
  void ping() override { inner_.ping(); }

  std::atomic<bool> failing{true};
  std::atomic<int> attempts{0};

 private:
  Store& inner_;
};

class Ingesting : public ::testing::Test {
 protected:
  std::size_t recorded() {
    return store_.read([](StoreView& v) { return v.statuses("a", "", {.limit = 0}); }).size();
  }
  testing::TemporaryStore store_;
  BrokerCounters counters_;
};

TEST_F(Ingesting, KeepsManyReportsInFewTransactions) {
  {
    Ingest ingest{*store_, Deadlines{}, IngestConfig{}, system_unix_ms, counters_};
    for (int i = 1; i <= 500; ++i) ingest.offer("a/ota/status", status(i), false);
  }  // its end keeps what was offered
  EXPECT_EQ(recorded(), 500u);
  EXPECT_LT(counters_.batches, 100u);
}

TEST_F(Ingesting, BadMessagesAreCountedAndHarmNobodyElse) {
  {
    Ingest ingest{*store_, Deadlines{}, IngestConfig{}, system_unix_ms, counters_};
    ingest.offer("a/ota/status", "\x01garbage", false);
    ingest.offer("b/ota/status", status(1), false);  // another's id
    ingest.offer("a/ota/state", "", true);
    ingest.offer("a/ota/status", status(1), false);
  }
  EXPECT_EQ(counters_.bad_messages, 3u);
  EXPECT_EQ(recorded(), 1u);
}

TEST_F(Ingesting, ADatabaseThatRefusesIsTriedUntilItWorks) {
  FailingStore failing{*store_};
  IngestConfig config;
  config.retry_wait = std::chrono::milliseconds{1};
  Ingest ingest{failing, Deadlines{}, config, system_unix_ms, counters_};
  ingest.offer("a/ota/status", status(1), false);
  ASSERT_TRUE(testing::comes_true([&] { return failing.attempts > 2; }));
  failing.failing = false;
  EXPECT_TRUE(testing::comes_true([&] { return recorded() == 1; }));
  EXPECT_EQ(counters_.dropped, 0u);
}

TEST_F(Ingesting, AMessageTheDatabaseWillNeverTakeIsDroppedAlone) {
  FailingStore poisoned{*store_};
  poisoned.failing = false;
  {
    Ingest ingest{poisoned, Deadlines{}, IngestConfig{}, system_unix_ms, counters_};
    ingest.offer("a/ota/status", status(1), false);
    ingest.offer("poison/ota/status",
                 R"({"id":"poison","version":"1.3.0","state":"received","seq":1})",
                 false);
    ingest.offer("a/ota/status", status(2), false);
  }
  EXPECT_EQ(recorded(), 2u);
  EXPECT_EQ(counters_.dropped, 1u);
}

TEST_F(Ingesting, AFullQueueDropsAndCountsRatherThanGrow) {
  FailingStore failing{*store_};
  IngestConfig config;
  config.queue_limit = 10;
  config.full_wait = std::chrono::milliseconds{1};
  Ingest ingest{failing, Deadlines{}, config, system_unix_ms, counters_};
  for (int i = 1; i <= 100; ++i) ingest.offer("a/ota/status", status(i), false);
  EXPECT_LE(ingest.queued(), 10u);
  EXPECT_GE(counters_.dropped, 70u);
}

}  // namespace
}  // namespace otaria::server
