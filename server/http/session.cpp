#include "server/http/session.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/http/event_loop.hpp"
#include "server/http/problem.hpp"
#include "server/http/target.hpp"

namespace otaria::server {
namespace {

constexpr std::array<std::string_view, 7> methods{
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
constexpr std::string_view allow_all = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
constexpr std::string_view allow_reading = "Allow: GET, HEAD\r\n";
constexpr std::string_view empty_line = "\r\n\r\n";

/// What may begin a request line: a token. Anything else (a TLS hello, say) is answered at once.
bool may_begin_request(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

Session::Session(tcp::socket socket, EventLoop& loop, bool admitted)
    : socket_(std::move(socket)), loop_(loop), shared_(loop.shared()), admitted_(admitted) {
  error_code ignored;  // the peer may be gone already; the first read says so
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
  place_ = Place::take(shared_.active_connections, SIZE_MAX);
  if (shared_.tls) tls_ = shared_.tls->accept(socket_.native_handle());
}

asio::awaitable<void> Session::run() {
  if (shared_.tls && !co_await shake_hands()) {
    // All is said.
  } else if (admitted_) {
    while (co_await serve_one()) served_before_ = true;
  } else {
    shared_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    co_await refuse(503);
  }
  if (tls_ && !broken_) tls_->finish();
  error_code ignored;
  socket_.close(ignored);
}

/// Not a coroutine: reading without TLS costs what it did.
asio::awaitable<Session::ReadResult> Session::read_some(std::span<char> into) {
  if (tls_) return read_over_tls(into);
  return socket_.async_read_some(asio::buffer(into.data(), into.size()), as_values);
}

asio::awaitable<bool> Session::serve_one() {
  const std::size_t head_size = co_await read_head();
  if (head_size == 0) co_return false;
  Head& head = loop_.scratch_head();
  int status = parse_head(buffer_.view().substr(0, head_size), head);
  if (status == 0) status = check_request_line(head);
  if (status != 0) co_return co_await refuse(status, status == 405 ? allow_all : "");

  keep_alive_ = head.keep_alive && !shared_.stopping.load(std::memory_order_relaxed);
  head_only_ = head.method == "HEAD";
  http_1_0_ = head.http_1_0;
  if (auto file = look_up(head)) {
    if (head.method != "GET" && !head_only_) co_return co_await refuse(405, allow_reading);
    if (!head.has_body()) {
      const FileSelection selection = select_part(head.conditions, file->etag, file->size);
      buffer_.consume(head_size);
      co_return co_await send_file(std::move(file), selection, {});
    }
  }
  co_return co_await serve_by_handler(head_size);
}

/// Size of the head that lies at the start of the buffer; 0: none will come, and all is said.
asio::awaitable<std::size_t> Session::read_head() {
  std::size_t searched = 0;
  expect(served_before_ && buffer_.view().empty() ? Waiting::request : Waiting::head);
  for (;;) {
    // RFC 9112, 2.2: empty lines before a request line are to be ignored.
    while (buffer_.view().starts_with("\r\n")) buffer_.consume(2);
    const std::string_view bytes = buffer_.view();
    if (!bytes.empty() && !may_begin_request(bytes.front())) {
      co_await refuse(400);
      co_return 0;
    }
    const auto end = bytes.find(empty_line, searched);
    if (end != bytes.npos) {
      expect(Waiting::nothing);
      co_return end + empty_line.size();
    }
    searched = bytes.size() < 3 ? 0 : bytes.size() - 3;
    const auto room = buffer_.room(shared_.config.max_head_bytes);
    if (room.empty()) {
      co_await refuse(bytes.find("\r\n") == bytes.npos ? 414 : 431);
      co_return 0;
    }
    if (shared_.stopping.load(std::memory_order_relaxed) && bytes.empty()) co_return 0;
    const auto [error, count] = co_await read_some(room);
    if (error) {
      if (timed_out_ && !buffer_.view().empty()) co_await refuse(408);
      co_return 0;
    }
    buffer_.added(count);
    if (waiting_ == Waiting::request) expect(Waiting::head);
  }
}

int Session::check_request_line(const Head& head) const {
  if (head.target.size() > shared_.config.max_target_bytes) return 414;
  if (std::find(methods.begin(), methods.end(), head.method) == methods.end()) return 405;
  if (head.target == "*" && head.method == "OPTIONS") return 0;
  return raw_path(head.target).empty() ? 400 : 0;
}

std::shared_ptr<const OpenFile> Session::look_up(const Head& head) const {
  if (!shared_.files) return nullptr;
  const std::string_view path = raw_path(head.target);
  return is_plain_path(path) ? shared_.files(path, raw_query(head.target)) : nullptr;
}

Request Session::make_request(const Head& head, int& status) const {
  Request request;
  const bool of_the_server = head.target == "*";
  auto target = of_the_server ? Target{"*", {}} : parse_target(head.target);
  if (!target) {
    status = 400;
    return request;
  }
  request.method = head.method;
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.headers.reserve(head.fields.size());
  for (const auto& [name, value] : head.fields) {
    request.headers.emplace_back(lower_case(name), std::string(value));
  }
  error_code error;
  const auto peer = socket_.remote_endpoint(error);
  if (!error) {
    const std::string address = peer.address().to_string();
    request.remote = (peer.address().is_v6() ? "[" + address + "]" : address) + ":" +
                     std::to_string(peer.port());
  }
  if (tls_) request.client_common_name = tls_->client_common_name();
  return request;
}

/// Nothing of the body is still to be read.
bool Session::has_whole_body(const Head& head, std::size_t head_size) const {
  return !head.chunked && head.content_length.value_or(0) <= buffer_.view().size() - head_size;
}

asio::awaitable<std::optional<Response>> Session::refusal_of(const Request& request) {
  return run_on(*shared_.workers, [this, &request]() -> std::optional<Response> {
    try {
      return shared_.config.admission(request);
    } catch (const std::exception& unforeseen) {
      spdlog::error("{} {}: {}", request.method, request.path, unforeseen.what());
    }
    Response failed;
    failed.status = 500;
    failed.headers.emplace_back("Content-Type", problem_media_type);
    failed.body = problem_details(500);
    return failed;
  });
}

asio::awaitable<bool> Session::serve_by_handler(std::size_t head_size) {
  int status = 0;
  const Head& head = loop_.scratch_head();
  Request request = make_request(head, status);
  if (status != 0) co_return co_await refuse(status);
  std::uint64_t limit = shared_.config.max_buffered_body;
  if (shared_.config.body_limit) limit = shared_.config.body_limit(request.method, request.path);
  if (head.content_length.value_or(0) > limit) co_return co_await refuse(413);
  const bool has_body = head.has_body();  // the scratch head does not outlast a suspension
  if (has_body && shared_.config.admission && !has_whole_body(head, head_size)) {
    if (auto refusal = co_await refusal_of(request)) {
      keep_alive_ = false;  // what follows is the body that nobody reads
      co_return co_await send_response(std::move(*refusal));
    }
  }
  if (has_body) {
    status = co_await read_body(head_size, limit, request);
    if (status != 0) co_return co_await refuse(status);
    if (broken_) co_return false;
  } else {
    buffer_.consume(head_size);
  }

  // The coroutine waits for the pool, so the request may stay in its frame.
  FileConditions conditions;
  if (const auto range = request.header("range")) conditions.range = *range;
  if (const auto if_range = request.header("if-range")) conditions.if_range = *if_range;
  if (const auto tags = request.header("if-none-match")) conditions.if_none_match = *tags;
  Response response = co_await run_on(*shared_.workers, [this, &request]() -> Response {
    try {
      return shared_.handler(request);
    } catch (const std::exception& unforeseen) {
      spdlog::error("{} {}: {}", request.method, request.path, unforeseen.what());
    } catch (...) {
      spdlog::error("{} {}: an exception of unknown type", request.method, request.path);
    }
    Response failed;
    failed.status = 500;
    failed.headers.emplace_back("Content-Type", problem_media_type);
    failed.body = problem_details(500);
    return failed;
  });
  if (shared_.stopping.load(std::memory_order_relaxed)) keep_alive_ = false;
  if (!response.file) co_return co_await send_response(std::move(response));

  auto file = std::move(response.file);
  const FileSelection selection = response.status != 200 || (request.method != "GET" && !head_only_)
                                      ? FileSelection{response.status, 0, file->size}
                                      : select_part(conditions, file->etag, file->size);
  std::string lines;
  for (const auto& [name, value] : response.headers) {
    lines.append(name).append(": ").append(value).append("\r\n");
  }
  co_return co_await send_file(std::move(file), selection, lines);
}

void Session::expect(Waiting what) {
  waiting_ = what;
  const auto now = std::chrono::steady_clock::now();
  switch (what) {
    case Waiting::nothing:
      deadline_ = SteadyTime::max();
      break;
    case Waiting::request:
      deadline_ = now + shared_.config.idle_timeout;
      break;
    case Waiting::head:
      deadline_ = now + shared_.config.head_timeout;
      break;
    case Waiting::body:
      moved_before_ = received_;
      deadline_ = now + shared_.config.progress_window;
      break;
    case Waiting::drain:
      moved_before_ = drained();
      deadline_ = now + shared_.config.progress_window;
      break;
    case Waiting::farewell:
      deadline_ = now + std::chrono::seconds(2);
      break;
  }
}

void Session::check_deadline(SteadyTime now) {
  if (now < deadline_) return;
  if (waiting_ == Waiting::body || waiting_ == Waiting::drain) {
    const std::uint64_t moved = waiting_ == Waiting::body ? received_ : drained();
    if (moved - moved_before_ >= shared_.config.progress_bytes) {
      moved_before_ = moved;
      deadline_ = now + shared_.config.progress_window;
      return;
    }
  }
  if (waiting_ != Waiting::request && waiting_ != Waiting::farewell) {
    shared_.timed_out.fetch_add(1, std::memory_order_relaxed);
  }
  timed_out_ = true;
  deadline_ = SteadyTime::max();
  error_code ignored;
  socket_.cancel(ignored);  // the coroutine wakes with operation_aborted
}

void Session::close_if_idle() {
  if (waiting_ != Waiting::request && !(waiting_ == Waiting::head && buffer_.view().empty()))
    return;
  error_code ignored;
  socket_.cancel(ignored);
}

void Session::close() {
  broken_ = true;
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.cancel(ignored);
}

}  // namespace otaria::server
