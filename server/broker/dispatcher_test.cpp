#include "server/broker/dispatcher.hpp"

#include <gtest/gtest.h>

#include "server/broker/testing/temporary_store.hpp"

namespace otaria::server {
namespace {

class Dispatching : public ::testing::Test {
 protected:
  void SetUp() override {
    store_.write([](StoreTransaction& t) {
      for (const char* id : {"a", "b"}) {
        Device device;
        device.id = id;
        device.product = "sensor";
        device.version = "1.3.0";
        device.mode = "development";
        t.put_device(device);
      }
      Release release;
      release.id = "R1";
      release.product = "sensor";
      release.version = "1.4.0";
      release.chip = "esp32s3";
      release.size = 1000;
      release.sha256 = std::string(64, 'a');
      t.add_release(release);
    });
  }
  SendRequest to(std::vector<std::string> devices) {
    SendRequest request;
    request.devices = std::move(devices);
    request.release = "1.4.0";
    return request;
  }
  std::string code(const SendRequest& request) {
    const auto sent = dispatcher_.send(request);
    return sent ? "sent" : sent.refusal().code;
  }
  std::optional<OutboxRow> outbox(const std::string& device) {
    return store_.read([&](StoreView& v) { return v.outbox_row(device); });
  }
  Deployment deployment(const std::string& id) {
    return *store_.read([&](StoreView& v) { return v.deployment(id); });
  }

  std::int64_t now_ms_ = 1'790'000'000'000;
  testing::TemporaryStore store_;
  UlidGenerator ulids_{1};
  Downloads downloads_{{}, "http://10.0.0.1:8080", 0};
  Dispatcher dispatcher_{*store_, ulids_, Deadlines{}, downloads_, [this] { return now_ms_; }};
};

TEST_F(Dispatching, WritesUpdateAndOutboxRowTogether) {
  const auto sent = dispatcher_.send(to({"a", "b", "a"}));
  ASSERT_TRUE(sent);
  ASSERT_EQ(sent.value().size(), 2u);
  EXPECT_EQ(sent.value()[0].from, "1.3.0");
  EXPECT_EQ(outbox("a")->update, sent.value()[0].id);
  EXPECT_EQ(outbox("b")->update, sent.value()[1].id);
}

TEST_F(Dispatching, SendsToAllOrToNone) {
  EXPECT_EQ(code(to({"a", "nobody"})), "unknown_device");
  EXPECT_FALSE(outbox("a").has_value());
  EXPECT_TRUE(store_.read([](StoreView& v) { return v.deployments({}, {}); }).empty());
}

TEST_F(Dispatching, NamesWhyNot) {
  SendRequest request = to({"a"});
  request.release = "9.9.9";
  EXPECT_EQ(code(request), "unknown_release");
  request = to({});
  EXPECT_EQ(code(request), "bad_request");
  request = to({"a"});
  request.deadline = 1;
  EXPECT_EQ(code(request), "deadline_passed");
  request = to({"a"});
  request.external = ExternalImage{};
  EXPECT_EQ(code(request), "bad_request");
  store_.write([](StoreTransaction& t) {
    Device device = *t.device("a");
    device.mode = "production";
    device.chip = "esp32s3";
    t.put_device(device);
  });
  EXPECT_EQ(code(to({"a"})), "manifest_required");
}

TEST_F(Dispatching, AsksForANewerVersionOnlyOnRequestAndNeverWhenForced) {
  store_.write([](StoreTransaction& t) {
    Device device = *t.device("a");
    device.version = "2.0.0";
    t.put_device(device);
  });
  SendRequest request = to({"a"});
  EXPECT_EQ(code(request), "sent");
  request.only_newer = true;
  EXPECT_EQ(code(request), "not_newer");
  request.force = true;
  EXPECT_EQ(code(request), "sent");
}

TEST_F(Dispatching, OffersAFileThatLiesElsewhere) {
  SendRequest request;
  request.devices = {"a"};
  request.external = ExternalImage{"1.5.0", "https://cdn.example/fw.bin", std::string(64, 'c'), {}};
  const auto sent = dispatcher_.send(request);
  ASSERT_TRUE(sent);
  EXPECT_FALSE(sent.value()[0].release.has_value());
  request.external->sha256 = "ABC";
  EXPECT_EQ(code(request), "bad_request");
  request.external->sha256 = std::string(64, 'c');
  request.external->url = "https://cdn.example/" + std::string(300, 'x');
  EXPECT_EQ(code(request), "notice_too_long");
}

TEST_F(Dispatching, ANewerUpdateIsTheOnlyOneOffered) {
  const std::string first = dispatcher_.send(to({"a"})).value()[0].id;
  const std::string second = dispatcher_.send(to({"a"})).value()[0].id;
  EXPECT_EQ(outbox("a")->update, second);
  EXPECT_FALSE(deployment(first).offered());
  EXPECT_FALSE(deployment(first).final());
}

TEST_F(Dispatching, WithdrawsOnceAndEmptiesTheNotice) {
  const std::string id = dispatcher_.send(to({"a"})).value()[0].id;
  const auto withdrawn = dispatcher_.withdraw(id);
  ASSERT_TRUE(withdrawn);
  EXPECT_TRUE(withdrawn.value().final());
  EXPECT_FALSE(outbox("a")->update.has_value());
  EXPECT_EQ(dispatcher_.withdraw(id).refusal().code, "already_final");
  EXPECT_EQ(dispatcher_.withdraw("nothing").refusal().code, "unknown_update");
}

TEST_F(Dispatching, HoldsAnOfferBackUntilItMayBegin) {
  SendRequest request = to({"a"});
  request.not_before = static_cast<std::uint32_t>(now_ms_ / 1000 + 600);
  ASSERT_TRUE(dispatcher_.send(request));
  EXPECT_EQ(outbox("a")->due_at_ms, std::int64_t{*request.not_before} * 1000);
}

TEST_F(Dispatching, WithdrawsAnOfferWhoseDeadlineHasPassed) {
  SendRequest request = to({"a"});
  request.deadline = static_cast<std::uint32_t>(now_ms_ / 1000 + 600);
  const std::string id = dispatcher_.send(request).value()[0].id;
  EXPECT_EQ(dispatcher_.apply_time(), 0u);
  now_ms_ += 601'000;
  EXPECT_EQ(dispatcher_.apply_time(), 1u);
  EXPECT_EQ(deployment(id).error->code, "notice_expired");
  EXPECT_FALSE(outbox("a")->update.has_value());
  EXPECT_EQ(dispatcher_.apply_time(), 0u);
}

TEST_F(Dispatching, MarksASilentUpdateStaleButGoesOnOfferingIt) {
  const std::string id = dispatcher_.send(to({"a"})).value()[0].id;
  now_ms_ += (Deadlines{}.offered + 1) * 1000;
  EXPECT_EQ(dispatcher_.apply_time(), 1u);
  EXPECT_EQ(state_name(deployment(id)), "stale");
  EXPECT_TRUE(deployment(id).offered());
  EXPECT_EQ(outbox("a")->update, id);
}

/// A server whose URLs last a day.
class SignedUrls : public Dispatching {
 protected:
  Downloads signs_{
      {.access = DownloadAccess::signed_url, .secret_file = store_.directory() / "download-secret"},
      "http://10.0.0.1:8080",
      now_ms_ / 1000};
  Dispatcher dispatcher_{*store_, ulids_, Deadlines{}, signs_, [this] { return now_ms_; }};

