// Sending: heads, bodies, files by sendfile(2), event streams.
#include <linux/sockios.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "server/http/event_loop.hpp"
#include "server/http/problem.hpp"
#include "server/http/session.hpp"

namespace otaria::server {
namespace {

/// What one connection may send before others on its loop get their turn.
constexpr std::uint64_t turn_bytes = std::uint64_t{4} * 1024 * 1024;
/// Smaller bodies go out in one piece with their head.
constexpr std::size_t joined_body_bytes = std::size_t{64} * 1024;

void append_number(std::string& out, std::uint64_t value) {
  char text[20];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// A handler that lets a client's bytes into a header must not let them end it.
bool is_safe_header(std::string_view name, std::string_view value) {
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  return !name.empty() && std::none_of(name.begin(), name.end(), breaks) &&
         std::none_of(value.begin(), value.end(), breaks);
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

/// Status line and the lines every response has; counts the response.
void Session::begin_head(std::string& out, int status) const {
  out.assign("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\nServer: otaria\r\n");
  out.append(loop_.date_line());
  if (!keep_alive_)
    out.append("Connection: close\r\n");
  else if (http_1_0_)
    out.append("Connection: keep-alive\r\n");
  const auto hundreds = static_cast<std::size_t>(status / 100);
  if (hundreds < shared_.responses.size()) {
    shared_.responses[hundreds].fetch_add(1, std::memory_order_relaxed);
  }
}

/// Bytes the kernel took at once; fewer than all when its buffer is full or the peer is gone
/// (broken_).
std::size_t Session::send_now(std::string_view bytes, int flags) {
  if (tls_) return send_now_over_tls(bytes);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::send(
        socket_.native_handle(), bytes.data() + done, bytes.size() - done, flags | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      if (errno != EAGAIN) broken_ = true;
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  count_sent(done);
  return done;
}

void Session::count_sent(std::size_t bytes) {
  sent_ += bytes;
  shared_.bytes_sent.fetch_add(bytes, std::memory_order_relaxed);
}

asio::awaitable<bool> Session::wait_writable() {
  if (waiting_ != Waiting::drain) expect(Waiting::drain);
  const auto [error] = co_await socket_.async_wait(tcp::socket::wait_write, as_values);
  if (error) broken_ = true;
  co_return !error;
}

asio::awaitable<bool> Session::send_all(std::string bytes) {
  std::string_view rest = bytes;
  for (;;) {
    rest.remove_prefix(send_now(rest, 0));
    if (rest.empty() || broken_) break;
    if (!co_await wait_writable()) break;
  }
  if (waiting_ != Waiting::farewell) expect(Waiting::nothing);
  co_return !broken_;
}

/// Bytes the peer has acknowledged: what the kernel holds for a peer that stalled does not count as
/// progress.
std::uint64_t Session::drained() const {
  if (tls_) return tls_->acknowledged();  // what lies in the kernel is longer than what was sent
  int queued = 0;
  if (::ioctl(const_cast<tcp::socket&>(socket_).native_handle(), SIOCOUTQ, &queued) != 0)
    return sent_;
  const auto held = static_cast<std::uint64_t>(std::max(queued, 0));
  return sent_ > held ? sent_ - held : 0;
}

asio::awaitable<bool> Session::send_response(Response response) {
  const bool event_stream = static_cast<bool>(response.events);
  if (event_stream && http_1_0_) keep_alive_ = false;
  std::string out;
  begin_head(out, response.status);
  for (const auto& [name, value] : response.headers) {
    if (is_safe_header(name, value)) {
      append_line(out, name, value);
    } else {
      spdlog::error("a response header with a line break was left out");
    }
  }
  if (event_stream) {
    if (!http_1_0_) out.append("Transfer-Encoding: chunked\r\n");
    out.append("\r\n");
    co_return co_await send_events(std::move(response.events), std::move(out));
  }
  if (!has_no_body(response.status)) {
    out.append("Content-Length: ");
    append_number(out, response.body.size());
    out.append("\r\n");
  }
  out.append("\r\n");
  if (head_only_ || has_no_body(response.status)) response.body.clear();
  if (response.body.size() <= joined_body_bytes) {
    out.append(response.body);
    response.body.clear();
  }
  bool sent = co_await send_all(std::move(out));
  if (sent && !response.body.empty()) sent = co_await send_all(std::move(response.body));
  if (sent && !keep_alive_) co_await linger();
  co_return sent&& keep_alive_;
}

asio::awaitable<bool> Session::send_file(std::shared_ptr<const OpenFile> file,
                                         FileSelection selection,
                                         std::string_view further_lines) {
  const bool has_body = selection.length > 0 && !head_only_;
  Place download;
  if (has_body) {
    download = Place::take(shared_.active_downloads, shared_.config.max_downloads);
    if (!download) {
      shared_.downloads_refused.fetch_add(1, std::memory_order_relaxed);
      Response busy;
      busy.status = 503;
      busy.headers.emplace_back("Retry-After", std::to_string(shared_.config.retry_after.count()));
      busy.headers.emplace_back("Content-Type", problem_media_type);
      busy.body = problem_details(503);
      co_return co_await send_response(std::move(busy));
    }
  }
  std::string& out = loop_.scratch_text();
  begin_head(out, selection.status);
  if (!file->etag.empty()) append_line(out, "ETag", file->etag);
  out.append("Accept-Ranges: bytes\r\n").append(file->header_lines).append(further_lines);
  if (selection.status == 206) {
    out.append("Content-Range: bytes ");
    append_number(out, selection.offset);
    out.append("-");
    append_number(out, selection.offset + selection.length - 1);
    out.append("/");
    append_number(out, file->size);
    out.append("\r\n");
  } else if (selection.status == 416) {
    out.append("Content-Range: bytes */");
    append_number(out, file->size);
    out.append("\r\n");
  }
  if (selection.status != 304) {
    out.append("Content-Length: ");
    append_number(out, selection.length);
    out.append("\r\n");
  }
  out.append("\r\n");
  if (tls_ && has_body) {
    if (!co_await send_file_over_tls(out, *file, selection.offset, selection.length)) {
      co_return false;
    }
    download = {};
    if (!keep_alive_) co_await linger();
    co_return keep_alive_;
  }
  // MSG_MORE: the head leaves in one packet with the first bytes of the file.
  const std::size_t done = send_now(out, has_body ? MSG_MORE : 0);
  if (broken_) co_return false;
  if (done < out.size() && !co_await send_all(out.substr(done))) co_return false;
  if (has_body && !co_await send_file_bytes(*file, selection.offset, selection.length)) {
    co_return false;
  }
  download = {};
  if (!keep_alive_) co_await linger();
  co_return keep_alive_;
}

asio::awaitable<bool> Session::send_file_bytes(const OpenFile& file,
                                               std::uint64_t offset,
                                               std::uint64_t length) {
  auto position = static_cast<off_t>(offset);
  std::uint64_t turn = turn_bytes;
  while (length > 0) {
    const ssize_t count =
        ::sendfile(socket_.native_handle(), file.descriptor, &position, std::min(length, turn));
    if (count > 0) {
      const auto moved = static_cast<std::uint64_t>(count);
      sent_ += moved;
      length -= moved;
      turn -= moved;
      shared_.bytes_sent.fetch_add(moved, std::memory_order_relaxed);
      if (turn == 0 && length > 0) {
        turn = turn_bytes;
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        if (broken_) co_return false;  // close() came between
      }
    } else if (count < 0 && errno == EAGAIN) {
      if (!co_await wait_writable()) co_return false;
      turn = turn_bytes;
    } else if (count == 0 || errno != EINTR) {
      broken_ = true;  // the file was cut short under us, or the peer is gone: only closing tells
                       // the client
      co_return false;
    }
  }
  expect(Waiting::nothing);
  co_return true;
}

asio::awaitable<bool> Session::send_events(EventSource source, std::string head_lines) {
  Place stream = Place::take(shared_.active_event_streams, shared_.config.max_event_streams);
  if (!stream) {
    Response busy;
    busy.status = 503;
    busy.headers.emplace_back("Retry-After", std::to_string(shared_.config.retry_after.count()));
    co_return co_await send_response(std::move(busy));
  }
  if (!co_await send_all(std::move(head_lines))) co_return false;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  auto spoke = std::chrono::steady_clock::now();
  while (!broken_ && !head_only_ && !shared_.stopping.load(std::memory_order_relaxed)) {
    auto piece = co_await run_on(*shared_.events, [&source]() -> std::optional<std::string> {
      try {
        return source();
      } catch (const std::exception& unforeseen) {
        spdlog::error("an event stream ends: {}", unforeseen.what());
        return std::nullopt;
      }
    });
    if (!piece) break;
    const auto now = std::chrono::steady_clock::now();
    if (piece->empty() && now - spoke >= shared_.config.event_heartbeat) *piece = ": \n\n";
    if (piece->empty()) {
      timer.expires_after(shared_.config.event_poll);
      co_await timer.async_wait(as_values);
      continue;
    }
    spoke = now;
    if (!http_1_0_) {
      char size[16];
      const auto end = std::to_chars(size, size + sizeof size, piece->size(), 16).ptr;
      piece->insert(0, std::string(size, end) + "\r\n").append("\r\n");
    }
    if (!co_await send_all(std::move(*piece))) co_return false;
  }
  if (!http_1_0_ && !head_only_ && !co_await send_all("0\r\n\r\n")) co_return false;
  co_return keep_alive_ && !broken_;
}

/// Answers with an error and gives the connection up: what follows on it cannot be trusted to be a
/// request.
asio::awaitable<bool> Session::refuse(int status,
                                      std::string_view further_lines,
                                      std::string_view problem) {
  keep_alive_ = false;
  std::string out;
  begin_head(out, status);
  out.append(further_lines);
  append_line(out, "Content-Type", problem_media_type);
  if (status == 503) {
    append_line(out, "Retry-After", std::to_string(shared_.config.retry_after.count()));
  }
  const std::string body = problem.empty() ? problem_details(status) : std::string(problem);
  append_line(out, "Content-Length", std::to_string(body.size()));
  out.append("\r\n");
  if (!head_only_) out.append(body);
  if (co_await send_all(std::move(out))) co_await linger();
  co_return false;
}

/// Reads on for a moment after the last word: closing with unread bytes would reset the connection,
/// and the answer would be lost.
asio::awaitable<void> Session::linger() {
  if (tls_) tls_->finish();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  expect(Waiting::farewell);
  std::array<char, 512> waste;
  for (;;) {
    const auto [error, count] = co_await socket_.async_read_some(asio::buffer(waste), as_values);
    if (error || broken_) break;
  }
  expect(Waiting::nothing);
}

}  // namespace otaria::server
