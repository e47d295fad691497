#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/message.hpp"
#include "server/http/tls_files.hpp"

namespace otaria::server {

/// Answers a request. Called on the worker pool, by several threads at once; may block. An
/// exception becomes a 500 whose text does not reach the client.
using Handler = std::function<Response(const Request&)>;

/// The fast path of downloads: an artifact already open and verified, or null, and then the request
/// goes to the Handler (which may open it for the next time). Called on the event loops, by several
/// threads at once: must not block. `path` is decoded, `query` is as it came. The server answers
/// GET and HEAD by itself and refuses every other method.
using FileLookup =
    std::function<std::shared_ptr<const OpenFile>(std::string_view path, std::string_view query)>;

struct HttpConfig {
  std::string address = "127.0.0.1";  ///< numeric, IPv4 or IPv6
  std::uint16_t port = 0;             ///< 0: any free one
  TlsFiles tls;                       ///< with a certificate: HTTPS in place of HTTP
  std::chrono::milliseconds certificate_poll{
      2'000};               ///< how often the files are looked at for a change
  unsigned io_threads = 2;  ///< event loops; each connection stays on one
  unsigned workers = 4;     ///< threads for handlers

  std::size_t max_connections = 12'000;  ///< beyond: 503 with Retry-After, closed
  std::size_t max_downloads =
      4'000;  ///< file bodies under way; beyond: 503 with Retry-After, kept alive
  std::size_t max_uploads = 16;  ///< bodies on their way to a file; beyond: 503 with Retry-After
  std::size_t max_event_streams = 256;  ///< beyond: 503 with Retry-After
  std::chrono::seconds retry_after{5};

  std::size_t max_head_bytes = std::size_t{8} * 1024;    ///< request line and headers; beyond: 431
  std::size_t max_target_bytes = std::size_t{2} * 1024;  ///< beyond: 414
  std::size_t max_buffered_body = std::size_t{64} * 1024;  ///< longer bodies go to a file
  std::filesystem::path spool_directory = "/tmp";  ///< of those files; they never have a name there
  /// Longest body of a request, in bytes (beyond: 413), decided by method and path before the body
  /// is read. Called on the event loops: must not block. Empty: max_buffered_body for every
  /// request.
  std::function<std::uint64_t(std::string_view method, std::string_view path)> body_limit;

  /// Asked on the worker pool, with the request's head, before the first byte of a body is read
  /// that did not come with it: a response refuses the request, is sent, and ends the connection.
  /// Empty: every body is read.
  std::function<std::optional<Response>(const Request&)> admission;

  std::chrono::milliseconds head_timeout{
      10'000};  ///< from a request's first byte (or the accept) to its whole head; and for the
                ///< whole TLS handshake
  std::chrono::milliseconds idle_timeout{60'000};     ///< between requests of a connection
  std::chrono::milliseconds progress_window{60'000};  ///< a peer that moves fewer than
  std::uint64_t progress_bytes = 1024;  ///< ... this many body bytes in a window is closed
  std::chrono::milliseconds event_poll{200};
  std::chrono::milliseconds event_heartbeat{
      15'000};  ///< a comment on a silent event stream, to notice the dead
};

/// Why a TLS handshake did not come about.
enum class TlsFailure : std::uint8_t {
  not_tls,             ///< the client speaks plain HTTP
  version,             ///< none that both speak
  cipher,              ///< no cipher, group or signature algorithm that both have
  client_certificate,  ///< none shown where one is needed, or one that does not hold
  refused_by_client,   ///< it sent an alert: it does not trust our certificate, say
  closed,              ///< the client left
  timed_out,
  other,
};
inline constexpr std::size_t tls_failure_count = static_cast<std::size_t>(TlsFailure::other) + 1;
/// As in metrics: `client_certificate`.
std::string_view name_of(TlsFailure failure);

/// Counted since start; read at any time, by any thread.
struct HttpStatistics {
  std::array<std::uint64_t, 6> responses{};  ///< [1] to [5]: by the hundreds of the status
  std::uint64_t bytes_sent = 0;              ///< heads and bodies
  std::uint64_t connections = 0;             ///< accepted, in all
  std::uint64_t connections_refused = 0;     ///< beyond max_connections
  std::uint64_t downloads_refused = 0;       ///< beyond max_downloads
  std::uint64_t timed_out = 0;               ///< connections closed for slowness (not for idling)
  std::array<std::uint64_t, tls_failure_count> tls_failures{};  ///< by TlsFailure
  std::size_t active_connections = 0;
  std::size_t active_downloads = 0;
  std::size_t active_event_streams = 0;
};

/// An HTTP/1.1 server, over TLS when HttpConfig::tls names a certificate.
///
/// Threads  its own; start(), stop() and the destructor are for one owner, the rest for any thread.
/// Errors   start() throws std::runtime_error, with address and reason, when it cannot listen, and
/// TlsFileError.
/// Memory   about 3 KiB per idle connection; up to max_head_bytes more while a head arrives, up to
/// 64 KiB more while a
///          body does. File bodies go out by sendfile(2) and take none. TLS adds about 15 KiB per
/// connection, and 17 KiB more for each direction in which a record is under way.
/// Source   RFC 9110, 9112; docs/spec/rest.md; Server-Sent Events: HTML standard, 9.2.
class HttpServer {
 public:
  HttpServer(HttpConfig config, Handler handler, FileLookup files = {});
  ~HttpServer();  ///< stops without grace
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void start();
  [[nodiscard]] std::uint16_t port() const;  ///< once started
  [[nodiscard]] HttpStatistics statistics() const;
  /// Reads the TLS files again, at once; without this call that happens by itself soon after they
  /// have changed. New connections use what was read, those under way go on. Returns what is wrong
  /// with the files, and then the ones before stay in use; nothing also without TLS. Any thread,
  /// once started.
  std::optional<std::string> reload_certificate();

  /// Accepts no more, closes idle connections and event streams, lets responses under way finish
  /// for at most `grace`, closes what is left, and returns when no handler runs any more.
  void stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The reason phrase of a status code; "Unknown" for one that has none.
std::string_view reason_phrase(int status);

}  // namespace otaria::server
