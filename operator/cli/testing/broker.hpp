#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "operator/cli/testing/program.hpp"

namespace otaria::cli::testing {

/// A port of the loopback that nobody used a moment ago.
std::uint16_t free_port();

/// The real Mosquitto on a free port, without persistence, with these further lines of
/// configuration.
class Broker {
 public:
  explicit Broker(const std::string& more_configuration = "allow_anonymous true\n");
  [[nodiscard]] std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// What is retained on a topic, as `mosquitto_sub` reads it; empty when nothing is.
  [[nodiscard]] std::string retained(const std::string& topic) const;

 private:
  std::uint16_t port_;
  std::unique_ptr<Program> program_;
};

/// Blocks until somebody accepts connections there; false after 30 s.
bool await_listener(std::uint16_t port);

/// A new empty folder for one test.
std::string new_folder(const std::string& name);

}  // namespace otaria::cli::testing
