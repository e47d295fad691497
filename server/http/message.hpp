#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP as the handlers see it: plain values, no Boost. server/http/ turns them into bytes on
/// sockets.
namespace otaria::server {

struct Caller;

/// A regular file open for reading, shared by all who send it. Owns the descriptor.
struct OpenFile {
  OpenFile(int open_descriptor, std::uint64_t bytes) : descriptor(open_descriptor), size(bytes) {}
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const int descriptor;
  const std::uint64_t size;  ///< bytes, when it was opened
  std::string
      etag;  ///< strong, with its quotes: `"<sha256>"`; empty: none, and no conditions are judged
  std::string
      header_lines;  ///< further header lines, each ended by CRLF (Content-Type, Cache-Control)
};

/// A request. A body of at most HttpConfig::max_buffered_body bytes is whole in `body`; a longer
/// one (up to the route's HttpConfig::body_limit) lies in an unnamed temporary file, `body_file`,
/// and `body` is empty. Either is complete before the handler is called. Read the file with pread
/// from offset 0; it vanishes with the last Request that holds it.
struct Request {
  std::string method;  ///< upper case: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
  std::string path;    ///< percent-decoded, without query; starts with `/`; never contains NUL or a
                       ///< `..` segment
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order; names may repeat
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  std::shared_ptr<const OpenFile> body_file;  ///< instead of `body`
  std::shared_ptr<const Caller> caller;  ///< set by what checks access in front of the handlers
  std::string remote;                    ///< address:port of the peer, an IPv6 address in brackets
  /// CN of the certificate that the client showed in the TLS handshake and that came from
  /// TlsFiles::client_ca (a device: its MAC); empty without one.
  std::string client_common_name;

  [[nodiscard]] std::optional<std::string_view> header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
      if (name == lower_case_name) return value;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const {
    for (const auto& [key, value] : query) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t body_size() const {
    return body_file ? body_file->size : body.size();
  }
};

/// Pulls the next piece of an event stream. An empty string: nothing yet, ask again after
/// HttpConfig::event_poll; an empty optional ends the stream. Called on one thread that serves all
/// event streams, so it must not block; exceptions end the stream.
using EventSource = std::function<std::optional<std::string>()>;

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>>
      headers;  ///< without Content-Length, Date, Connection
  std::string body;
  /// Instead of body. The server itself applies HEAD, Range, If-Range and If-None-Match and adds
  /// ETag, Accept-Ranges and the file's header_lines.
  std::shared_ptr<const OpenFile> file;
  EventSource events;  ///< instead of body: chunk by chunk until it ends, the client leaves or the
                       ///< server stops
};

}  // namespace otaria::server
