#include "simulator/net/mosquitto_link.hpp"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <openssl/err.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "contract/vocabulary.hpp"

namespace otaria::simulator {
namespace {

using std::chrono::steady_clock;

constexpr int bad_login = 4;  // CONNACK return codes, MQTT 3.1.1, table 3.1
constexpr int not_authorised = 5;
constexpr int keep_alive_s = 60;
constexpr std::chrono::milliseconds time_to_find_no_network{1000};
constexpr std::chrono::milliseconds longest_wait_to_leave{1000};

/// Size of a PUBLISH packet of QoS 1: fixed header, topic, packet id, payload.
std::size_t publish_packet_bytes(std::size_t topic, std::size_t payload) {
  const std::size_t remaining = 2 + topic + 2 + payload;
  return 1 + (remaining < 128 ? 1 : remaining < 16384 ? 2 : 4) + remaining;
}

bool is_numeric(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address) == 1;
}

}  // namespace

/// One connection and what it has to tell. Shared with the thread that resolves a name, and touched
/// by one of the two at a time: by that thread until `ready`, by the link afterwards.
struct MosquittoLink::Session {
  enum class Kind : std::uint8_t { connected, refused, message, published };
  struct Event {
    Kind kind;
    std::string payload = {};
    std::uint32_t true_length = 0;
  };

