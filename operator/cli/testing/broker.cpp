#include "operator/cli/testing/broker.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace otaria::cli::testing {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(probe, reinterpret_cast<sockaddr*>(&address), length) != 0)
    throw std::runtime_error("no port is free");
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(probe);
  return ntohs(address.sin_port);
}

bool await_listener(std::uint16_t port) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < until) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool open =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (open) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string new_folder(const std::string& name) {
  static int count = 0;
  const auto folder = std::filesystem::temp_directory_path() /
                      (name + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder.string();
}

Broker::Broker(const std::string& more_configuration) : port_(free_port()) {
  const std::string file = new_folder("broker") + "/mosquitto.conf";
  std::ofstream(file) << "listener " << port_ << " 127.0.0.1\npersistence false\nlog_dest none\n"
                      << more_configuration;
  program_ = std::make_unique<Program>(
      "/usr/bin/env",
      std::vector<std::string>{
          "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/bin", "mosquitto", "-c", file});
  if (!await_listener(port_)) throw std::runtime_error("mosquitto does not start");
}

std::string Broker::retained(const std::string& topic) const {
  // -E would not wait for messages; -W 1 bounds the wait when there is none.
  return run("/usr/bin/env",
             {"mosquitto_sub",
              "-h",
              "127.0.0.1",
              "-p",
              std::to_string(port_),
              "-t",
              topic,
              "-q",
              "1",
              "-C",
              "1",
              "-W",
              "2",
              "-F",
              "%r %q %p"})
      .out;
}

}  // namespace otaria::cli::testing
