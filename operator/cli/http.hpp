#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/cli/sse_parser.hpp"

/// HTTP as a client, over libcurl: one connection kept alive, requests one after another.
namespace otaria::cli {

/// Called while bytes move: done, total (0 = unknown).
using TransferProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::string content_type;  ///< empty: no body
  std::string body;
  std::string file;                  ///< path; sent in place of `body`, never held in memory
  std::string bearer;                ///< token; empty: none
  std::vector<std::string> headers;  ///< further lines, "Name: value"
  std::chrono::seconds time_limit{
      60};  ///< of the whole exchange; 0: only a stall of two minutes ends it
  std::chrono::seconds connect_limit{5};
  bool follow_redirects = false;
  TransferProgress progress;  ///< of the upload
  /// Takes the reply's body piece by piece; false breaks off. Empty: it is collected, up to 32 MiB.
  std::function<bool(std::string_view)> sink;
};

struct HttpReply {
  int status = 0;  ///< 0: no reply
  std::string content_type;
  std::uint64_t content_length = 0;  ///< as announced; 0: not
  std::string body;
};

/// Raised when no whole reply came.
struct HttpFailure {
  enum class Kind { unreachable, broken_off, too_slow, tls, interrupted, local_file };
  /// What is wrong with the server's certificate, as far as it is known.
  enum class Certificate { unknown, untrusted, expired, not_yet_valid, wrong_host };
  Kind kind;
  std::string detail;  ///< without the URL
  Certificate certificate = Certificate::unknown;
};

/// HTTPS is TLS 1.2 or newer, chain and host name always verified; nothing turns that off.
/// Thread   one at a time. Signals: a wait ends soon after interrupted() became true.
class Http {
 public:
  /// `ca_file`: PEM, the only CAs to trust; empty: the system's.
  explicit Http(std::string ca_file = {});
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  /// Throws HttpFailure; any status is a reply.
  HttpReply exchange(const HttpRequest& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  std::string ca_file_;
};

/// A stream of server-sent events that is opened again when it ends, with back-off up to 5 s. Never
/// throws for what the network does: ask healthy().
class EventStream {
 public:
  EventStream(std::string url, std::string bearer, std::string ca_file);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// Waits at most `at_most` for events; returns early with those that came, or when a signal was
  /// caught.
  std::vector<ServerEvent> poll(std::chrono::milliseconds at_most);
  /// The server answered 200 with an event stream on the connection that is open now. While false,
  /// poll the server.
  [[nodiscard]] bool healthy() const;
  /// True once after each time the stream was opened: what happened before is not told, so ask for
  /// it.
  bool freshly_opened();

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

/// Percent-encodes for a path segment or a query value (RFC 3986 unreserved characters stay).
std::string url_encoded(std::string_view text);

using Query = std::vector<std::pair<std::string, std::string>>;
/// `?a=b&c=d`; pairs with an empty value are left out; empty without pairs.
std::string query_text(const Query& query);

/// The host of an http(s) or mqtt(s) URL without port and brackets, lower case; empty if there is
/// none.
std::string host_of(std::string_view url);

/// `localhost`, 127.0.0.0/8, ::1 and the unspecified addresses: no other machine reaches these.
bool is_loopback(std::string_view host);

}  // namespace otaria::cli
