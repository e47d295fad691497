#include "operator/cli/notice_publisher.hpp"

#include <fmt/format.h>
#include <mosquitto.h>
#include <openssl/err.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "operator/cli/failure.hpp"
#include "operator/cli/interrupt.hpp"
#include "operator/cli/ulid.hpp"

namespace otaria::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int keep_alive_s = 30;
constexpr std::size_t in_flight = 20;  // libmosquitto's own window; more would only fill its queue

struct Session {
  std::vector<OutgoingNotice>& notices;
  std::map<int, std::size_t> sent;  ///< message id to notice
  std::size_t next = 0;
  bool connected = false;
  int refusal = 0;  ///< CONNACK code
  bool lost = false;
  std::string trouble{};  ///< the library's last word on an error
  Clock::time_point moved = Clock::now();
};

void on_connect(mosquitto*, void* context, int code) {
  auto& session = *static_cast<Session*>(context);
  session.connected = code == 0;
  session.refusal = code;
  session.moved = Clock::now();
}

void on_disconnect(mosquitto*, void* context, int) {
  static_cast<Session*>(context)->lost = true;
}

void on_publish(mosquitto*, void* context, int id) {
  auto& session = *static_cast<Session*>(context);
  const auto found = session.sent.find(id);
  if (found == session.sent.end()) return;
  session.notices[found->second].acknowledged = true;
  session.sent.erase(found);
  session.moved = Clock::now();
}

// The library tells its log, and nobody else, why a handshake failed.
void on_log(mosquitto*, void* context, int level, const char* text) {
  if (level == MOSQ_LOG_ERR) static_cast<Session*>(context)->trouble = text;
}

void fill_window(mosquitto* client, Session& session) {
  while (session.connected && session.next < session.notices.size() &&
         session.sent.size() < in_flight) {
    const OutgoingNotice& notice = session.notices[session.next];
    int id = 0;
    const int code = ::mosquitto_publish(client,
                                         &id,
                                         notice.topic.c_str(),
                                         static_cast<int>(notice.payload.size()),
                                         notice.payload.data(),
                                         1,
                                         true);
    if (code != MOSQ_ERR_SUCCESS) {
      session.lost = true;
      return;
    }
    session.sent[id] = session.next++;
  }
}

std::string name_of(const BrokerAddress& broker) {
  return fmt::format("{}://{}:{}", broker.tls ? "mqtts" : "mqtt", broker.host, broker.port);
}

Failure unreachable(const BrokerAddress& broker, const std::string& why) {
  return {exit_unreachable,
          "broker_unreachable",
          fmt::format("No MQTT broker answers at {}: {}.", name_of(broker), why),
          "Start one (`otaria up` does on this machine), or name yours with --broker "
          "mqtt[s]://HOST[:PORT]."};
}

Failure untrusted(const BrokerAddress& broker, const std::string& why) {
  return {exit_unreachable,
          "tls_failed",
          fmt::format("No trusted connection to {}: {}.", name_of(broker), why),
          fmt::format("Its certificate must come from a CA {}, name {}, and not have expired; the "
                      "port must speak TLS.",
                      broker.ca_file.empty() ? "that this machine trusts (or of --ca FILE)"
                                             : "in " + broker.ca_file,
                      broker.host)};
}

void check(int code, const char* what) {
  if (code == MOSQ_ERR_SUCCESS) return;
  throw Failure(exit_usage,
                "broker_options",
                fmt::format("{}: {}.", what, ::mosquitto_strerror(code)),
                "Check the --broker URL.");
}

