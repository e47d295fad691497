#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP as the handlers see it: plain values, no Boost. server/http/ turns them into bytes on sockets.
namespace otaria::server {

/// A request whose head was read. The body is read only when the handler asks for it (BodyReader) or, for requests
/// announced at most `max_buffered_body` bytes long, is already in `body`.
struct Request {
  std::string method;  ///< upper case
  std::string path;    ///< percent-decoded, without query; never contains NUL or a `..` segment (answered 400 before)
  std::vector<std::pair<std::string, std::string>> query;    ///< decoded, in order; names may repeat
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  std::string remote;  ///< address:port of the peer

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
};

/// Part of a file, sent with sendfile; the descriptor stays open while the response lives.
struct FileRange {
  std::shared_ptr<const int> descriptor;  ///< closed by its deleter
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Pulls the next piece of an event stream; an empty optional ends it. Called on the worker pool; may block for at most
/// one second and then return an empty string (nothing yet).
using EventSource = std::function<std::optional<std::string>()>;

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  ///< without Content-Length, Date, Connection
  std::string body;
  std::optional<FileRange> file;      ///< instead of body
  EventSource events;                 ///< instead of body: chunk by chunk until it ends or the client leaves
};

}  // namespace otaria::server
