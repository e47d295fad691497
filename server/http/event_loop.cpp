#include "server/http/event_loop.hpp"

#include <signal.h>

#include <algorithm>
#include <ctime>

namespace otaria::server {

EventLoop::EventLoop(Shared& shared)
    : shared_(shared), work_(asio::make_work_guard(context_)), sweep_timer_(context_) {}

EventLoop::~EventLoop() {
  join();
}

void EventLoop::start() {
  asio::co_spawn(context_, sweep(), asio::detached);
  thread_ = std::thread([this] {
    // sendfile(2) to a peer that reset the connection raises SIGPIPE and knows no MSG_NOSIGNAL.
    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    context_.run();
  });
}

void EventLoop::adopt(tcp::socket socket, bool admitted) {
  asio::post(context_, [this, socket = std::move(socket), admitted]() mutable {
    const auto session = sessions_.emplace(sessions_.end(), std::move(socket), *this, admitted);
    // Whatever ends the coroutine, an exception for want of memory too, ends the connection.
    asio::co_spawn(context_, session->run(), [this, session](const std::exception_ptr&) {
      sessions_.erase(session);
    });
  });
}

void EventLoop::close_idle() {
  asio::post(context_, [this] {
    for (Session& session : sessions_) session.close_if_idle();
  });
}

void EventLoop::close_all() {
  asio::post(context_, [this] {
    for (Session& session : sessions_) session.close();
  });
}

void EventLoop::finish() {
  asio::post(context_, [this] {
    finished_ = true;
    sweep_timer_.cancel();
    work_.reset();
  });
}

void EventLoop::join() {
  if (thread_.joinable()) thread_.join();
}

asio::awaitable<void> EventLoop::sweep() {
  // One timer for all connections: arming one per operation costs more than the operations.
  // Deadlines are kept to a quarter of the shortest time-out, but looked at no more often than 20
  // and no less than 2 times a second.
  const HttpConfig& config = shared_.config;
  const auto shortest =
      std::min({config.head_timeout, config.idle_timeout, config.progress_window});
  const auto interval =
      std::clamp(shortest / 4, std::chrono::milliseconds(50), std::chrono::milliseconds(500));
  while (!finished_) {
    sweep_timer_.expires_after(interval);
    const auto [error] = co_await sweep_timer_.async_wait(as_values);
    if (error) break;
    const SteadyTime now = std::chrono::steady_clock::now();
    for (Session& session : sessions_) session.check_deadline(now);
  }
}

std::string_view EventLoop::date_line() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[64];
    const auto length =
        std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    date_line_.assign(text, length);
  }
  return date_line_;
}

}  // namespace otaria::server
