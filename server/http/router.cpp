#include "server/http/router.hpp"

#include "server/http/problem.hpp"

namespace otaria::server {
namespace {

std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

Response problem(int status) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", problem_media_type);
  response.body = problem_details(status);
  return response;
}

}  // namespace

std::optional<PathParameters> match_path(std::string_view pattern, std::string_view path) {
  PathParameters parameters;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view expected = next_segment(pattern);
    const std::string_view given = next_segment(path);
    if (expected.starts_with('{') && expected.ends_with('}')) {
      if (given.empty()) return std::nullopt;
      parameters.emplace_back(given);
    } else if (expected != given) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parameters;
}

void Router::add(std::string_view method, std::string_view pattern, Endpoint endpoint) {
  routes_.push_back({std::string(method), std::string(pattern), std::move(endpoint)});
}

Response Router::operator()(const Request& request) const {
  std::string allowed;
  for (const Route& route : routes_) {
    const auto parameters = match_path(route.pattern, request.path);
    if (!parameters) continue;
    if (route.method == request.method || (route.method == "GET" && request.method == "HEAD")) {
      return route.endpoint(request, *parameters);
    }
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  if (allowed.empty()) return problem(404);
  Response response = problem(405);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace otaria::server
