// What TLS adds to a connection: the handshake, reading, and files that the kernel cannot send by
// itself.
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "server/http/event_loop.hpp"
#include "server/http/problem.hpp"
#include "server/http/session.hpp"

namespace otaria::server {
namespace {

/// What one connection may encrypt before others on its loop get their turn: a millisecond or so.
constexpr std::uint64_t turn_bytes = std::uint64_t{1} * 1024 * 1024;
/// Reads that found their bytes already there before others get their turn.
constexpr std::uint8_t reads_per_turn = 16;
/// While corked, the kernel sends full segments only: every record would else end in a short one.
class Cork {
 public:
  Cork(int socket, bool wanted) : socket_{wanted ? socket : -1} { set(1); }
  ~Cork() { set(0); }  // what is left goes out now
  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;

 private:
  void set(int on) const {
    if (socket_ >= 0) ::setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  }
  int socket_;
};

constexpr char handshake_record = 0x16;  // RFC 8446, 5.1

}  // namespace

/// False, for its callers to return.
bool Session::handshake_failed(TlsFailure why) {
  if (timed_out_) why = TlsFailure::timed_out;
  shared_.tls_failures[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  return false;
}

/// Answers who speaks plain HTTP here, in plain HTTP.
asio::awaitable<bool> Session::begins_like_tls() {
  for (;;) {
    char first = 0;
    const ssize_t count = ::recv(socket_.native_handle(), &first, 1, MSG_PEEK);
    if (count == 1 && first == handshake_record) co_return true;
    if (count == 1) {
      tls_.reset();
      handshake_failed(TlsFailure::not_tls);
      co_await refuse(400, {}, https_required_problem());
      co_return false;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      co_return handshake_failed(TlsFailure::closed);
    }
    const auto [error] = co_await socket_.async_wait(tcp::socket::wait_read, as_values);
    if (error) co_return handshake_failed(TlsFailure::closed);
  }
}

/// The whole handshake within the time that a head has. False: the connection is over, and all is
/// said.
asio::awaitable<bool> Session::shake_hands() {
  expect(Waiting::head);
  if (!tls_ || !co_await begins_like_tls()) co_return false;
  for (;;) {
    const TlsStream::Step step = tls_->handshake();
    if (step == TlsStream::Step::done) {
      expect(Waiting::nothing);
      co_return true;
    }
    if (step != TlsStream::Step::wait_read && step != TlsStream::Step::wait_write) break;
    const auto [error] = co_await socket_.async_wait(
        step == TlsStream::Step::wait_read ? tcp::socket::wait_read : tcp::socket::wait_write,
        as_values);
    if (error) co_return handshake_failed(TlsFailure::closed);
  }
  handshake_failed(tls_->failure_kind());
  spdlog::debug("a TLS handshake failed: {}", tls_->failure());
  co_await linger();  // the alert says why; a reset would take it away
  co_return false;
}

asio::awaitable<Session::ReadResult> Session::read_over_tls(std::span<char> into) {
  using Step = TlsStream::Step;
  for (;;) {
    std::size_t count = 0;
    const Step step = tls_->read(into, count);
    if (step == Step::done) {
      if (++reads_at_once_ < reads_per_turn) co_return ReadResult{error_code{}, count};
      reads_at_once_ = 0;
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      if (broken_) co_return ReadResult{asio::error::operation_aborted, 0};
      co_return ReadResult{error_code{}, count};
    }
    if (step == Step::ended) co_return ReadResult{asio::error::eof, 0};
    if (step == Step::failed) co_return ReadResult{asio::error::connection_reset, 0};
    reads_at_once_ = 0;
    const auto [error] = co_await socket_.async_wait(
        step == Step::wait_read ? tcp::socket::wait_read : tcp::socket::wait_write, as_values);
    if (error) co_return ReadResult{error, 0};
  }
}

std::size_t Session::send_now_over_tls(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    std::size_t count = 0;
    const TlsStream::Step step = tls_->write(bytes.substr(done), count);
    if (step != TlsStream::Step::done) {
      if (step != TlsStream::Step::wait_write) broken_ = true;
      break;
    }
    done += count;
  }
  count_sent(done);
  return done;
}

/// Before a sending step is tried again. Sending never waits for the peer's bytes: renegotiation is
/// off.
asio::awaitable<bool> Session::after_step(TlsStream::Step step) {
  if (step == TlsStream::Step::wait_write) co_return co_await wait_writable();
  broken_ =
      true;  // the peer is gone, or the file was cut short under us: only closing tells the client
  co_return false;
}

/// One record after the other, each read anew from the file until the kernel has taken it: the
/// loop's scratch record is the only memory, whatever the number of connections.
asio::awaitable<bool> Session::send_file_over_tls(std::string head,
                                                  const OpenFile& file,
                                                  std::uint64_t offset,
                                                  std::uint64_t length) {
  const Cork cork{socket_.native_handle(), length > TlsStream::record_bytes};
  std::string_view head_left = head;
  std::uint64_t turn = turn_bytes;
  while (!head_left.empty() || length > 0) {
    const auto record = loop_.scratch_record();
    const std::size_t of_head = head_left.copy(record.data(), record.size());
    const auto of_file = std::min<std::uint64_t>(length, record.size() - of_head);
    const ssize_t got =
        ::pread(file.descriptor, record.data() + of_head, of_file, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(of_file))
      co_return co_await after_step(TlsStream::Step::failed);
    std::size_t sent = 0;
    const TlsStream::Step step = tls_->write({record.data(), of_head + of_file}, sent);
    if (step != TlsStream::Step::done) {
      if (!co_await after_step(step)) co_return false;
      turn = turn_bytes;
      continue;
    }
    count_sent(sent);
    const std::size_t head_sent = std::min(sent, of_head);
    head_left.remove_prefix(head_sent);
    offset += sent - head_sent;
    length -= sent - head_sent;
    turn -= std::min<std::uint64_t>(turn, sent);
    if (turn == 0 && length > 0) {
      turn = turn_bytes;
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      if (broken_) co_return false;  // close() came between
    }
  }
  expect(Waiting::nothing);
  co_return true;
}

}  // namespace otaria::server