  Session(const std::string& client_id, std::string will_text)
      : handle{mosquitto_new(client_id.c_str(), true, this)}, will{std::move(will_text)} {
    if (handle == nullptr)
      throw std::runtime_error{std::string{"mosquitto_new: "} + std::strerror(errno)};
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { mosquitto_destroy(handle); }

  static Session& of(void* self) { return *static_cast<Session*>(self); }
  static void on_connect(mosquitto*, void* self, int code) {
    if (code == 0) {
      of(self).connected = true;
      of(self).events.push_back({Kind::connected});
    } else {
      of(self).refusal = mosquitto_connack_string(code);
      if (code == bad_login || code == not_authorised) of(self).events.push_back({Kind::refused});
    }
  }
  static void on_disconnect(mosquitto*, void* self, int) { of(self).ended = true; }
  static void on_publish(mosquitto*, void* self, int message_id) {
    of(self).unacknowledged.erase(message_id);
    if (message_id == of(self).awaited_puback) of(self).events.push_back({Kind::published});
  }
  static void on_message(mosquitto*, void* self, const mosquitto_message* message) {
    if (message->topic != of(self).notice_topic) return;
    const auto length = static_cast<std::size_t>(message->payloadlen);
    const std::string_view all{static_cast<const char*>(message->payload), length};
    of(self).events.push_back({Kind::message,
                               std::string{all.substr(0, contract::max_packet_bytes)},
                               static_cast<std::uint32_t>(length)});
  }

  mosquitto* handle;
  std::string will;
  std::string notice_topic;
  TlsTrust trust;
  std::unique_ptr<TlsJudge> judge;
  SslContext context;
  std::deque<Event> events;
  std::string refusal;
  steady_clock::time_point opened = steady_clock::now();
  std::set<int> unacknowledged;  ///< published with QoS 1, no PUBACK yet
  std::optional<steady_clock::time_point>
      leave_at;  ///< a DISCONNECT was asked for: when it is sent at the latest
  int awaited_puback = -1;
  bool connected = false;
  bool ended = false;
  std::atomic<bool> ready = false;  ///< the attempt to connect has begun or failed
  int connect_result = MOSQ_ERR_SUCCESS;
};

MosquittoLink::MosquittoLink(LinkSettings settings, Tell tell)
    : settings_{std::move(settings)}, tell_{tell ? std::move(tell) : [](std::string_view) {}} {
  [[maybe_unused]] static const int initialised = mosquitto_lib_init();
}
MosquittoLink::~MosquittoLink() = default;

void MosquittoLink::connect(const Login& login, std::string_view will) {
  drop();
  if (!login.id.empty()) settings_.device_id = login.id;
  login_token_ = login.token;
  if (!network_) {
    pretended_failure_at_ = steady_clock::now() + time_to_find_no_network;
    return;
  }
  try {
    open(will);
  } catch (const std::exception& error) {
    end_session(error.what());
  }
}

void MosquittoLink::open(std::string_view will) {
  auto session = std::make_shared<Session>(settings_.device_id, std::string{will});
  session->notice_topic = settings_.device_id + std::string{contract::notice_topic_suffix};
  configure(*session, will);
  session_ = session;
  if (!load_trust(*session)) {
    end_session("the trust anchors of mqtts, or the device's own certificate, cannot be loaded");
    return;
  }
  start_connecting(session);
}

void MosquittoLink::configure(Session& session, std::string_view will) const {
  mosquitto* handle = session.handle;
  mosquitto_connect_callback_set(handle, &Session::on_connect);
  mosquitto_disconnect_callback_set(handle, &Session::on_disconnect);
  mosquitto_publish_callback_set(handle, &Session::on_publish);
  mosquitto_message_callback_set(handle, &Session::on_message);
  mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
  mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
  const std::string& token = login_token_.empty() ? settings_.token : login_token_;
  mosquitto_username_pw_set(handle, settings_.mac.c_str(), token.empty() ? nullptr : token.c_str());
  const std::string topic = settings_.device_id + std::string{contract::state_topic_suffix};
  mosquitto_will_set(handle, topic.c_str(), static_cast<int>(will.size()), will.data(), 1, true);
}

bool MosquittoLink::load_trust(Session& session) {
  if (!settings_.broker.tls) return true;
  if (settings_.trust.ca_pem.empty()) return false;
  // The handshake may run in the thread that resolves the name, and this link be gone by then: what
  // the device knows now is what counts.
  session.trust = settings_.trust.as_of_now(settings_.broker.host);
  session.context = client_context(session.trust);
  if (!session.context) return false;
  session.judge = std::make_unique<TlsJudge>(session.trust, settings_.broker.host);
  session.judge->install(session.context.get());
  // A context of ours, to which libmosquitto adds nothing: it only keeps a reference.
  return mosquitto_int_option(session.handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) ==
             MOSQ_ERR_SUCCESS &&
         mosquitto_void_option(session.handle, MOSQ_OPT_SSL_CTX, session.context.get()) ==
             MOSQ_ERR_SUCCESS;
}

void MosquittoLink::start_connecting(const std::shared_ptr<Session>& session) {
  const auto attempt = [session, broker = settings_.broker](auto* mosquitto_connects) {
    session->connect_result =
        mosquitto_connects(session->handle, broker.host.c_str(), broker.port, keep_alive_s);
    session->ready.store(true, std::memory_order_release);
  };
  if (is_numeric(settings_.broker.host)) {
    attempt(&mosquitto_connect_async);
    return;
  }
  // Resolving can take many seconds, so it has a thread; and only the blocking call goes on to the
  // name's next address when the first refuses (`localhost` is ::1 before it is 127.0.0.1).
  std::thread{[attempt] { attempt(&mosquitto_connect); }}.detach();
}

void MosquittoLink::subscribe_to_notices() {
  if (!is_connected()) return;
  mosquitto_subscribe(session_->handle, nullptr, session_->notice_topic.c_str(), 1);
}

void MosquittoLink::publish(Topic topic, std::string_view payload) {
  const bool is_state = topic == Topic::state;
  const std::string name =
      settings_.device_id +
      std::string{is_state ? contract::state_topic_suffix : contract::status_topic_suffix};
  const int message_id = send(name, payload, 1, is_state);
  if (message_id >= 0) session_->awaited_puback = message_id;
}

void MosquittoLink::publish_telemetry(std::string_view payload) {
  send(settings_.device_id + std::string{contract::telemetry_topic_suffix}, payload, 0, false);
}

int MosquittoLink::send(std::string_view topic, std::string_view payload, int qos, bool retain) {
  if (!is_connected()) return -1;
  const std::size_t packet = publish_packet_bytes(topic.size(), payload.size());
  if (packet > contract::max_packet_bytes) {
    tell_("fault of the caller: a packet of " + std::to_string(packet) + " bytes for " +
          std::string{topic} + " was not sent; 1024 are allowed");
    return -1;
  }
  int message_id = -1;
  const int result = mosquitto_publish(session_->handle,
                                       &message_id,
                                       std::string{topic}.c_str(),
                                       static_cast<int>(payload.size()),
                                       payload.data(),
                                       qos,
                                       retain);
  if (result != MOSQ_ERR_SUCCESS) return -1;
  if (qos > 0) session_->unacknowledged.insert(message_id);
  return message_id;
}

// A broker that finds the socket closed while it writes a PUBACK takes the connection for lost,
// whatever DISCONNECT it has not read yet, and publishes the will: so the PUBACKs are awaited.
void MosquittoLink::disconnect() {
  if (is_connected()) session_->leave_at = steady_clock::now() + longest_wait_to_leave;
}

void MosquittoLink::leave() {
  if (!is_connected()) return drop();
  send(settings_.device_id + std::string{contract::state_topic_suffix}, session_->will, 1, true);
  disconnect();
}

void MosquittoLink::drop() {
  session_.reset();
  lost_pending_ = false;
  pin_failed_ = false;
  pretended_failure_at_.reset();
}

void MosquittoLink::set_network(bool available) {
  network_ = available;
  if (!available && session_) end_session("no network");
}

bool MosquittoLink::is_connected() const {
  return session_ && session_->ready.load(std::memory_order_acquire) && session_->connected &&
         !session_->ended;
}

int MosquittoLink::socket() const {
  if (!session_ || !session_->ready.load(std::memory_order_acquire)) return -1;
  return mosquitto_socket(session_->handle);
}

bool MosquittoLink::wants_write() const {
  if (socket() < 0) return false;
  const bool leaves_now = session_->leave_at && session_->unacknowledged.empty();
  return leaves_now || mosquitto_want_write(session_->handle);
}

void MosquittoLink::step() {
  if (pretended_failure_at_ && steady_clock::now() >= *pretended_failure_at_) {
    pretended_failure_at_.reset();
    end_session("no network");
  }
  if (!session_ || lost_pending_) return;
  const bool late =
      !session_->connected && steady_clock::now() - session_->opened > settings_.connect_limit;
  if (late) return end_session("no answer within the time allowed for connecting");
  if (!session_->ready.load(std::memory_order_acquire)) return;
  mosquitto* handle = session_->handle;
  int result = session_->connect_result;
  if (result == MOSQ_ERR_CONN_PENDING) result = MOSQ_ERR_SUCCESS;
  ERR_clear_error();  // libmosquitto would take another connection's error of this thread for its
                      // own
  if (result == MOSQ_ERR_SUCCESS) result = mosquitto_loop_read(handle, 1);
  if (result == MOSQ_ERR_SUCCESS && mosquitto_want_write(handle))
    result = mosquitto_loop_write(handle, 1);
  if (result == MOSQ_ERR_SUCCESS) result = mosquitto_loop_misc(handle);
  if (result == MOSQ_ERR_SUCCESS) leave_when_due();
  if (result == MOSQ_ERR_SUCCESS && !session_->ended) return;
  const std::string_view why =
      result == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(result);
  end_session(!session_->refusal.empty()                      ? std::string_view{session_->refusal}
              : session_->ended && result == MOSQ_ERR_SUCCESS ? "disconnected"
                                                              : why);
}

void MosquittoLink::leave_when_due() {
  if (!session_->leave_at || !is_connected()) return;
  const bool acknowledged = session_->unacknowledged.empty();
  if (acknowledged || steady_clock::now() >= *session_->leave_at)
    mosquitto_disconnect(session_->handle);
}

void MosquittoLink::end_session(std::string_view why) {
  // The judge is asked only once the thread that resolves names has let go of the session.
  const bool judged = session_ && session_->ready.load(std::memory_order_acquire) &&
                      session_->judge && session_->judge->verdict() > TlsJudge::Verdict::good;
  pin_failed_ = judged && session_->judge->verdict() == TlsJudge::Verdict::wrong_pin;
  tell_("broker connection ended: " + std::string{judged ? session_->judge->reason() : why});
  // What came in before the end is still delivered first.
  if (session_ && !session_->events.empty()) {
    session_->ended = true;
  } else {
    session_.reset();
  }
  lost_pending_ = true;
}

bool MosquittoLink::deliver_next(device::AgentEvents& agent) {
  if (session_ && session_->ready.load(std::memory_order_acquire) && !session_->events.empty()) {
    const Session::Event event = std::move(session_->events.front());
    session_->events.pop_front();
    switch (event.kind) {
      case Session::Kind::connected:
        agent.on_broker_connected();
        break;
      case Session::Kind::refused:
        agent.on_broker_refused();
        break;
      case Session::Kind::message:
        agent.on_message(event.payload, event.true_length);
        break;
      case Session::Kind::published:
        agent.on_published();
        break;
    }
    return true;
  }
  if (!lost_pending_) return false;
  if (std::exchange(pin_failed_, false)) {
    agent.on_pin_failed({});
    return true;
  }
  session_.reset();
  lost_pending_ = false;
  agent.on_broker_lost();
  return true;
}

}  // namespace otaria::simulator
