#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "device/agent/agent_events.hpp"
#include "device/ports/broker_link.hpp"
#include "simulator/net/broker_url.hpp"
#include "simulator/net/tls_trust.hpp"

namespace otaria::simulator {

struct LinkSettings {
  BrokerAddress broker;
  std::string device_id;  ///< MQTT client id and first topic level, unless the login has another
  std::string mac;        ///< MQTT user name
  std::string token;      ///< MQTT password where the login has none; empty: none
  TlsTrust trust;         ///< for mqtts: anchors are required there
  std::chrono::seconds connect_limit{10};
};

/// BrokerLink over libmosquitto: MQTT 3.1.1, clean session, keep-alive 60 s, last will, packets of
/// at most 1,024 bytes.
///
/// Use      step() when socket() is readable (or writable while wants_write()) and at least every
/// second; then
///          deliver_next() until it returns false. Nothing blocks: a host that is a name is
///          resolved in a thread of its own. Many links may share one thread.
/// Events   are kept until deliver_next(): none is delivered from within a call of the port.
/// TLS      certificates, host names and pins are always verified (tls_trust.hpp); there is no
/// switch.
/// Bounds   of a notice at most 1,024 bytes are kept, with its true length. libmosquitto itself
/// reads a whole packet
///          into memory first, whatever its length.
class MosquittoLink final : public device::BrokerLink {
 public:
  using Tell = std::function<void(std::string_view)>;

  /// `tell` hears in words what happens (may be empty).
  MosquittoLink(LinkSettings settings, Tell tell);
  ~MosquittoLink();
  MosquittoLink(const MosquittoLink&) = delete;
  MosquittoLink& operator=(const MosquittoLink&) = delete;

  void connect(const Login& login, std::string_view will) override;
  void subscribe_to_notices() override;
  void publish(Topic topic, std::string_view payload) override;
  void disconnect() override;

  /// QoS 0 on `<id>/telemetry`; dropped while there is no connection.
  void publish_telemetry(std::string_view payload);
  /// Publishes the will's text itself, retained, and disconnects: the clean end of a device that is
  /// switched off.
  void leave();
  /// Closes the socket without a DISCONNECT, as a panic or a power cut does, and forgets
  /// undelivered events.
  void drop();
  /// While false every connect() fails after a moment, as without a network; an open connection is
  /// dropped.
  void set_network(bool available);

  void step();
  [[nodiscard]] int socket() const;  ///< -1: none
  [[nodiscard]] bool wants_write() const;
  [[nodiscard]] bool is_open() const { return session_ != nullptr; }
  [[nodiscard]] bool is_connected() const;
  /// False when nothing was left to deliver.
  bool deliver_next(device::AgentEvents& agent);

 private:
  struct Session;

  void open(std::string_view will);
  void configure(Session& session, std::string_view will) const;
  bool load_trust(Session& session);
  void start_connecting(const std::shared_ptr<Session>& session);
  void end_session(std::string_view why);
  void leave_when_due();
  /// The message id, -1 if it was not sent.
  int send(std::string_view topic, std::string_view payload, int qos, bool retain);

  LinkSettings settings_;
  std::string login_token_;
  Tell tell_;
  std::shared_ptr<Session> session_;
  std::optional<std::chrono::steady_clock::time_point> pretended_failure_at_;
  bool lost_pending_ = false;
  bool pin_failed_ = false;  ///< of the connection that was lost
  bool network_ = true;
};

}  // namespace otaria::simulator
