#include "operator/cli/up.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "operator/cli/child_process.hpp"
#include "operator/cli/http.hpp"
#include "operator/cli/terminal/text.hpp"

namespace otaria::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds ready_limit{20};
constexpr seconds stop_limit{10};
constexpr seconds first_backoff{1};
constexpr seconds longest_backoff{30};
constexpr seconds settled_after{
    60};  // a child that ran this long starts again with the first back-off

Failure usage(const char* code, const std::string& detail, const std::string& hint) {
  return {exit_usage, code, detail, hint};
}

/// Held for as long as this process lives: two stacks over one folder would destroy its database.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder) {
    const auto path = folder / "up.lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0)
      throw usage("folder_unusable",
                  fmt::format("{}: {}.", path.string(), std::strerror(errno)),
                  "Name another folder with --data DIR.");
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(descriptor_);
    throw usage("already_up",
                fmt::format("Another `otaria up` uses {}.", folder.string()),
                "Stop it first, or name another folder with --data DIR.");
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() { ::close(descriptor_); }

 private:
  int descriptor_;
};

/// SIGINT, SIGTERM, SIGHUP and SIGCHLD are waited for, not handled: no code of ours runs inside a
/// signal.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set_, number);
    ::sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

  /// The signal that came within `limit`, 0 if none.
  int wait(milliseconds limit) const {
    const timespec time{limit.count() / 1000, limit.count() % 1000 * 1000000};
    const int number = ::sigtimedwait(&set_, nullptr, &time);
    return number < 0 ? 0 : number;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

bool accepts_connections(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(
          endpoint.address.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found) != 0)
    return false;
  const int probe = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool open = probe >= 0 && ::connect(probe, found->ai_addr, found->ai_addrlen) == 0;
  if (probe >= 0) ::close(probe);
  ::freeaddrinfo(found);
  return open;
}

bool http_ready(const std::string& url) {
  Http http;
  HttpRequest request;
  request.url = url + "/readyz";
  request.time_limit = seconds(2);
  request.connect_limit = seconds(1);
  try {
    return http.exchange(request).status == 200;
  } catch (const HttpFailure&) {
    return false;
  }
}

/// Where this machine itself reaches a listener: the loopback when it listens everywhere.
Endpoint local(Endpoint endpoint) {
  if (endpoint.address == "0.0.0.0") endpoint.address = "127.0.0.1";
  if (endpoint.address == "::") endpoint.address = "::1";
  return endpoint;
}

/// The address of this machine that others most likely reach: the one it would send from. Nothing
/// is sent.
std::string outward_address() {
  const int probe = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  std::string text;
  // 192.0.2.1 is TEST-NET-1 (RFC 5737): only the routing table is asked.
  if (probe >= 0 && ::getaddrinfo("192.0.2.1", "9", &hints, &found) == 0) {
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    std::array<char, NI_MAXHOST> name{};
    if (::connect(probe, found->ai_addr, found->ai_addrlen) == 0 &&
        ::getsockname(probe, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&own),
                      length,
                      name.data(),
                      name.size(),
                      nullptr,
                      0,
                      NI_NUMERICHOST) == 0) {
      text = name.data();
    }
    ::freeaddrinfo(found);
  }
  if (probe >= 0) ::close(probe);
  return text;
}

std::string own_user() {
  // Started by root, Mosquitto would change to a user that may not write into our folder.
  if (::geteuid() != 0) return {};
  const passwd* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? "root" : entry->pw_name;
}

struct Service {
  ChildProcess process;
  Clock::time_point started{};
  seconds backoff = first_backoff;
  Clock::time_point start_at{};
  bool wanted = false;  ///< to be started again at start_at
};

class Stack {
 public:
  Stack(Context& context, const UpArguments& arguments) : context_(context), arguments_(arguments) {
    http_ = parsed_http();
    mqtt_ = {arguments.bind, arguments.mqtt_port};
    http_url_ = "http://" + host_and_port(local(http_));
    mqtt_url_ = "mqtt://" + host_and_port(local(mqtt_));
    public_url_ = arguments.public_url.empty() ? derived_public_url() : arguments.public_url;
  }