// Chain and name in the certificate are checked unless mosquitto_tls_insecure_set is called, and
// nothing calls it; "tlsv1.2" is the oldest version, not the only one.
void set_up_tls(mosquitto* client, const BrokerAddress& broker) {
  const bool system = broker.ca_file.empty();
  if (!system && ::access(broker.ca_file.c_str(), R_OK) != 0) {
    throw Failure(exit_usage,
                  "no_such_file",
                  fmt::format("The CA file {} cannot be read.", broker.ca_file),
                  "Check the path of --ca.");
  }
  check(::mosquitto_tls_set(client,
                            system ? nullptr : broker.ca_file.c_str(),
                            system ? "/etc/ssl/certs" : nullptr,
                            nullptr,
                            nullptr,
                            nullptr),
        "TLS");
  constexpr int verify_peer = 1;
  check(::mosquitto_tls_opts_set(client, verify_peer, "tlsv1.2", nullptr), "TLS");
}

struct Destroyer {
  void operator()(mosquitto* client) const { ::mosquitto_destroy(client); }
};
using ClientPointer = std::unique_ptr<mosquitto, Destroyer>;

ClientPointer new_client(const BrokerAddress& broker, Session& session) {
  static const int once = ::mosquitto_lib_init();
  check(once, "libmosquitto cannot be initialised");
  ClientPointer client(::mosquitto_new(("send_ota_update-" + new_ulid()).c_str(), true, &session));
  if (!client) throw Failure(exit_refused, "internal", "libmosquitto has no memory for a client.");
  if (!broker.username.empty()) {
    check(::mosquitto_username_pw_set(client.get(),
                                      broker.username.c_str(),
                                      broker.password.empty() ? nullptr : broker.password.c_str()),
          "User and password");
  }
  if (broker.tls) set_up_tls(client.get(), broker);
  ::mosquitto_log_callback_set(client.get(), on_log);
  ::mosquitto_connect_callback_set(client.get(), on_connect);
  ::mosquitto_disconnect_callback_set(client.get(), on_disconnect);
  ::mosquitto_publish_callback_set(client.get(), on_publish);
  return client;
}

}  // namespace

void publish_notices(const BrokerAddress& broker,
                     std::vector<OutgoingNotice>& notices,
                     std::chrono::seconds patience) {
  Session session{notices, {}};
  const ClientPointer client = new_client(broker, session);
  // libmosquitto takes what an earlier TLS failure of this thread left in OpenSSL's queue for its
  // own.
  ::ERR_clear_error();
  const int code =
      ::mosquitto_connect(client.get(), broker.host.c_str(), broker.port, keep_alive_s);
  if (code == MOSQ_ERR_TLS)
    throw untrusted(broker, session.trouble.empty() ? "TLS failed" : session.trouble);
  if (code != MOSQ_ERR_SUCCESS)
    throw unreachable(broker,
                      code == MOSQ_ERR_ERRNO ? std::strerror(errno) : ::mosquitto_strerror(code));
  const auto all_acknowledged = [&] {
    return session.next == notices.size() && session.sent.empty();
  };
  while (!(session.connected && all_acknowledged()) && !session.lost && !interrupted()) {
    if (Clock::now() - session.moved >= patience) break;
    if (::mosquitto_loop(client.get(), 100, 1) != MOSQ_ERR_SUCCESS) session.lost = true;
    if (session.refusal != 0) {
      throw Failure(exit_refused,
                    "broker_refused",
                    fmt::format("{} refuses the connection: {}.",
                                name_of(broker),
                                ::mosquitto_connack_string(session.refusal)),
                    "Give user and password: --broker mqtt://USER:PASSWORD@HOST, or the password "
                    "in --token-file F.");
    }
    fill_window(client.get(), session);
  }
  if (interrupted())
    throw Failure(
        exit_interrupted, "interrupted", "Interrupted; notices that the broker has stay there.");
  if (!session.connected && broker.tls && session.lost) {
    throw untrusted(broker,
                    session.trouble.empty() ? "it closes the connection at once" : session.trouble);
  }
  if (!session.connected)
    throw unreachable(broker,
                      session.lost ? "it closes the connection at once"
                                   : "it takes the connection but says nothing");
  ::mosquitto_disconnect(client.get());
  // The DISCONNECT packet leaves with the next write.
  ::mosquitto_loop(client.get(), 0, 1);
}

}  // namespace otaria::cli
