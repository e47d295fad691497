#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "simulator/net/test_support/test_certificate.hpp"

namespace otaria::simulator {

/// A real Mosquitto on a free port of 127.0.0.1, ended with this object. Throws when it does not
/// come up.
class TestBroker {
 public:
  /// With a certificate it speaks TLS only. `settings` are further lines of its configuration.
  explicit TestBroker(const std::optional<TestCertificate>& tls = std::nullopt,
                      const std::string& settings = "");
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;
  ~TestBroker();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  void kill();

 private:
  void start();

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

/// A port nobody listens on at this moment.
std::uint16_t free_port();

}  // namespace otaria::simulator
