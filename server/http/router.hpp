#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/message.hpp"

namespace otaria::server {

/// The values of a pattern's `{name}` segments, decoded, in order.
using PathParameters = std::vector<std::string>;

/// Finds the endpoint of a request by method and path.
///
/// Pattern  `/api/v1/releases/{id}/image`: a `{name}` segment matches any one non-empty segment,
/// the rest literally; of several
///          matches the first added wins. GET also answers HEAD (the server leaves the body away).
/// Errors   404 `not_found`, 405 `method_not_allowed` with Allow, as RFC 9457 problem details.
/// Threads  add() first, then calls by any number of threads.
class Router {
 public:
  using Endpoint = std::function<Response(const Request&, const PathParameters&)>;

  void add(std::string_view method, std::string_view pattern, Endpoint endpoint);
  Response operator()(const Request& request) const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    Endpoint endpoint;
  };
  std::vector<Route> routes_;
};

/// Empty when `path` does not match `pattern`.
std::optional<PathParameters> match_path(std::string_view pattern, std::string_view path);

}  // namespace otaria::server