  int run() {
    const std::string mosquitto =
        needed("mosquitto", "apt-get install mosquitto", {"/usr/local/sbin", "/usr/sbin"});
    const std::string otariad =
        needed("otariad", "Build it (ninja otariad) or put it beside otaria.", {});
    const std::filesystem::path data = prepared_folder();
    const FolderLock lock(data);
    check_port(mqtt_, "--mqtt-port");
    check_port(http_, "--http ADDR:PORT");
    const auto configuration = data / "mosquitto.conf";
    write(
        configuration,
        mosquitto_configuration(data.string(), arguments_.bind, arguments_.mqtt_port, own_user()));
    Service broker{{"mosquitto",
                    {mosquitto, "-c", configuration.string()},
                    (data / "mosquitto.log").string()}};
    Service server{{"otariad",
                    {otariad,
                     "--data",
                     (data / "server").string(),
                     "--http",
                     host_and_port(http_),
                     "--mqtt",
                     mqtt_url_,
                     "--public-url",
                     public_url_},
                    (data / "otariad.log").string()}};
    broker_ = &broker;
    server_ = &server;
    warn();
    if (bring_up(broker, [&] { return accepts_connections(local(mqtt_)); }) &&
        bring_up(server, [&] { return http_ready(http_url_); })) {
      announce(data);
      supervise();
    }
    stop(server);
    stop(broker);
    context_.note("Stopped.");
    return exit_ok;
  }

 private:
  Endpoint parsed_http() const {
    if (arguments_.http.empty()) return {arguments_.bind, 8080};
    const auto endpoint = endpoint_from(arguments_.http);
    if (!endpoint)
      throw usage("bad_address",
                  fmt::format("`{}` is no ADDR:PORT.", arguments_.http),
                  "Write it like 127.0.0.1:8080 or [::1]:8080.");
    return *endpoint;
  }

  std::string derived_public_url() const {
    Endpoint endpoint = http_;
    if (endpoint.address == "0.0.0.0" || endpoint.address == "::") {
      const std::string outward = outward_address();
      endpoint.address = outward.empty() ? "127.0.0.1" : outward;
    }
    return "http://" + host_and_port(endpoint);
  }

  static std::string needed(const std::string& name,
                            const std::string& how,
                            const std::vector<std::string>& more) {
    std::string path = find_program(name, more);
    if (path.empty())
      throw usage(
          "program_missing", fmt::format("`{}` is neither beside otaria nor in PATH.", name), how);
    return path;
  }

  std::filesystem::path prepared_folder() const {
    std::error_code error;
    std::filesystem::path data =
        std::filesystem::absolute(arguments_.data, error).lexically_normal();
    for (const auto& folder : {data, data / "broker", data / "server"}) {
      std::filesystem::create_directories(folder, error);
      if (error)
        throw usage("folder_unusable",
                    fmt::format("{}: {}.", folder.string(), error.message()),
                    "Name a folder you may write with --data DIR.");
    }
    return data;
  }

  static void check_port(const Endpoint& endpoint, const char* option) {
    const std::string obstacle = listen_obstacle(endpoint);
    if (obstacle.empty()) return;
    throw usage(
        "port_unusable",
        fmt::format("Nothing can listen at {}: {}.", host_and_port(endpoint), obstacle),
        fmt::format("Stop what uses it (ss -ltnp shows it), or choose another with {}.", option));
  }

