#include "server/broker/mqtt_link.hpp"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include "contract/vocabulary.hpp"
#include "server/broker/clock.hpp"

namespace otaria::server {
namespace {

bool is_numeric(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 || inet_pton(AF_INET6, host.c_str(), &v6) == 1;
}

using Steady = std::chrono::steady_clock;

constexpr auto connack_limit = std::chrono::seconds{15};
constexpr int loop_wait_ms = 250;

const char* text_or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

/// The library would ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

void check_private_key(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::is_regular_file(status)) {
    throw std::runtime_error{"the private key " + path + " does not exist"};
  }
  using std::filesystem::perms;
  if ((status.permissions() & (perms::group_all | perms::others_all)) != perms::none) {
    throw std::runtime_error{"the private key " + path +
                             " may be used by others than its owner: chmod 600 " + path};
  }
}

// The library's own start and end, once per program.
struct Library {
  Library() { mosquitto_lib_init(); }
  ~Library() { mosquitto_lib_cleanup(); }
  static void use() { static Library library; }
};

}  // namespace

class MqttLink::Impl {
 public:
  Impl(MqttConfig config, Events events) : config_{std::move(config)}, events_{std::move(events)} {}
  ~Impl() { stop(); }

  void start() {
    Library::use();
    create();
    thread_ = std::thread{[this] { run(); }};
  }

