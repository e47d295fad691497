#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "simulator/net/test_support/test_certificate.hpp"

namespace otaria::simulator {

/// A server in a thread that answers each request with raw bytes, one connection at a time.
class TestHttpServer {
 public:
  struct Answer {
    std::string bytes;         ///< status line, headers and body, exactly as sent
    bool close_after = false;  ///< otherwise the connection is kept for the next request
  };
  /// From the request's head (request line and headers, as received).
  using Answers = std::function<Answer(const std::string& head)>;

  explicit TestHttpServer(Answers answers, std::optional<TestCertificate> tls = std::nullopt);
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;
  ~TestHttpServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// `http(s)://127.0.0.1:<port><path>`
  [[nodiscard]] std::string url(const std::string& path) const;
  /// The heads of all requests so far.
  [[nodiscard]] std::vector<std::string> requests() const;
  [[nodiscard]] int connections() const { return connections_; }

 private:
  class Stream;
  void serve();
  void serve_connection(int socket);

  Answers answers_;
  std::optional<TestCertificate> tls_;
  void* tls_context_ = nullptr;  ///< SSL_CTX
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> open_socket_ = -1;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace otaria::simulator