  static void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file)
      throw usage("folder_unusable",
                  fmt::format("{} cannot be written.", path.string()),
                  "Check the space and the rights of the folder.");
  }

  void warn() {
    context_.note(
        "Warning: the broker takes anonymous clients, for development only; whoever reaches it can "
        "send notices.");
    if (!is_loopback(arguments_.bind) || arguments_.bind == "0.0.0.0" || arguments_.bind == "::") {
      context_.note(
          fmt::format("Warning: it listens at {}, beyond this machine.", host_and_port(mqtt_)));
    }
  }

  /// False when a signal asks to stop meanwhile.
  template <typename Ready>
  bool bring_up(Service& service, Ready ready) {
    start(service);
    const auto until = Clock::now() + ready_limit;
    while (!ready()) {
      const int signal = signals_.wait(milliseconds(100));
      if (signal != 0 && signal != SIGCHLD) return false;
      std::string how;
      if (service.process.has_ended(how)) {
        throw Failure(exit_refused,
                      "start_failed",
                      fmt::format("{} ended at once ({}). Its last lines:\n{}",
                                  service.process.name(),
                                  how,
                                  service.process.log_tail(5)),
                      fmt::format("The whole log: {}", service.process.log_file()));
      }
      if (Clock::now() >= until) {
        throw Failure(
            exit_refused,
            "start_failed",
            fmt::format("{} is not ready after {} s.", service.process.name(), ready_limit.count()),
            fmt::format("Its log: {}", service.process.log_file()));
      }
    }
    return true;
  }

  void announce(const std::filesystem::path& data) {
    if (context_.json()) {
      context_.print(
          {{"server", http_url_},
           {"mqtt", mqtt_url_},
           {"public_url", public_url_},
           {"data", data.string()},
           {"token_file", (data / "server" / "bootstrap-token").string()},
           {"pids", {{"mosquitto", broker_->process.pid()}, {"otariad", server_->process.pid()}}}});
      return;
    }
    if (context_.quiet()) return;
    const std::string global =
        http_url_ == GlobalOptions{}.server ? "" : "--server " + http_url_ + " ";
    const std::string port =
        arguments_.mqtt_port == 1883 ? "" : fmt::format("-p {} ", arguments_.mqtt_port);
    context_.say(fmt::format(
        "Otaria is up.\n\n"
        "  API and images   {0}   (in notices: {1})\n"
        "  MQTT broker      {2}\n"
        "  data and logs    {3}\n\n"
        "Next, in another terminal:\n"
        "  export OTARIA_TOKEN_FILE={3}/server/bootstrap-token\n"
        "  otaria-device --flash a.flash --factory OLD.bin --id sensor_A1B2 --development\n"
        "  otaria-device --flash a.flash --mqtt {2}\n"
        "  otaria {4}release publish NEW.bin --version 1.4.0\n"
        "  otaria {4}update send sensor_A1B2 --release 1.4.0 --wait\n"
        "  mosquitto_sub {5}-t '+/ota/status' -v\n\n"
        "Ctrl-C stops it; the data stays.",
        http_url_,
        public_url_,
        mqtt_url_,
        data.string(),
        global,
        port));
  }

  void start(Service& service) {
    service.process.start();
    service.started = Clock::now();
    service.wanted = false;
  }

  void supervise() {
    while (true) {
      const int signal = signals_.wait(milliseconds(500));
      if (signal != 0 && signal != SIGCHLD) return;
      for (Service* service : {broker_, server_}) tend(*service);
    }
  }

  void tend(Service& service) {
    std::string how;
    if (service.process.has_ended(how)) {
      if (Clock::now() - service.started >= settled_after) service.backoff = first_backoff;
      context_.note(fmt::format("{} ended ({}); starting it again in {} s. Log: {}",
                                service.process.name(),
                                how,
                                service.backoff.count(),
                                service.process.log_file()));
      service.start_at = Clock::now() + service.backoff;
      service.backoff = std::min(service.backoff * 2, longest_backoff);
      service.wanted = true;
    }
    if (service.wanted && Clock::now() >= service.start_at) {
      start(service);
      context_.note(fmt::format("{} started again.", service.process.name()));
    }
  }

  void stop(Service& service) {
    if (!service.process.running()) return;
    service.process.signal(SIGTERM);
    const auto until = Clock::now() + stop_limit;
    std::string how;
    while (!service.process.has_ended(how)) {
      if (Clock::now() >= until) {
        context_.note(fmt::format("{} does not stop; it is killed.", service.process.name()));
        service.process.signal(SIGKILL);
      }
      signals_.wait(milliseconds(50));
    }
  }

  Context& context_;
  const UpArguments& arguments_;
  Signals signals_;
  Endpoint http_;
  Endpoint mqtt_;
  std::string http_url_;
  std::string mqtt_url_;
  std::string public_url_;
  Service* broker_ = nullptr;
  Service* server_ = nullptr;
};

}  // namespace

std::string mosquitto_configuration(const std::string& data,
                                    const std::string& bind,
                                    std::uint16_t port,
                                    const std::string& user) {
  if (data.find_first_of("\r\n") != std::string::npos ||
      bind.find_first_of(" \r\n") != std::string::npos) {
    throw usage("bad_path",
                "A line break in the folder's or a blank in the listener's name cannot stand in "
                "Mosquitto's configuration.",
                "Name another with --data DIR or --bind ADDR.");
  }
  std::string text = fmt::format(
      "# Written by `otaria up` at every start; changes are lost. For development: no "
      "authentication.\n"
      "listener {} {}\n"
      "allow_anonymous true\n"
      "# What was retained or queued survives a restart.\n"
      "persistence true\n"
      "persistence_location {}/broker/\n"
      "autosave_interval 30\n"
      "# A device's buffer holds 1,024 bytes; nothing longer shall reach one.\n"
      "max_packet_size 1024\n"
      "# The server's persistent session while it restarts.\n"
      "max_queued_messages 100000\n"
      "log_dest stderr\n"
      "log_timestamp_format %Y-%m-%dT%H:%M:%S\n",
      port,
      bind,
      data);
  if (!user.empty()) text += fmt::format("user {}\n", user);
  return text;
}

int up(Context& context, const UpArguments& arguments) {
  return Stack(context, arguments).run();
}

}  // namespace otaria::cli
