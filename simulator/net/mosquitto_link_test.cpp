#include "simulator/net/mosquitto_link.hpp"

#include <gmock/gmock.h>
#include <mosquitto.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "simulator/net/test_support/recording_agent.hpp"
#include "simulator/net/test_support/test_broker.hpp"

namespace otaria::simulator {
namespace {

using device::BrokerLink;
using std::chrono::steady_clock;
using testing::ElementsAre;

/// Another client, for what the broker and the rest of the world see.
class Observer {
 public:
  Observer(std::uint16_t port, const std::string& filter)
      : handle_{mosquitto_new(nullptr, true, this)} {
    mosquitto_message_callback_set(handle_, &Observer::on_message);
    mosquitto_subscribe_callback_set(handle_, [](mosquitto*, void* self, int, int, const int*) {
      static_cast<Observer*>(self)->subscribed = true;
    });
    EXPECT_EQ(mosquitto_connect(handle_, "127.0.0.1", port, 60), MOSQ_ERR_SUCCESS);
    mosquitto_subscribe(handle_, nullptr, filter.c_str(), 1);
  }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer() { mosquitto_destroy(handle_); }
  void step() { mosquitto_loop(handle_, 5, 1); }
  void publish(const std::string& topic, const std::string& payload, bool retain) {
    mosquitto_publish(handle_,
                      nullptr,
                      topic.c_str(),
                      static_cast<int>(payload.size()),
                      payload.data(),
                      1,
                      retain);
  }
  static void on_message(mosquitto*, void* self, const mosquitto_message* message) {
    std::string text{message->topic};
    text += message->retain ? " (retained) " : " ";
    text.append(static_cast<const char*>(message->payload),
                static_cast<std::size_t>(message->payloadlen));
    static_cast<Observer*>(self)->seen.push_back(text);
  }

  std::vector<std::string> seen;
  bool subscribed = false;

 private:
  mosquitto* handle_;
};

class MosquittoLinkTest : public testing::Test {
 protected:
  static LinkSettings settings(std::uint16_t port) {
    return {.broker = {.host = "127.0.0.1", .port = port},
            .device_id = "sensor_A1B2",
            .mac = "0200000000a1b2",
            .token = "",
            .trust = {}};
  }
  MosquittoLink::Tell tell() {
    return [this](std::string_view text) { told_.emplace_back(text); };
  }
  /// Moves link and observer on until `done`; false when it does not happen (the limit only ends a
  /// failed test).
  bool run_until(MosquittoLink& link, Observer* observer, const std::function<bool()>& done) {
    const auto limit = steady_clock::now() + std::chrono::seconds{30};
    while (!done()) {
      if (steady_clock::now() > limit) return false;
      link.step();
      while (link.deliver_next(agent_)) {
      }
      if (observer != nullptr) observer->step();
    }
    return true;
  }
  bool connect(MosquittoLink& link) {
    link.connect({}, "the will");
    return run_until(link, nullptr, [&] { return !agent_.events.empty(); }) &&
           agent_.events.back() == "connected";
  }
  bool was_told(const std::string& part) const {
    return std::ranges::any_of(
        told_, [&](const auto& text) { return text.find(part) != std::string::npos; });
  }

