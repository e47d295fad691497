#pragma once

#include <array>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "server/http/boost_pch.hpp"
#include "server/http/head.hpp"
#include "server/http/session.hpp"
#include "server/http/shared.hpp"

namespace otaria::server {

/// One thread, one io_context, the connections that live on it, and one timer that looks after all
/// their deadlines. All but start(), join(), post_* and adopt() is for its own thread.
class EventLoop {
 public:
  explicit EventLoop(Shared& shared);
  ~EventLoop();

  void start();
  void adopt(tcp::socket socket,
             bool admitted);  ///< any thread; the socket must belong to context()
  void close_idle();          ///< any thread
  void close_all();           ///< any thread
  void finish();              ///< any thread; then join()
  void join();

  asio::io_context& context() { return context_; }
  Shared& shared() { return shared_; }

  /// For use between two suspensions only.
  Head& scratch_head() { return scratch_head_; }
  std::string& scratch_text() { return scratch_text_; }
  /// One TLS record's worth of a file, on its way to be encrypted.
  std::span<char, TlsStream::record_bytes> scratch_record() { return scratch_record_; }
  /// `Date: …` line of this second, with its CRLF.
  std::string_view date_line();

 private:
  asio::awaitable<void> sweep();

  Shared& shared_;
  asio::io_context context_{1};  // a hint: one thread runs it
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer sweep_timer_;
  std::list<Session> sessions_;
  Head scratch_head_;
  std::string scratch_text_;
  std::array<char, TlsStream::record_bytes> scratch_record_{};
  std::string date_line_;
  std::time_t date_second_ = 0;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace otaria::server
