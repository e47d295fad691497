#pragma once

#include <cstdint>
#include <string_view>

namespace otaria::device {

/// The MQTT 3.1.1 connection to the broker: one client, clean session, keep-alive 60 s, packets of
/// at most 1,024 bytes.
///
/// The platform answers through the Agent's events: on_broker_connected, on_broker_refused,
/// on_broker_lost (also when connecting fails), on_message, on_published. Nothing here blocks, and
/// no event is delivered from within a call.
/// Ownership  every string is copied before the call returns.
/// Thread     the agent's task only.
class BrokerLink {
 public:
  enum class Topic : std::uint8_t { status, state };

  /// Who the device is to the broker. The user name is the MAC, which the platform knows.
  struct Login {
    std::string_view id;     ///< client id, and the first level of every topic
    std::string_view token;  ///< password; empty: none, or one that the platform was given
  };

  /// Opens a connection. `will` is the text the broker publishes, QoS 1, retained, on
  /// `<id>/ota/state` when the connection is lost. Called only while there is none.
  virtual void connect(const Login& login, std::string_view will) = 0;
  /// SUBSCRIBE to `<id>/firmware/update`, QoS 1. Repeating it makes the broker send the retained
  /// notice again.
  virtual void subscribe_to_notices() = 0;
  /// QoS 1; state is retained. Answered by on_published once the PUBACK is here. At most one is
  /// under way.
  virtual void publish(Topic topic, std::string_view payload) = 0;
  /// A clean DISCONNECT, after everything published so far was written out.
  virtual void disconnect() = 0;

 protected:
  ~BrokerLink() = default;
};

}  // namespace otaria::device
