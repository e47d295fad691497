#pragma once

#include <string>
#include <string_view>

namespace otaria::server {

inline constexpr std::string_view problem_media_type = "application/problem+json";

/// RFC 9457 problem details, with our `code` and `hint`, for what the HTTP server answers by
/// itself, before any handler is asked: bad syntax, limits, time-outs, an unforeseen exception. One
/// JSON object and a line end.
std::string problem_details(int status);

/// The same for a request that came without TLS to a port that speaks it; status 400.
std::string https_required_problem();

}  // namespace otaria::server
