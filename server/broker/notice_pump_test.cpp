#include "server/broker/notice_pump.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "server/broker/testing/child_process.hpp"
#include "server/broker/testing/temporary_store.hpp"

namespace otaria::server {
namespace {

using testing::comes_true;

/// A broker that notes what it gets and acknowledges when told to.
class Pumping : public ::testing::Test {
 protected:
  struct Sent {
    int id;
    std::string topic, payload;
  };

  void SetUp() override {
    store_.write([](StoreTransaction& t) {
      Device device;
      device.id = "a";
      t.put_device(device);
      Deployment deployment;
      deployment.id = "U1";
      deployment.device = "a";
      deployment.target = "1.4.0";
      deployment.sha256 = std::string(64, 'a');
      t.put_deployment(deployment);
      t.put_outbox("a", "U1", 0);
    });
    if (!downloads_) downloads_.emplace(DownloadSettings{}, "http://10.0.0.1:8080", 0);
    NoticePumpConfig config;
    pump_ = std::make_unique<NoticePump>(
        *store_,
        config,
        *downloads_,
        [this](const std::string& topic, std::string_view payload) { return take(topic, payload); },
        [this] { return now_ms_.load(); },
        counters_);
  }
  void TearDown() override { pump_.reset(); }

  std::optional<int> take(const std::string& topic, std::string_view payload) {
    const std::scoped_lock lock{mutex_};
    sent_.push_back({++next_id_, topic, std::string{payload}});
    return next_id_;
  }
  std::size_t count() {
    const std::scoped_lock lock{mutex_};
    return sent_.size();
  }
  Sent last() {
    const std::scoped_lock lock{mutex_};
    return sent_.back();
  }
  bool reaches(std::size_t number) {
    return comes_true([&] { return count() >= number; });
  }
  std::optional<OutboxRow> row() {
    return store_.read([](StoreView& v) { return v.outbox_row("a"); });
  }
  void acknowledge_last() {
    pump_->on_published(last().id);
    ASSERT_TRUE(comes_true([this] { return !row() || row()->attempts > 0; }));
  }

  std::atomic<std::int64_t> now_ms_{1'790'000'000'000};
  testing::TemporaryStore store_;
  std::optional<Downloads> downloads_;
  BrokerCounters counters_;
  std::mutex mutex_;
  std::vector<Sent> sent_;
  int next_id_ = 0;
  std::unique_ptr<NoticePump> pump_;
};

TEST_F(Pumping, PublishesWhatWasDecidedBeforeItStarted) {
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  EXPECT_EQ(last().topic, "a/firmware/update");
  EXPECT_NE(last().payload.find("\"update\":\"U1\""), std::string::npos);
}

TEST_F(Pumping, APubackSettlesNothingButTheTimeOfTheNextRepeat) {
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  acknowledge_last();
  ASSERT_TRUE(row());
  EXPECT_GT(row()->due_at_ms, now_ms_.load());
  now_ms_ = row()->due_at_ms;  // the device has not answered
  pump_->on_outbox_changed();
  EXPECT_TRUE(reaches(2));
}

TEST_F(Pumping, EveryConnectPublishesTheUnansweredAgain) {
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  acknowledge_last();
  pump_->on_lost();
  pump_->on_connected();
  EXPECT_TRUE(reaches(2));
}

TEST_F(Pumping, APublishWithoutPubackIsPublishedAgain) {
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  now_ms_ += NoticePumpConfig{}.puback_limit_ms;
  pump_->on_outbox_changed();
  EXPECT_TRUE(reaches(2));
}

TEST_F(Pumping, AnUpdateThatIsOverIsPublishedAsAnEmptyPayloadOnce) {
  store_.write([](StoreTransaction& t) { t.put_outbox("a", std::nullopt, 0); });
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  EXPECT_EQ(last().payload, "");
  acknowledge_last();
  EXPECT_TRUE(comes_true([this] { return !row().has_value(); }));
  EXPECT_EQ(counters_.withdrawals_published, 1u);
}

TEST_F(Pumping, AnAcknowledgementDoesNotSettleWhatWasDecidedSince) {
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  store_.write([](StoreTransaction& t) { t.put_outbox("a", std::nullopt, 0); });
  pump_->on_published(last().id);
  ASSERT_TRUE(reaches(2));
  EXPECT_EQ(last().payload, "");
}

TEST_F(Pumping, WhileTheBrokerIsAwayTheDecisionsStay) {
  pump_->on_outbox_changed();
  pump_.reset();  // ran, and stopped, without a broker
  EXPECT_EQ(count(), 0u);
  ASSERT_TRUE(row());
  EXPECT_EQ(row()->attempts, 0u);
}

class PumpingSignedUrls : public Pumping {
 protected:
  void SetUp() override {
    downloads_.emplace(DownloadSettings{.access = DownloadAccess::signed_url,
                                        .url_life_s = 100,
                                        .secret_file = store_.directory() / "download-secret"},
                       "http://10.0.0.1:8080",
                       now_ms_ / 1000);
    Pumping::SetUp();
  }
};

TEST_F(PumpingSignedUrls, RemembersWhenTheUrlThatTheBrokerHasEnds) {
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  EXPECT_NE(last().payload.find(".bin?e="), std::string::npos);
  const std::int64_t until = *downloads_->image(std::string(64, 'a'), now_ms_.load() / 1000).until;
  acknowledge_last();
  const auto ending = [&](std::int64_t before) {
    return store_.read([&](StoreView& v) { return v.ending_urls(before, now_ms_.load(), 1); });
  };
  EXPECT_TRUE(ending(until).empty());
  EXPECT_EQ(ending(until + 1).size(), 1u);
}

TEST_F(PumpingSignedUrls, EveryRepeatHasAUrlOfItsOwnTime) {
  pump_->on_connected();
  ASSERT_TRUE(reaches(1));
  const std::string first = last().payload;
  acknowledge_last();
  now_ms_ += 100'000;
  pump_->on_outbox_changed();
  ASSERT_TRUE(reaches(2));
  EXPECT_NE(last().payload, first);
}

}  // namespace
}  // namespace otaria::server
