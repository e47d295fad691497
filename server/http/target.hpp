#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The request target: from the bytes of the request line to a path and a query that handlers can
/// trust. Source  RFC 9112, 3.2 (origin and absolute form); RFC 3986, 2.1 and 3.4.
namespace otaria::server {

struct Target {
  std::string path;                                        ///< decoded; starts with `/`
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, `+` read as a space
};

/// The target without query and fragment, and without `scheme://authority` in absolute form. Empty
/// when it is neither form (`*`, `host:port`).
std::string_view raw_path(std::string_view target);

/// The query as it came, without its question mark; empty when there is none.
std::string_view raw_query(std::string_view target);

/// True when the raw path is its own decoded form: what a fast path may look up as it stands.
bool is_plain_path(std::string_view path);

/// Empty when the target is malformed or would let a path mean two things: a broken percent code,
/// an encoded slash, backslash or NUL, a control character, a `.` or `..` segment, a form other
/// than origin and absolute.
std::optional<Target> parse_target(std::string_view target);

}  // namespace otaria::server
