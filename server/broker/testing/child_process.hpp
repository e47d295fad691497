#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace otaria::server::testing {

/// A program of ours that ends with its object.
class ChildProcess {
 public:
  /// Standard output and error go to `log`.
  ChildProcess(std::vector<std::string> words, const std::string& log) {
    id_ = fork();
    if (id_ < 0) throw std::runtime_error{"fork failed"};
    if (id_ > 0) return;
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  ~ChildProcess() { end(SIGKILL); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Sends the signal and returns the exit code, or minus the signal that ended it.
  int end(int signal_number) {
    if (id_ > 0) kill(id_, signal_number);
    return wait();
  }
  int wait() {
    if (id_ <= 0) return code_;
    int status = 0;
    waitpid(id_, &status, 0);
    id_ = -1;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return code_;
  }

 private:
  pid_t id_ = -1;
  int code_ = 0;
};

/// A port of 127.0.0.1 on which nobody listens now.
inline int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = bind(probe, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(probe);
  if (!bound) throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

/// Asks again until it is so; false when it still is not after a time far beyond any real one.
inline bool comes_true(const std::function<bool()>& claim,
                       std::chrono::seconds limit = std::chrono::seconds{30}) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!claim()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

inline bool port_answers(int port) {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool answers = connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return answers;
}

/// A real Mosquitto that keeps nothing on disk, so that a restart of it is a broker that forgot
/// everything.
class Mosquitto {
 public:
  explicit Mosquitto(const std::string& directory, int port = free_port())
      : port_{port},
        process_{{"/usr/sbin/mosquitto", "-p", std::to_string(port)},
                 directory + "/mosquitto.log"} {
    if (!comes_true([this] { return port_answers(port_); })) {
      throw std::runtime_error{"mosquitto does not answer"};
    }
  }
  /// With settings of its own, and its listener in them.
  Mosquitto(const std::string& directory, int port, const std::string& configuration)
      : port_{port},
        process_{{"/usr/sbin/mosquitto", "-c", configuration}, directory + "/mosquitto.log"} {
    if (!comes_true([this] { return port_answers(port_); })) {
      throw std::runtime_error{"mosquitto does not answer"};
    }
  }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

 private:
  int port_;
  ChildProcess process_;
};

}  // namespace otaria::server::testing
