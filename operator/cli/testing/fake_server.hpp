#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace otaria::cli::testing {

/// A small HTTP/1.1 server on a free port of the loopback, for tests of the clients: one thread per
/// connection, one request per connection, and a stream of server-sent events that the test feeds.
class FakeServer {
 public:
  struct Seen {
    std::string method;
    std::string target;  ///< path and query as they came
    std::string head;    ///< the whole head
    std::string body;
  };
  struct Reply {
    int status = 200;
    std::string body = {};
    std::string type = "application/json";
    bool events = false;         ///< keep the connection open and send what send_event() gives
    bool drop = false;           ///< close without a word
    std::string more_head = {};  ///< further header lines, each with its line end
  };
  using Handler = std::function<Reply(const Seen&)>;

  explicit FakeServer(Handler handler);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::vector<Seen> seen() const;
  /// To every event stream that is open, and to those that open later.
  void send_event(const std::string& name, const nlohmann::json& data);
  /// Closes the listener and every connection; start() opens the same port again.
  void stop();
  void start();
  /// Blocks until so many event streams have been opened since the beginning.
  void await_streams(std::size_t count);

  static Reply json(const nlohmann::json& body, int status = 200) { return {status, body.dump()}; }
  static Reply problem(int status,
                       const std::string& code,
                       const std::string& detail,
                       const std::string& hint);

 private:
  void accept_loop();
  void serve(int connection);
  void stream(int connection);
  bool read_request(int connection, Seen& seen);

  Handler handler_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::thread acceptor_;
  std::list<std::thread> workers_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Seen> seen_;
  std::vector<std::string> events_;
  std::vector<int> connections_;
  std::size_t streams_ = 0;
  bool stopping_ = false;
};

}  // namespace otaria::cli::testing
