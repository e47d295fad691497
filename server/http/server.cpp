#include "server/http/server.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "server/http/event_loop.hpp"

namespace otaria::server {

OpenFile::~OpenFile() {
  if (descriptor >= 0) ::close(descriptor);
}

namespace {

/// Where the system's choice is BBR, it paces even peers on this machine (a proxy in front, tests),
/// to a third of what they could have, though there is no network to be spared. Accepted
/// connections inherit the choice; failing leaves all as it was.
void spare_local_peers_pacing(tcp::acceptor& acceptor) {
  constexpr std::string_view reno = "reno";
  ::setsockopt(acceptor.native_handle(),
               IPPROTO_TCP,
               TCP_CONGESTION,
               reno.data(),
               static_cast<socklen_t>(reno.size()));
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpConfig config, Handler handler, FileLookup files) {
    shared_.config = std::move(config);
    shared_.handler = std::move(handler);
    shared_.files = std::move(files);
  }
  ~Impl() { stop(std::chrono::milliseconds(0)); }

  void start();
  void stop(std::chrono::milliseconds grace);
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] HttpStatistics statistics() const;
  std::optional<std::string> reload_certificate() {
    return shared_.tls ? shared_.tls->reload() : std::nullopt;
  }

 private:
  void listen();
  asio::awaitable<void> watch_certificate();
  asio::awaitable<void> accept_connections();
  bool wait_until_empty(std::chrono::milliseconds at_most);

  Shared shared_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::optional<tcp::acceptor> acceptor_;                // belongs to the first loop
  std::optional<asio::steady_timer> certificate_timer_;  // likewise
  std::uint16_t port_ = 0;
  bool running_ = false;
};

void HttpServer::Impl::listen() {
  const HttpConfig& config = shared_.config;
  const auto failed = [&](const error_code& error) {
    return std::runtime_error(
        fmt::format("cannot listen on {}:{}: {}", config.address, config.port, error.message()));
  };
  error_code error;
  const auto address = asio::ip::make_address(config.address, error);
  if (error) throw failed(error);
  const tcp::endpoint endpoint(address, config.port);
  tcp::acceptor acceptor(loops_.front()->context());
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && address.is_loopback()) spare_local_peers_pacing(acceptor);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);  // the kernel caps it at net.core.somaxconn
  if (error) throw failed(error);
  port_ = acceptor.local_endpoint().port();
  acceptor_.emplace(std::move(acceptor));
}

void HttpServer::Impl::start() {
  shared_.stopping = false;
  if (!shared_.config.tls.certificate.empty()) {
    shared_.tls = std::make_unique<TlsContext>(shared_.config.tls);
  }
  for (unsigned i = 0; i < std::max(1u, shared_.config.io_threads); ++i) {
    loops_.push_back(std::make_unique<EventLoop>(shared_));
  }
  try {
    listen();
  } catch (...) {
    loops_.clear();
    throw;
  }
  shared_.workers = std::make_unique<asio::thread_pool>(std::max(1u, shared_.config.workers));
  shared_.events = std::make_unique<asio::thread_pool>(1);
  asio::co_spawn(loops_.front()->context(), accept_connections(), asio::detached);
  if (shared_.tls) {
    certificate_timer_.emplace(loops_.front()->context());
    asio::co_spawn(loops_.front()->context(), watch_certificate(), asio::detached);
  }
  for (const auto& loop : loops_) loop->start();
  running_ = true;
}

/// The files are read by a worker: a disk may be slow.
asio::awaitable<void> HttpServer::Impl::watch_certificate() {
  while (!shared_.stopping) {
    certificate_timer_->expires_after(shared_.config.certificate_poll);
    const auto [error] = co_await certificate_timer_->async_wait(as_values);
    if (error) co_return;
    co_await run_on(*shared_.workers, [this] {
      shared_.tls->reload_if_changed();
      return true;
    });
  }
}

/// One listening socket, connections dealt out in turn: two loops with SO_REUSEPORT would let the
/// hash of the ports decide who works, and let a second server bind the same port unnoticed.
asio::awaitable<void> HttpServer::Impl::accept_connections() {
  /// Connections beyond the limit that still get a courteous 503; further ones are closed at once.
  constexpr std::size_t overflow = 256;
  std::size_t turn = 0;
  for (;;) {
    EventLoop& loop = *loops_[turn++ % loops_.size()];
    auto [error, socket] = co_await acceptor_->async_accept(loop.context(), as_values);
    if (shared_.stopping) co_return;
    if (error) {
      // Out of descriptors, most likely: wait for some to be closed instead of spinning.
      asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::milliseconds(50));
      co_await pause.async_wait(as_values);
      continue;
    }
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    const std::size_t active = shared_.active_connections.load(std::memory_order_relaxed);
    if (active >= shared_.config.max_connections + overflow) {
      shared_.connections_refused.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    loop.adopt(std::move(socket), active < shared_.config.max_connections);
  }
}

bool HttpServer::Impl::wait_until_empty(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (shared_.active_connections.load() > 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    for (const auto& loop : loops_) loop->close_idle();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void HttpServer::Impl::stop(std::chrono::milliseconds grace) {
  if (!running_) return;
  running_ = false;
  shared_.stopping = true;
  asio::post(loops_.front()->context(), [this] {
    error_code ignored;
    acceptor_->close(ignored);
    if (certificate_timer_) certificate_timer_->cancel();
  });
  // After the grace only handlers can hold a connection; they cannot be killed, so they are waited
  // for.
  if (!wait_until_empty(grace)) {
    do {
      for (const auto& loop : loops_) loop->close_all();
    } while (!wait_until_empty(std::chrono::milliseconds(50)));
  }
  for (const auto& loop : loops_) loop->finish();
  for (const auto& loop : loops_) loop->join();
  shared_.workers->join();
  shared_.events->join();
  acceptor_.reset();
  certificate_timer_.reset();
  loops_.clear();
}

HttpStatistics HttpServer::Impl::statistics() const {
  HttpStatistics now;
  for (std::size_t i = 0; i < now.responses.size(); ++i) now.responses[i] = shared_.responses[i];
  now.bytes_sent = shared_.bytes_sent;
  now.connections = shared_.connections;
  now.connections_refused = shared_.connections_refused;
  now.downloads_refused = shared_.downloads_refused;
  now.timed_out = shared_.timed_out;
  for (std::size_t i = 0; i < now.tls_failures.size(); ++i) {
    now.tls_failures[i] = shared_.tls_failures[i];
  }
  now.active_connections = shared_.active_connections;
  now.active_downloads = shared_.active_downloads;
  now.active_event_streams = shared_.active_event_streams;
  return now;
}

HttpServer::HttpServer(HttpConfig config, Handler handler, FileLookup files)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(handler), std::move(files))) {}
HttpServer::~HttpServer() = default;
void HttpServer::start() {
  impl_->start();
}
std::uint16_t HttpServer::port() const {
  return impl_->port();
}
HttpStatistics HttpServer::statistics() const {
  return impl_->statistics();
}
std::optional<std::string> HttpServer::reload_certificate() {
  return impl_->reload_certificate();
}
void HttpServer::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

}  // namespace otaria::server
