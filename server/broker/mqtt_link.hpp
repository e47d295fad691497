#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/broker/broker_url.hpp"

namespace otaria::server {

/// Names for one connection.
struct BrokerCredentials {
  std::string username, password;
  std::int64_t renew_at_ms = 0;  ///< Unix ms: then the link connects anew; 0: never
};

struct MqttConfig {
  BrokerUrl url;
  /// Asked before each connection, on the link's thread (the first time by start()); empty: what
  /// the URL names. May throw: the link logs it and tries again.
  std::function<BrokerCredentials()> credentials = {};
  std::string client_id = "otariad-1";  ///< one per copy of the server
  std::string ca_file;                  ///< PEM; empty: the system's certificates
  std::string certificate;              ///< PEM, of this client; empty: none is shown to the broker
  std::string private_key;              ///< PEM, its key, without a passphrase, mode 0600
  int keep_alive_s = 30;
  int reconnect_first_ms = 500;  ///< doubled each time, with jitter
  int reconnect_limit_ms = 30'000;
};

/// The connection to the broker: keeps trying, subscribes after every connect, persistent session.
///
/// Threads  one of its own, on which all events are called; publish() and connected() from any.
/// TLS      1.2 or newer, chain and host name always verified: there is no way to leave that out.
/// Errors   start() throws std::runtime_error when the library or a TLS file cannot be used. A
/// broker that is away or refuses
///          is no error: the link logs it and goes on trying.
/// Source   OASIS MQTT 3.1.1; docs/spec/contract.md, "Topics". libmosquitto acknowledges a message
/// before its
///          callback: what a kill loses then heals by `last`.
class MqttLink {
 public:
  struct Events {
    std::function<void()> on_connected;  ///< subscribed anew
    std::function<void()> on_lost;
    /// May block for seconds at most, or the broker takes the link for dead.
    std::function<void(std::string_view topic, std::string_view payload, bool retained)> on_message;
    std::function<void(int message_id)> on_published;  ///< PUBACK
  };

  MqttLink(MqttConfig config, Events events);
  ~MqttLink();  ///< stops
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;

  void start();
  void stop();  ///< says farewell; the session stays at the broker
  [[nodiscard]] bool connected() const;
  /// Sends retained, QoS 1. Nothing while not connected: who wants it sent asks again after
  /// on_connected.
  std::optional<int> publish_retained(const std::string& topic, std::string_view payload);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace otaria::server
