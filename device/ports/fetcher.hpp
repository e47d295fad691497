#pragma once

#include <cstdint>
#include <string_view>

namespace otaria::device {

/// One HTTP(S) request at a time, streamed.
///
/// The platform answers through the Agent's events: on_http_header for each header line, then
/// on_http_head with the status, then on_http_body with pieces of any length, then on_http_end
/// (body complete as framed) or at any moment on_http_failed. Redirects are followed by the
/// platform (at most 3, never from https to http); the agent sees the last response only. Nothing
/// here blocks, and no event is delivered from within a call.
/// Ownership  strings are copied before the call returns.
/// Thread     the agent's task only.
class Fetcher {
 public:
  struct Request {
    std::string_view url;
    std::uint32_t offset = 0;        ///< > 0: `Range: bytes=<offset>-`
    std::string_view if_range = {};  ///< strong ETag for `If-Range`, quotes included; empty: none
    /// What is fetched proves itself (a key list): the host's pins need not hold, its certificate
    /// must. This is how new pins arrive.
    bool without_pins = false;
    /// For `Authorization: Bearer`; empty: none. Never sent to another origin by a redirect.
    std::string_view bearer = {};
    /// Not empty: a POST of `body` with this type. POSTs follow no redirect.
    std::string_view content_type = {};
    std::string_view body = {};
  };
  virtual void get(const Request& request) = 0;
  /// Ends the request under way, if any; no further event of it is delivered.
  virtual void cancel() = 0;

 protected:
  ~Fetcher() = default;
};

/// What went wrong below HTTP.
enum class FetchFailure : std::uint8_t {
  unreachable,   ///< no address, refused, no route
  timed_out,     ///< connecting took too long
  tls,           ///< handshake or certificate
  pin,           ///< chain and host name are right, but the key is none of the host's pins
  broken,        ///< connection lost before the response was complete
  bad_response,  ///< not HTTP, or framing violated
};

}  // namespace otaria::device
