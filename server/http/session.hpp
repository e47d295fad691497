#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "server/http/boost_pch.hpp"
#include "server/http/head.hpp"
#include "server/http/head_buffer.hpp"
#include "server/http/shared.hpp"
#include "server/http/tls_stream.hpp"

namespace otaria::server {

class EventLoop;

/// One connection: reads requests, answers them, one after the other, until either side has enough.
/// Everything runs on the thread of its EventLoop; only handlers and file writes go to the pools,
/// with copies.
class Session {
 public:
  /// Not admitted: answers 503 without reading.
  Session(tcp::socket socket, EventLoop& loop, bool admitted);

  asio::awaitable<void> run();

  void check_deadline(SteadyTime now);
  void close_if_idle();
  void close();

 private:
  /// What the peer owes us, and by when.
  enum class Waiting { nothing, request, head, body, drain, farewell };
  struct SpoolFile;

  using ReadResult = std::tuple<error_code, std::size_t>;

  asio::awaitable<bool> serve_one();
  asio::awaitable<ReadResult> read_some(std::span<char> into);
  asio::awaitable<ReadResult> read_over_tls(std::span<char> into);
  asio::awaitable<bool> shake_hands();
  asio::awaitable<bool> begins_like_tls();
  bool handshake_failed(TlsFailure why);
  asio::awaitable<std::size_t> read_head();
  asio::awaitable<bool> serve_by_handler(std::size_t head_size);
  asio::awaitable<std::optional<Response>> refusal_of(const Request& request);
  [[nodiscard]] bool has_whole_body(const Head& head, std::size_t head_size) const;
  asio::awaitable<int> read_body(std::size_t head_size, std::uint64_t limit, Request& request);
  asio::awaitable<int> spool(SpoolFile& file, std::string& bytes);
  asio::awaitable<bool> send_response(Response response);
  asio::awaitable<bool> send_file(std::shared_ptr<const OpenFile> file,
                                  FileSelection selection,
                                  std::string_view further_lines);
  asio::awaitable<bool> send_file_bytes(const OpenFile& file,
                                        std::uint64_t offset,
                                        std::uint64_t length);
  asio::awaitable<bool> send_file_over_tls(std::string head,
                                           const OpenFile& file,
                                           std::uint64_t offset,
                                           std::uint64_t length);
  asio::awaitable<bool> after_step(TlsStream::Step step);
  asio::awaitable<bool> send_events(EventSource source, std::string head_lines);
  asio::awaitable<bool> send_all(std::string bytes);
  asio::awaitable<bool> refuse(int status,
                               std::string_view further_lines = {},
                               std::string_view problem = {});
  asio::awaitable<void> linger();
  asio::awaitable<bool> wait_writable();

  int check_request_line(const Head& head) const;
  std::shared_ptr<const OpenFile> look_up(const Head& head) const;
  Request make_request(const Head& head, int& status) const;
  void begin_head(std::string& out, int status) const;
  std::size_t send_now(std::string_view bytes, int flags);
  std::size_t send_now_over_tls(std::string_view bytes);
  void count_sent(std::size_t bytes);
  void expect(Waiting what);
  [[nodiscard]] std::uint64_t drained() const;

  tcp::socket socket_;
  std::unique_ptr<TlsStream> tls_;  // none: plain HTTP
  EventLoop& loop_;
  Shared& shared_;
  HeadBuffer buffer_;
  Place place_;
  SteadyTime deadline_ = SteadyTime::max();
  std::uint64_t sent_ = 0;          // handed to the kernel
  std::uint64_t received_ = 0;      // body bytes
  std::uint64_t moved_before_ = 0;  // when the progress window began
  Waiting waiting_ = Waiting::nothing;
  std::uint8_t reads_at_once_ = 0;  // from TLS, without letting others have their turn
  bool admitted_;
  bool served_before_ = false;
  bool timed_out_ = false;
  bool broken_ = false;      // a send failed
  bool keep_alive_ = false;  // these three: of the request in hand
  bool head_only_ = false;
  bool http_1_0_ = false;
};

}  // namespace otaria::server
