#include "operator/cli/testing/fake_server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace otaria::cli::testing {
namespace {

bool send_all(int connection, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

std::size_t content_length(const std::string& head) {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  const std::size_t at = lower.find("content-length:");
  return at == std::string::npos ? 0 : std::stoul(lower.substr(at + 15));
}

}  // namespace

FakeServer::FakeServer(Handler handler) : handler_(std::move(handler)) {
  start();
}

FakeServer::~FakeServer() {
  stop();
}

void FakeServer::start() {
  stopping_ = false;
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  socklen_t length = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 64) != 0) {
    throw std::runtime_error("the fake server cannot listen");
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

void FakeServer::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  }
  changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (auto& worker : workers_) worker.join();
  workers_.clear();
}

void FakeServer::accept_loop() {
  while (true) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      ::close(connection);
      return;
    }
    connections_.push_back(connection);
    workers_.emplace_back([this, connection] {
      serve(connection);
      const std::lock_guard inner(mutex_);
      std::erase(connections_, connection);
      ::close(connection);
    });
  }
}

bool FakeServer::read_request(int connection, Seen& seen) {
  std::string text;
  std::size_t head_end = std::string::npos;
  std::size_t needed = 0;
  char buffer[16384];
  while (head_end == std::string::npos || text.size() < needed) {
    const ssize_t count = ::recv(connection, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    text.append(buffer, static_cast<std::size_t>(count));
    if (head_end == std::string::npos && (head_end = text.find("\r\n\r\n")) != std::string::npos) {
      needed = head_end + 4 + content_length(text.substr(0, head_end));
    }
  }
  seen.head = text.substr(0, head_end);
  seen.body = text.substr(head_end + 4);
  const std::size_t space = seen.head.find(' ');
  seen.method = seen.head.substr(0, space);
  seen.target = seen.head.substr(space + 1, seen.head.find(' ', space + 1) - space - 1);
  return true;
}

void FakeServer::serve(int connection) {
  Seen seen;
  if (!read_request(connection, seen)) return;
  {
    const std::lock_guard lock(mutex_);
    seen_.push_back(seen);
  }
  const Reply reply = handler_(seen);
  if (reply.drop) return;
  if (reply.events) {
    stream(connection);
    return;
  }
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) +
                     " x\r\nContent-Type: " + reply.type +
                     "\r\nContent-Length: " + std::to_string(reply.body.size()) +
                     "\r\nConnection: close\r\n" + reply.more_head + "\r\n";
  send_all(connection, seen.method == "HEAD" ? head : head + reply.body);
  ::shutdown(connection, SHUT_WR);
}

void FakeServer::stream(int connection) {
  send_all(
      connection,
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: hello\n\n");
  std::size_t sent = 0;
  std::unique_lock lock(mutex_);
  ++streams_;
  changed_.notify_all();
  while (!stopping_) {
    for (; sent < events_.size(); ++sent) {
      if (!send_all(connection, events_[sent])) return;
    }
    changed_.wait(lock);
  }
}

std::vector<FakeServer::Seen> FakeServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void FakeServer::send_event(const std::string& name, const nlohmann::json& data) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back("event: " + name + "\ndata: " + data.dump() + "\n\n");
  }
  changed_.notify_all();
}

void FakeServer::await_streams(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(30), [&] { return streams_ >= count; });
}

FakeServer::Reply FakeServer::problem(int status,
                                      const std::string& code,
                                      const std::string& detail,
                                      const std::string& hint) {
  const nlohmann::json body{{"type", "about:blank"},
                            {"title", "no"},
                            {"status", status},
                            {"code", code},
                            {"detail", detail},
                            {"hint", hint}};
  return {status, body.dump(), "application/problem+json"};
}

}  // namespace otaria::cli::testing