  void stop() {
    {
      const std::scoped_lock lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    destroy();
  }

  bool connected() const { return connected_; }

  std::optional<int> publish_retained(const std::string& topic, std::string_view payload) {
    const std::scoped_lock lock{client_mutex_};
    if (!connected_) return std::nullopt;
    int message_id = 0;
    const int code = mosquitto_publish(client_,
                                       &message_id,
                                       topic.c_str(),
                                       static_cast<int>(payload.size()),
                                       payload.data(),
                                       1,
                                       true);
    if (code == MOSQ_ERR_SUCCESS) return message_id;
    spdlog::warn("broker: cannot publish on {}: {}", topic, mosquitto_strerror(code));
    return std::nullopt;
  }

 private:
  void destroy() {
    const std::scoped_lock lock{client_mutex_};
    if (client_ != nullptr) mosquitto_destroy(client_);
    client_ = nullptr;
  }

  void create() {
    const std::scoped_lock lock{client_mutex_};
    client_ = mosquitto_new(config_.client_id.c_str(), false, this);
    if (client_ == nullptr) throw std::runtime_error{"libmosquitto cannot be set up"};
    mosquitto_threaded_set(client_, true);
    mosquitto_int_option(client_, MOSQ_OPT_SEND_MAXIMUM, 100);
    mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
    const BrokerUrl& url = config_.url;
    BrokerCredentials names{url.username, url.password};
    if (config_.credentials) names = config_.credentials();
    renew_at_ms_ = names.renew_at_ms;
    if (!names.username.empty()) {
      mosquitto_username_pw_set(client_,
                                names.username.c_str(),
                                names.password.empty() ? nullptr : names.password.c_str());
    }
    if (url.tls) set_up_tls();
    mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int code) {
      static_cast<Impl*>(self)->on_connack(code);
    });
    mosquitto_disconnect_callback_set(
        client_, [](mosquitto*, void* self, int) { static_cast<Impl*>(self)->on_disconnect(); });
    mosquitto_subscribe_callback_set(
        client_, [](mosquitto*, void*, int, int count, const int* granted) {
          const bool refused =
              std::any_of(granted, granted + count, [](int qos) { return qos > 2; });
          if (refused)
            spdlog::error(
                "broker: refuses our subscriptions: allow otariad +/ota/status and +/ota/state");
        });
    mosquitto_publish_callback_set(client_, [](mosquitto*, void* self, int id) {
      static_cast<Impl*>(self)->events_.on_published(id);
    });
    mosquitto_message_callback_set(
        client_, [](mosquitto*, void* self, const mosquitto_message* message) {
          const auto* bytes = static_cast<const char*>(message->payload);
          const auto length = static_cast<std::size_t>(message->payloadlen);
          static_cast<Impl*>(self)->events_.on_message(
              message->topic, std::string_view{length == 0 ? "" : bytes, length}, message->retain);
        });
  }

  void set_up_tls() {
    const char* ca_file = text_or_null(config_.ca_file);
    const char* ca_directory = ca_file == nullptr ? "/etc/ssl/certs" : nullptr;
    if (ca_file != nullptr && !std::filesystem::is_regular_file(config_.ca_file)) {
      throw std::runtime_error{"the CA file " + config_.ca_file + " does not exist"};
    }
    if (!config_.private_key.empty()) check_private_key(config_.private_key);
    int code = mosquitto_tls_set(client_,
                                 ca_file,
                                 ca_directory,
                                 text_or_null(config_.certificate),
                                 text_or_null(config_.private_key),
                                 no_passphrase);
    // For this library "tlsv1.2" is the oldest version, not the only one. Chain and host name are
    // verified unless mosquitto_tls_insecure_set is called, and nothing calls it.
    constexpr int verify_peer = 1;
    if (code == MOSQ_ERR_SUCCESS) {
      code = mosquitto_tls_opts_set(client_, verify_peer, "tlsv1.2", nullptr);
    }
    if (code != MOSQ_ERR_SUCCESS) {
      throw std::runtime_error{std::string{"TLS to the broker: "} + mosquitto_strerror(code)};
    }
  }

  void on_connack(int code) {
    if (code != 0) {
      log_trouble(std::string{"the broker refuses us: "} + mosquitto_connack_string(code));
      return;
    }
    // After every connect: only a SUBSCRIBE makes the broker send retained states, and a broker
    // that lost its sessions has lost our subscriptions too.
    std::array<std::string, 2> filters{"+" + std::string{contract::status_topic_suffix},
                                       "+" + std::string{contract::state_topic_suffix}};
    std::array<char*, 2> pointers{filters[0].data(), filters[1].data()};
    mosquitto_subscribe_multiple(client_, nullptr, pointers.size(), pointers.data(), 1, 0, nullptr);
    connected_ = true;
    back_off_ms_ = config_.reconnect_first_ms;
    last_trouble_.clear();
    spdlog::info("broker: connected to {} as {}", config_.url.shown(), config_.client_id);
    events_.on_connected();
  }

  void on_disconnect() {
    if (connected_.exchange(false)) events_.on_lost();
  }

  // A broker that is away for a night is one line in the log, not ten thousand.
  void log_trouble(const std::string& trouble) {
    if (trouble == last_trouble_) return;
    last_trouble_ = trouble;
    spdlog::warn("broker: {}: {}; trying again", config_.url.shown(), trouble);
  }

  bool stopping() {
    const std::scoped_lock lock{mutex_};
    return stopping_;
  }

  // MQTT 3.1.1 cannot authenticate anew within a connection.
  [[nodiscard]] bool renewal_is_due() const {
    return renew_at_ms_ > 0 && system_unix_ms() >= renew_at_ms_;
  }

  // A client of its own per connection: libmosquitto would send again, after the reconnect, what
  // the lost connection had in flight, and so put an older notice over a newer one. What must be
  // sent again the outbox knows.
  void run() {
    while (!stopping()) {
      // Only the blocking call goes on to a name's next address when the first refuses (`localhost`
      // is ::1 before it is 127.0.0.1). This thread has nothing else to do.
      auto* const connects =
          is_numeric(config_.url.host) ? &mosquitto_connect_async : &mosquitto_connect;
      const int code =
          connects(client_, config_.url.host.c_str(), config_.url.port, config_.keep_alive_s);
      if (code == MOSQ_ERR_SUCCESS) {
        serve();
      } else {
        log_trouble(mosquitto_strerror(code));
      }
      wait_before_retry();
      renew();
    }
  }

  void renew() {
    if (stopping()) return;
    destroy();
    try {
      create();
    } catch (const std::exception& error) {  // a CA file that went away, and may come back
      destroy();  // never a connection without the TLS that was asked for
      log_trouble(error.what());
    }
  }

  // Over TLS libmosquitto turns in circles on a socket whose connection was refused, and never says
  // so: the socket itself is asked first. False: it failed, or we are stopping.
  bool await_socket(Steady::time_point give_up) {
    while (!stopping()) {
      pollfd watched{mosquitto_socket(client_), POLLOUT, 0};
      if (watched.fd < 0) return true;  // mosquitto_loop knows why
      if (::poll(&watched, 1, loop_wait_ms) <= 0) {
        if (Steady::now() <= give_up) continue;
        log_trouble("no answer to our connection");
        return false;
      }
      // libmosquitto may have taken the socket's error already: that it has failed still shows.
      if ((watched.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0) return true;
      int error = 0;
      socklen_t length = sizeof error;
      ::getsockopt(watched.fd, SOL_SOCKET, SO_ERROR, &error, &length);
      log_trouble(std::generic_category().message(error != 0 ? error : ECONNREFUSED));
      return false;
    }
    return false;
  }

  void serve() {
    const auto give_up = Steady::now() + connack_limit;
    if (!await_socket(give_up)) return;
    for (;;) {
      if (stopping()) {
        say_farewell();
        return;
      }
      if (renewal_is_due()) {
        spdlog::info("broker: connecting anew before the token expires");
        on_disconnect();
        say_farewell();
        return;
      }
      const int code = mosquitto_loop(client_, loop_wait_ms, 1);
      if (code != MOSQ_ERR_SUCCESS) {
        on_disconnect();
        log_trouble(code == MOSQ_ERR_ERRNO ? std::generic_category().message(errno)
                                           : mosquitto_strerror(code));
        return;
      }
      if (!connected_ && Steady::now() > give_up) {
        log_trouble("no answer to CONNECT");
        return;
      }
    }
  }

  void say_farewell() {
    mosquitto_disconnect(client_);
    for (int i = 0; i < 8 && mosquitto_loop(client_, 25, 1) == MOSQ_ERR_SUCCESS; ++i) {
    }
    connected_ = false;
  }

  void wait_before_retry() {
    std::uniform_int_distribution<int> jitter{back_off_ms_ / 2, back_off_ms_};
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, std::chrono::milliseconds{jitter(random_)}, [this] { return stopping_; });
    back_off_ms_ = std::min(back_off_ms_ * 2, config_.reconnect_limit_ms);
  }

  const MqttConfig config_;
  const Events events_;
  mosquitto* client_ = nullptr;
  std::mutex client_mutex_;  // between its renewal and a publish from another thread
  std::atomic<bool> connected_{false};
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  // Of the link's own thread:
  int back_off_ms_ = config_.reconnect_first_ms;
  std::int64_t renew_at_ms_ = 0;
  std::string last_trouble_;
  std::mt19937 random_{std::random_device{}()};
};

MqttLink::MqttLink(MqttConfig config, Events events)
    : impl_{std::make_unique<Impl>(std::move(config), std::move(events))} {}
MqttLink::~MqttLink() = default;
void MqttLink::start() {
  impl_->start();
}
void MqttLink::stop() {
  impl_->stop();
}
bool MqttLink::connected() const {
  return impl_->connected();
}
std::optional<int> MqttLink::publish_retained(const std::string& topic, std::string_view payload) {
  return impl_->publish_retained(topic, payload);
}

}  // namespace otaria::server
