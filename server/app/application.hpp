#pragma once

#include <memory>

#include "server/app/config.hpp"

namespace otaria::server {

/// otariad's parts, put together. start() returns once requests are served; the broker may still be
/// away. Errors  the constructor and start() throw std::runtime_error with a text for the operator.
class Application {
 public:
  Application(const Config& config, std::string version);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  void start();
  /// Reads certificate and key again, at once. What is wrong with them is logged, and the ones
  /// before stay.
  void reload();
  /// Lets requests and reports under way finish, says farewell to the broker.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace otaria::server