  /// Sends to "a"; the broker has the notice, the device has answered it.
  Deployment under_way(contract::UpdateState state) {
    Deployment deployment = dispatcher_.send(to({"a"})).value()[0];
    store_.write([&](StoreTransaction& t) {
      deployment.reported = state;
      t.put_deployment(deployment);
      t.set_url_until(deployment.id, *signs_.image(deployment.sha256, now_ms_ / 1000).until);
      t.outbox_answered("a", deployment.id);
    });
    return deployment;
  }
};

TEST_F(SignedUrls, AreRenewedBeforeTheyEndWhileTheImageMayStillBeFetched) {
  const Deployment deployment = under_way(contract::UpdateState::downloading);
  EXPECT_EQ(dispatcher_.renew_urls(), 0u);
  now_ms_ += 86'400'000 - 1;  // less than a quarter of a life is left, whenever it began
  EXPECT_EQ(dispatcher_.renew_urls(), 1u);
  EXPECT_EQ(outbox("a")->update, deployment.id);
  EXPECT_EQ(dispatcher_.renew_urls(), 0u) << "it is due by itself now";
}

TEST_F(SignedUrls, AreNotRenewedOnceTheImageIsFetched) {
  under_way(contract::UpdateState::verifying);
  now_ms_ += 86'400'000;
  EXPECT_EQ(dispatcher_.renew_urls(), 0u);
}

TEST_F(SignedUrls, AreMadeForAnImageOfOursThatWasNamedByItsBareUrl) {
  SendRequest request = to({"a"});
  request.release.clear();
  const std::string sha256(64, 'a');
  request.external = ExternalImage{.version = "1.4.0",
                                   .url = "http://10.0.0.1:8080/firmware/" + sha256 + ".bin",
                                   .sha256 = sha256,
                                   .size = 1000};
  EXPECT_EQ(dispatcher_.send(request).value()[0].url, "");
  request.external->url = "http://cdn.example/firmware/" + sha256 + ".bin";
  EXPECT_EQ(dispatcher_.send(request).value()[0].url, request.external->url);
}

}  // namespace
}  // namespace otaria::server
