// The link against a real Mosquitto.
#include "server/broker/mqtt_link.hpp"

#include <gtest/gtest.h>

#include <mutex>

#include "server/broker/testing/child_process.hpp"
#include "server/broker/testing/temporary_store.hpp"

namespace otaria::server {
namespace {

using testing::comes_true;

class Link : public ::testing::Test {
 protected:
  std::unique_ptr<MqttLink> connect(const std::string& url, const std::string& client_id) {
    MqttConfig config;
    config.url = parse_broker_url(url).value();
    config.client_id = client_id;
    config.reconnect_first_ms = 20;
    config.reconnect_limit_ms = 100;
    MqttLink::Events events;
    events.on_connected = [this] { ++connects_; };
    events.on_lost = [this] { ++losses_; };
    events.on_published = [this](int) { ++acknowledged_; };
    events.on_message = [this](std::string_view topic, std::string_view payload, bool retained) {
      const std::scoped_lock lock{mutex_};
      messages_.push_back(std::string{topic} + (retained ? " retained " : " ") +
                          std::string{payload});
    };
    auto link = std::make_unique<MqttLink>(config, events);
    link->start();
    return link;
  }
  bool received(const std::string& line) {
    return comes_true([&] {
      const std::scoped_lock lock{mutex_};
      return std::find(messages_.begin(), messages_.end(), line) != messages_.end();
    });
  }
  bool publish(MqttLink& link, const std::string& topic, const std::string& payload) {
    return comes_true([&] { return link.publish_retained(topic, payload).has_value(); });
  }

  testing::TemporaryStore directory_;
  std::atomic<int> connects_{0}, losses_{0}, acknowledged_{0};
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

TEST_F(Link, HearsStatesAndStatusesOfAllDevicesAndLearnsRetainedOnes) {
  testing::Mosquitto broker{directory_.directory()};
  const auto link = connect(broker.url(), "otariad-1");
  ASSERT_TRUE(publish(*link, "sensor_A1B2/ota/state", "s1"));
  EXPECT_TRUE(received("sensor_A1B2/ota/state s1"));
  EXPECT_TRUE(comes_true([this] { return acknowledged_ == 1; }));
  const auto second = connect(broker.url(), "otariad-2");
  EXPECT_TRUE(received("sensor_A1B2/ota/state retained s1"));
}

TEST_F(Link, KeepsTryingWhileTheBrokerIsAwayAndSubscribesAfterEveryConnect) {
  const int port = testing::free_port();
  const std::string url = "mqtt://127.0.0.1:" + std::to_string(port);
  const auto link = connect(url, "otariad-1");
  EXPECT_FALSE(link->publish_retained("a/firmware/update", "x").has_value());
  {
    testing::Mosquitto broker{directory_.directory(), port};
    ASSERT_TRUE(comes_true([this] { return connects_ == 1; }));
  }
  ASSERT_TRUE(comes_true([this] { return losses_ == 1; }));
  testing::Mosquitto forgetful{directory_.directory(),
                               port};  // knows neither session nor subscription
  ASSERT_TRUE(comes_true([this] { return connects_ == 2; }));
  ASSERT_TRUE(publish(*link, "sensor_A1B2/ota/status", "s2"));
  EXPECT_TRUE(received("sensor_A1B2/ota/status s2"));
}

// Where the hosts file lists ::1 first, as Debian's does, the broker of this test refuses that
// address.
TEST_F(Link, FindsTheBrokerByNameWhateverAddressComesFirst) {
  testing::Mosquitto broker{directory_.directory()};
  std::string url = broker.url();
  url.replace(url.find("127.0.0.1"), 9, "localhost");
  const auto link = connect(url, "otariad-1");
  ASSERT_TRUE(publish(*link, "sensor_A1B2/ota/state", "s1"));
}

TEST_F(Link, ThatCannotHaveItsTlsDoesNotStart) {
  MqttConfig config;
  config.url = parse_broker_url("mqtts://127.0.0.1:1").value();
  config.ca_file = "/nonexistent/ca.pem";
  EXPECT_THROW((MqttLink{config, {}}.start()), std::runtime_error);
}

TEST_F(Link, FindsInItsSessionWhatCameWhileItWasAway) {
  testing::Mosquitto broker{directory_.directory()};
  {
    const auto link = connect(broker.url(), "otariad-1");
    // Its own message comes back: it is subscribed.
    ASSERT_TRUE(publish(*link, "a/ota/status", "here"));
    ASSERT_TRUE(received("a/ota/status here"));
    ASSERT_TRUE(publish(*link, "a/ota/status", ""));  // leaves nothing retained
  }
  const auto other = connect(broker.url(), "otariad-2");
  ASSERT_TRUE(publish(*other, "b/ota/status", "while away"));
  ASSERT_TRUE(received("b/ota/status while away"));
  ASSERT_TRUE(publish(*other, "b/ota/status", ""));
  ASSERT_TRUE(received("b/ota/status "));
  {
    const std::scoped_lock lock{mutex_};
    messages_.clear();
  }
  const auto back = connect(broker.url(), "otariad-1");
  EXPECT_TRUE(received("b/ota/status while away"));
}

}  // namespace
}  // namespace otaria::server