  RecordingAgent agent_;
  std::vector<std::string> told_;
};

TEST_F(MosquittoLinkTest, ConnectsSubscribesAndDeliversTheRetainedNotice) {
  TestBroker broker;
  Observer observer{broker.port(), "+/ota/#"};
  observer.publish("sensor_A1B2/firmware/update", "the notice", true);
  observer.publish("sensor_FFFF/firmware/update", "another's", true);
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(connect(link));
  link.subscribe_to_notices();
  ASSERT_TRUE(run_until(link, &observer, [&] { return !agent_.messages.empty(); }));
  EXPECT_THAT(agent_.messages, ElementsAre("the notice"));
  // Asking again brings it again.
  link.subscribe_to_notices();
  ASSERT_TRUE(run_until(link, &observer, [&] { return agent_.messages.size() == 2; }));
  EXPECT_EQ(agent_.messages[1], "the notice");
}

TEST_F(MosquittoLinkTest, AnEmptyNoticeIsDeliveredAsSuch) {
  TestBroker broker;
  Observer observer{broker.port(), "none"};
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(connect(link));
  link.subscribe_to_notices();
  ASSERT_TRUE(run_until(link, &observer, [&] {
    if (agent_.messages.empty()) observer.publish("sensor_A1B2/firmware/update", "", false);
    return !agent_.messages.empty();
  }));
  EXPECT_EQ(agent_.messages[0], "");
  EXPECT_EQ(agent_.true_lengths[0], 0u);
}

TEST_F(MosquittoLinkTest, OfAnOverlongNoticeKeepsWhatFitsAndItsTrueLength) {
  TestBroker broker;
  Observer observer{broker.port(), "none"};
  observer.publish("sensor_A1B2/firmware/update", std::string(5000, 'n'), true);
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(connect(link));
  link.subscribe_to_notices();
  ASSERT_TRUE(run_until(link, &observer, [&] { return !agent_.messages.empty(); }));
  EXPECT_EQ(agent_.messages[0], std::string(1024, 'n'));
  EXPECT_EQ(agent_.true_lengths[0], 5000u);
}

TEST_F(MosquittoLinkTest, PublishesStatusUnretainedAndStateRetainedAndHearsThePubacks) {
  TestBroker broker;
  Observer observer{broker.port(), "+/ota/#"};
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(run_until(link, &observer, [&] { return observer.subscribed; }));
  ASSERT_TRUE(connect(link));
  link.publish(BrokerLink::Topic::status, "{\"state\":\"received\"}");
  ASSERT_TRUE(run_until(
      link, &observer, [&] { return std::ranges::count(agent_.events, "published") == 1; }));
  link.publish(BrokerLink::Topic::state, "{\"online\":true}");
  ASSERT_TRUE(run_until(link, &observer, [&] {
    return std::ranges::count(agent_.events, "published") == 2 && observer.seen.size() == 2;
  }));
  EXPECT_THAT(observer.seen,
              ElementsAre("sensor_A1B2/ota/status {\"state\":\"received\"}",
                          "sensor_A1B2/ota/state {\"online\":true}"));
  Observer late{broker.port(), "+/ota/#"};
  ASSERT_TRUE(run_until(link, &late, [&] { return !late.seen.empty(); }));
  EXPECT_THAT(late.seen, ElementsAre("sensor_A1B2/ota/state (retained) {\"online\":true}"));
}

TEST_F(MosquittoLinkTest, ADroppedLinkMakesTheBrokerPublishTheWill) {
  TestBroker broker;
  Observer observer{broker.port(), "+/ota/#"};
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(run_until(link, &observer, [&] { return observer.subscribed; }));
  ASSERT_TRUE(connect(link));
  link.drop();
  ASSERT_TRUE(run_until(link, &observer, [&] { return !observer.seen.empty(); }));
  EXPECT_THAT(observer.seen, ElementsAre("sensor_A1B2/ota/state the will"));
  EXPECT_THAT(agent_.events, ElementsAre("connected")) << "the dead hear nothing";
}

TEST_F(MosquittoLinkTest, ACleanDisconnectWritesEverythingFirstAndLeavesNoWill) {
  TestBroker broker;
  Observer observer{broker.port(), "+/ota/#"};
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(run_until(link, &observer, [&] { return observer.subscribed; }));
  ASSERT_TRUE(connect(link));
  link.publish(BrokerLink::Topic::state, "offline");
  link.disconnect();
  ASSERT_TRUE(
      run_until(link, &observer, [&] { return !link.is_open() && !observer.seen.empty(); }));
  EXPECT_EQ(agent_.events.back(), "lost");
  observer.publish("end/ota/x", "", false);
  ASSERT_TRUE(run_until(link, &observer, [&] { return observer.seen.size() > 1; }));
  EXPECT_THAT(observer.seen, ElementsAre("sensor_A1B2/ota/state offline", "end/ota/x "));
}

TEST_F(MosquittoLinkTest, LeavingPublishesTheWillItselfAndOnce) {
  TestBroker broker;
  Observer observer{broker.port(), "+/ota/#"};
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(run_until(link, &observer, [&] { return observer.subscribed; }));
  for (int i = 0; i < 5; ++i) {
    agent_.events.clear();
    observer.seen.clear();
    ASSERT_TRUE(connect(link));
    link.leave();
    ASSERT_TRUE(
        run_until(link, &observer, [&] { return !link.is_open() && !observer.seen.empty(); }));
    observer.publish("end/ota/x", "", false);
    ASSERT_TRUE(run_until(link, &observer, [&] { return observer.seen.back() == "end/ota/x "; }));
    EXPECT_THAT(observer.seen, ElementsAre("sensor_A1B2/ota/state the will", "end/ota/x "));
  }
}

TEST_F(MosquittoLinkTest, ABrokerThatDiesIsLost) {
  TestBroker broker;
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(connect(link));
  broker.kill();
  ASSERT_TRUE(run_until(link, nullptr, [&] { return agent_.events.back() == "lost"; }));
  EXPECT_FALSE(link.is_open());
}

TEST_F(MosquittoLinkTest, NoBrokerIsLostAtOnceAndNothingBlocks) {
  MosquittoLink link{settings(free_port()), tell()};
  link.connect({}, "the will");
  ASSERT_TRUE(run_until(link, nullptr, [&] { return !agent_.events.empty(); }));
  EXPECT_THAT(agent_.events, ElementsAre("lost"));
}

TEST_F(MosquittoLinkTest, ANameIsResolvedAsideAndWorksAsAnAddressDoes) {
  TestBroker broker;
  auto named = settings(broker.port());
  named.broker.host = "localhost";
  MosquittoLink link{named, tell()};
  EXPECT_TRUE(connect(link));
}

TEST_F(MosquittoLinkTest, ANameThatDoesNotExistIsLost) {
  auto named = settings(1883);
  named.broker.host = "broker.invalid";
  named.connect_limit = std::chrono::seconds{3};
  MosquittoLink link{named, tell()};
  link.connect({}, "the will");
  ASSERT_TRUE(run_until(link, nullptr, [&] { return !agent_.events.empty(); }));
  EXPECT_THAT(agent_.events, ElementsAre("lost"));
}

TEST_F(MosquittoLinkTest, TheBrokersRefusalIsToldInItsWords) {
  TestBroker broker{std::nullopt, "allow_anonymous false\npassword_file /dev/null"};
  MosquittoLink link{settings(broker.port()), tell()};
  link.connect({}, "the will");
  ASSERT_TRUE(run_until(link, nullptr, [&] { return !agent_.events.empty(); }));
  EXPECT_THAT(agent_.events, ElementsAre("refused", "lost"));
  EXPECT_TRUE(was_told("not authorised")) << testing::PrintToString(told_);
}

TEST_F(MosquittoLinkTest, APacketOfMoreThan1024BytesIsNotSent) {
  TestBroker broker;
  Observer observer{broker.port(), "+/ota/#"};
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(run_until(link, &observer, [&] { return observer.subscribed; }));
  ASSERT_TRUE(connect(link));
  // 3 bytes of fixed header, 2 + 22 of topic, 2 of packet id.
  const std::size_t largest = 1024 - 3 - 2 - std::string_view{"sensor_A1B2/ota/status"}.size() - 2;
  link.publish(BrokerLink::Topic::status, std::string(largest + 1, 'x'));
  link.publish(BrokerLink::Topic::status, std::string(largest, 'y'));
  ASSERT_TRUE(run_until(link, &observer, [&] { return !observer.seen.empty(); }));
  EXPECT_EQ(observer.seen[0], "sensor_A1B2/ota/status " + std::string(largest, 'y'));
  EXPECT_TRUE(was_told("a packet of 1025 bytes"));
}

TEST_F(MosquittoLinkTest, WithoutANetworkConnectingFailsAndAnOpenLinkIsLost) {
  TestBroker broker;
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(connect(link));
  link.set_network(false);
  ASSERT_TRUE(run_until(link, nullptr, [&] { return agent_.events.size() == 2; }));
  link.connect({}, "the will");
  ASSERT_TRUE(run_until(link, nullptr, [&] { return agent_.events.size() == 3; }));
  EXPECT_THAT(agent_.events, ElementsAre("connected", "lost", "lost"));
  link.set_network(true);
  agent_.events.clear();
  EXPECT_TRUE(connect(link));
}

TEST_F(MosquittoLinkTest, TelemetryIsPublishedWithoutDisturbingThePubacks) {
  TestBroker broker;
  Observer observer{broker.port(), "+/telemetry"};
  MosquittoLink link{settings(broker.port()), tell()};
  ASSERT_TRUE(run_until(link, &observer, [&] { return observer.subscribed; }));
  ASSERT_TRUE(connect(link));
  link.publish_telemetry("{\"rssi\":-60}");
  ASSERT_TRUE(run_until(link, &observer, [&] { return !observer.seen.empty(); }));
  EXPECT_THAT(observer.seen, ElementsAre("sensor_A1B2/telemetry {\"rssi\":-60}"));
  EXPECT_THAT(agent_.events, ElementsAre("connected"));
}

TEST_F(MosquittoLinkTest, TlsWorksWithTheRightTrustAnchorOnly) {
  const auto certificate = TestCertificate::make();
  TestBroker broker{certificate};
  auto secure = settings(broker.port());
  secure.broker.tls = true;
  secure.trust.ca_pem = certificate.certificate_pem;
  {
    MosquittoLink link{secure, tell()};
    EXPECT_TRUE(connect(link));
  }
  agent_.events.clear();
  secure.trust.ca_pem = TestCertificate::make().certificate_pem;
  MosquittoLink wary{secure, tell()};
  wary.connect({}, "the will");
  ASSERT_TRUE(run_until(wary, nullptr, [&] { return !agent_.events.empty(); }));
  EXPECT_THAT(agent_.events, ElementsAre("lost"));
}

TEST_F(MosquittoLinkTest, TlsHoldsTheHostToItsPins) {
  const auto certificate = TestCertificate::make();
  TestBroker broker{certificate};
  auto secure = settings(broker.port());
  secure.broker.tls = true;
  secure.trust.ca_pem = certificate.certificate_pem;
  std::vector<contract::Digest> pins{certificate.pin()};
  secure.trust.pins = [&](std::string_view) { return pins; };
  {
    MosquittoLink link{secure, tell()};
    EXPECT_TRUE(connect(link));
  }
  agent_.events.clear();
  pins = {TestCertificate::make().pin()};
  MosquittoLink wary{secure, tell()};
  wary.connect({}, "the will");
  ASSERT_TRUE(run_until(wary, nullptr, [&] { return agent_.events.size() == 2; }));
  EXPECT_THAT(agent_.events, ElementsAre("pin at ", "lost"));
  EXPECT_TRUE(was_told("none of the host's pins")) << testing::PrintToString(told_);
}

TEST_F(MosquittoLinkTest, AWrongPinIsToldForANameToo) {
  const auto certificate = TestCertificate::make();
  TestBroker broker{certificate};
  auto secure = settings(broker.port());
  secure.broker.host = "localhost";
  secure.broker.tls = true;
  secure.trust.ca_pem = certificate.certificate_pem;
  secure.trust.pins = [](std::string_view) {
    return std::vector<contract::Digest>{TestCertificate::make().pin()};
  };
  MosquittoLink link{secure, tell()};
  link.connect({}, "the will");
  ASSERT_TRUE(run_until(link, nullptr, [&] { return agent_.events.size() == 2; }));
  EXPECT_THAT(agent_.events, ElementsAre("pin at ", "lost"));
}

TEST_F(MosquittoLinkTest, ShowsItsCertificateToABrokerThatAsksForOne) {
  const auto certificate = TestCertificate::make();
  const auto own = TestCertificate::make();
  const std::string anchors = testing::TempDir() + "otaria-clients-" + std::to_string(::getpid());
  std::ofstream{anchors} << own.certificate_pem;
  TestBroker broker{certificate, "require_certificate true\ncafile " + anchors};
  auto secure = settings(broker.port());
  secure.broker.tls = true;
  secure.trust.ca_pem = certificate.certificate_pem;
  secure.trust.client = {own.certificate_pem, own.key_pem};
  {
    MosquittoLink link{secure, tell()};
    EXPECT_TRUE(connect(link));
  }
  struct Row {
    const char* what;
    TlsClient client;
  };
  const auto stranger = TestCertificate::make();
  for (const Row& row : {Row{"none", {}},
                         Row{"another's", {stranger.certificate_pem, stranger.key_pem}},
                         Row{"a key that does not fit", {own.certificate_pem, stranger.key_pem}}}) {
    SCOPED_TRACE(row.what);
    agent_.events.clear();
    secure.trust.client = row.client;
    MosquittoLink link{secure, tell()};
    link.connect({}, "the will");
    ASSERT_TRUE(run_until(link, nullptr, [&] { return !agent_.events.empty(); }));
    EXPECT_THAT(agent_.events, ElementsAre("lost"));
  }
  std::remove(anchors.c_str());
}

TEST(TlsClient, SaysWhatIsWrongWithAPair) {
  const auto own = TestCertificate::make();
  const auto other = TestCertificate::make();
  EXPECT_EQ(why_unusable({}), "");
  EXPECT_EQ(why_unusable({own.certificate_pem, own.key_pem}), "");
  EXPECT_EQ(why_unusable({own.certificate_pem + other.certificate_pem, own.key_pem}), "");
  EXPECT_THAT(why_unusable({own.certificate_pem, other.key_pem}),
              testing::HasSubstr("does not belong"));
  EXPECT_THAT(why_unusable({own.key_pem, own.key_pem}), testing::HasSubstr("certificate is none"));
  EXPECT_THAT(why_unusable({own.certificate_pem, own.certificate_pem}),
              testing::HasSubstr("key is none"));
  EXPECT_THAT(why_unusable({own.certificate_pem, ""}), testing::HasSubstr("key is none"));
}

TEST_F(MosquittoLinkTest, TlsWithoutTrustAnchorsDoesNotConnect) {
  TestBroker broker{TestCertificate::make()};
  auto secure = settings(broker.port());
  secure.broker.tls = true;
  MosquittoLink link{secure, tell()};
  link.connect({}, "the will");
  ASSERT_TRUE(run_until(link, nullptr, [&] { return !agent_.events.empty(); }));
  EXPECT_THAT(agent_.events, ElementsAre("lost"));
}

}  // namespace
}  // namespace otaria::simulator
