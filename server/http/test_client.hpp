#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace otaria::server {

/// A raw TCP client for tests: sends exactly the bytes it is given, one piece after the other.
class TestClient {
 public:
  explicit TestClient(std::uint16_t port, int receive_buffer = 0)
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() { ::close(descriptor_); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  bool send(std::string_view bytes) const {
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  void finish_sending() const { ::shutdown(descriptor_, SHUT_WR); }

  /// Reads until `received` holds at least `size` bytes; false when the peer closed or 20 s passed.
  bool read_at_least(std::size_t size) {
    while (received.size() < size) {
      if (!read_some()) return false;
    }
    return true;
  }
  /// Everything until the peer closes.
  std::string read_all() {
    while (read_some()) {
    }
    return received;
  }
  /// One response with Content-Length (or without a body when `head_only`), taken off `received`.
  std::string read_response(bool head_only = false) {
    std::size_t end = 0;
    while ((end = received.find("\r\n\r\n")) == std::string::npos) {
      if (!read_some()) return std::exchange(received, {});
    }
    std::size_t size = end + 4;
    const auto field = received.find("Content-Length: ");
    if (!head_only && field < end) size += std::stoul(received.substr(field + 16));
    read_at_least(size);
    std::string response = received.substr(0, size);
    received.erase(0, response.size());
    return response;
  }

  std::string received;

 private:
  bool read_some() {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, 20'000) <= 0) return false;
    char bytes[65536];
    const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int descriptor_;
  bool connected_ = false;
};

}  // namespace otaria::server
