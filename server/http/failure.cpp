#include "server/http/failure.hpp"

#include <array>
#include <string_view>

#include "server/http/server.hpp"

namespace otaria::server {
namespace {

struct Words {
  int status;
  std::string_view code;
  std::string_view detail;
  std::string_view hint;
};

// Plain ASCII without quotes and backslashes: written into JSON as it stands.
// clang-format off
constexpr std::array words{
  Words{400, "bad_request", "the request is not well-formed HTTP/1.1", "look at the request line, the path's escapes and the headers"},
  Words{404, "not_found", "nothing lies at this path", "docs/spec/rest.md lists the paths there are"},
  Words{405, "method_not_allowed", "this path does not take that method", "the Allow header names those that it takes"},
  Words{408, "request_timeout", "the request did not arrive in time", "send it again, on a better connection"},
  Words{413, "too_large", "the body is longer than this path takes", "send a shorter one"},
  Words{414, "uri_too_long", "the request target is too long", "shorten path and query"},
  Words{431, "head_too_large", "request line and headers are too long together", "leave headers out"},
  Words{501, "unknown_transfer_coding", "only the transfer coding chunked is understood", "send Content-Length, or chunked"},
  Words{503, "busy", "all places are taken", "try again after the seconds that Retry-After names"},
  Words{505, "http_version", "this is not HTTP/1.0 or HTTP/1.1", "use HTTP/1.1"},
  Words{507, "disk_full", "the disk has no room for the body", "make room on the server and send it again"},
};  // clang-format on
constexpr Words unforeseen{
    500, "internal", "the server could not carry this out", "the server's log says why"};

const Words& words_for(int status) {
  for (const Words& row : words) {
    if (row.status == status) return row;
  }
  return unforeseen;
}

}  // namespace

Response failure_response(int status) {
  const Words& said = words_for(status);
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}};
  std::string& body = response.body;
  body.append(R"({"type":"about:blank","title":")").append(reason_phrase(status));
  body.append(R"(","status":)").append(std::to_string(status));
  body.append(R"(,"code":")").append(said.code);
  body.append(R"(","detail":")").append(said.detail);
  body.append(R"(","hint":")").append(said.hint).append("\"}\n");
  return response;
}

}  // namespace otaria::server
