#include "server/http/problem.hpp"

#include <algorithm>
#include <array>

#include "server/http/server.hpp"

namespace otaria::server {
namespace {

struct Problem {
  int status;
  std::string_view code;
  std::string_view detail;
  std::string_view hint;
};

constexpr std::array problems{
    // clang-format off
    Problem{400, "bad_request",       "the request is not HTTP/1.1 as RFC 9112 has it", "look at the request line, the Host header and the path's percent-encoding"},
    Problem{404, "not_found",         "nothing is served under this path", "docs/spec/rest.md lists what is"},
    Problem{405, "method_not_allowed", "this method is not for this path", "use one that the Allow header names"},
    Problem{408, "request_timeout",   "the request did not arrive in time", "send it again, faster"},
    Problem{413, "too_large",         "the body is longer than this path takes", "an image may have 16 MiB, other bodies 64 KiB"},
    Problem{414, "uri_too_long",      "the request's target is too long", "shorten path and query"},
    Problem{431, "headers_too_large", "the request's headers are too long", "send fewer or shorter headers"},
    Problem{500, "internal",          "the server met something it did not foresee", "look at the server's log; the request may be sent again"},
    Problem{501, "not_offered",       "the request uses a transfer coding this server does not speak", "send the body with Content-Length or chunked"},
    Problem{503, "busy",              "all places are taken", "come back after the seconds in Retry-After"},
    Problem{505, "http_version",      "this server speaks HTTP/1.0 and HTTP/1.1", "use one of them"},
    Problem{507, "disk_full",         "the disk has no room for the body", "make room on the server, then send it again"},
    // clang-format on
};

std::string text_of(const Problem& problem) {
  std::string out = R"({"type":"about:blank","title":")";
  out.append(reason_phrase(problem.status))
      .append(R"(","status":)")
      .append(std::to_string(problem.status));
  out.append(R"(,"code":")").append(problem.code);
  out.append(R"(","detail":")").append(problem.detail);
  out.append(R"(","hint":")").append(problem.hint).append("\"}\n");
  return out;
}

}  // namespace

std::string problem_details(int status) {
  const auto known = std::ranges::find(problems, status, &Problem::status);
  return text_of(
      known != problems.end() ? *known : Problem{status, "refused", "the request was refused", ""});
}

std::string https_required_problem() {
  return text_of({400,
                  "https_required",
                  "this port speaks HTTPS, and the request came without TLS",
                  "write https:// in place of http://"});
}

}  // namespace otaria::server
