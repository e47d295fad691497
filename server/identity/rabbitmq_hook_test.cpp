#include "server/identity/rabbitmq_hook.hpp"

#include <gtest/gtest.h>

#include "server/identity/testing/desk.hpp"

namespace otaria::server {
namespace {

using testing::SigningDevice;

class Hook : public testing::Desk {
 protected:
  Hook() {
    open({.broker = BrokerKind::rabbitmq});
    hook_ = std::make_unique<RabbitmqHook>(*store_, *issuer_, PublishTemplates{"<id>/telemetry"});
  }
  ~Hook() override { hook_.reset(); }
  bool user(const std::string& token, const std::string& username, const std::string& client) {
    return hook_->user(
        {{"username", username}, {"password", token}, {"client_id", client}, {"vhost", "/"}}, now_);
  }
  std::string token_of(SigningDevice& device) {
    const auto answer = ask(device);
    EXPECT_EQ(code_of(answer), "");
    return std::get<DeviceToken>(answer).token;
  }
  SigningDevice device_{"a4cf12e0a1b2"};
  std::unique_ptr<RabbitmqHook> hook_;
};

TEST_F(Hook, LetsADeviceInUnderItsOwnNamesOnly) {
  import(device_);
  const std::string token = token_of(device_);
  EXPECT_TRUE(user(token, "a4cf12e0a1b2", "sensor_A1B2"));
  EXPECT_FALSE(user(token, "a4cf12e0a1b2", "sensor_0000"));
  EXPECT_FALSE(user(token, "000000000001", "sensor_A1B2"));
  EXPECT_FALSE(user(token, "A4CF12E0A1B2", "sensor_A1B2"));
  EXPECT_FALSE(user(token, "a4cf12e0a1b2", ""));
  EXPECT_FALSE(user("", "a4cf12e0a1b2", "sensor_A1B2"));
  EXPECT_FALSE(user("..", "a4cf12e0a1b2", "sensor_A1B2"));
  EXPECT_FALSE(hook_->user({}, now_));
}

TEST_F(Hook, DeniesARevokedDeviceAtOnceAndAnActivatedOneNoLonger) {
  import(device_);
  const std::string token = token_of(device_);
  ASSERT_TRUE(user(token, "a4cf12e0a1b2", "sensor_A1B2"));
  ASSERT_TRUE(registrar_->set_state("sensor_A1B2", IdentityState::suspended, "", caller_, now_));
  EXPECT_FALSE(user(token, "a4cf12e0a1b2", "sensor_A1B2"));
  ASSERT_TRUE(registrar_->set_state("sensor_A1B2", IdentityState::active, "", caller_, now_));
  EXPECT_TRUE(user(token, "a4cf12e0a1b2", "sensor_A1B2"));
  now_ += 86'400 + 31;
  EXPECT_FALSE(user(token, "a4cf12e0a1b2", "sensor_A1B2"));
}

TEST_F(Hook, DeniesATokenSignedByAnybodyElse) {
  import(device_);
  crypto::PrivateKey other = crypto::PrivateKey::generate(contract::Algorithm::es256);
  const TokenSubject subject{"a4cf12e0a1b2", "sensor_A1B2", device_rules("sensor_A1B2", {})};
  const std::string claims =
      token_claims(subject, {now_, now_ + 3600, "Zk3vQ1xT0aBc"}, BrokerKind::rabbitmq);
  const std::string kid = issuer_->keys(now_)[0].key.kid;
  EXPECT_FALSE(
      user(testing::jws_of(token_header(kid), claims, other), "a4cf12e0a1b2", "sensor_A1B2"));
}

TEST_F(Hook, LetsAServerInAndNoRevokedOne) {
  const std::string token = exchange_->mint_service("otariad-1", caller_, now_).value().token;
  EXPECT_TRUE(user(token, "otariad-1", "otariad-1"));
  ASSERT_TRUE(registrar_->revoke_service("otariad-1", caller_, now_));
  EXPECT_FALSE(user(token, "otariad-1", "otariad-1"));
}

TEST_F(Hook, WithoutOauth2ADeviceGetsItsOwnQueuesAndTopicsOnly) {
  import(device_);
  const std::string mac = device_.mac();
  EXPECT_TRUE(hook_->vhost({{"username", mac}, {"vhost", "/"}}));
  EXPECT_FALSE(hook_->vhost({{"username", mac}, {"vhost", "other"}}));
  EXPECT_FALSE(hook_->vhost({{"username", "000000000001"}, {"vhost", "/"}}));
  const auto resource = [&](const char* kind, const char* name, const char* permission) {
    return hook_->resource(
        {{"username", mac}, {"resource", kind}, {"name", name}, {"permission", permission}});
  };
  EXPECT_TRUE(resource("queue", "mqtt-subscription-sensor_A1B2qos1", "configure"));
  EXPECT_FALSE(resource("queue", "mqtt-subscription-sensor_A1B22qos1", "read"));
  EXPECT_FALSE(resource("queue", "mqtt-subscription-sensor_0000qos1", "read"));
  EXPECT_TRUE(resource("exchange", "amq.topic", "write"));
  EXPECT_FALSE(resource("exchange", "amq.topic", "configure"));
  EXPECT_FALSE(resource("exchange", "amq.direct", "write"));
  const auto topic = [&](const char* permission, const char* key) {
    return hook_->topic({{"username", mac},
                         {"name", "amq.topic"},
                         {"permission", permission},
                         {"routing_key", key}});
  };
  EXPECT_TRUE(topic("write", "sensor_A1B2.ota.state"));
  EXPECT_TRUE(topic("write", "sensor_A1B2.telemetry"));
  EXPECT_TRUE(topic("read", "sensor_A1B2.firmware.update"));
  for (const char* key : {"sensor_0000.ota.state",
                          "sensor_A1B2.firmware.update",
                          "#",
                          "*.ota.state",
                          "sensor_A1B2.#",
                          ""}) {
    EXPECT_FALSE(topic("write", key)) << key;
  }
  for (const char* key : {"sensor_0000.firmware.update",
                          "*.firmware.update",
                          "#",
                          "sensor_A1B2.#",
                          "sensor_A1B2.ota.state"}) {
    EXPECT_FALSE(topic("read", key)) << key;
  }
  EXPECT_FALSE(topic("configure", "sensor_A1B2.ota.state"));
}

}  // namespace
}  // namespace otaria::server
