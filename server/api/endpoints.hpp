#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "server/access/right.hpp"
#include "server/api/services.hpp"
#include "server/http/message.hpp"
#include "server/http/router.hpp"

namespace otaria::server {

/// One row of the server's surface: docs/spec/rest.md in code.
struct Endpoint {
  std::string_view method;
  std::string_view pattern;
  Right right;  ///< what the caller must be allowed to do
  Response (*answer)(const Request&, const PathParameters&, Services&);
};

/// Every path the server answers. server/api/openapi.yaml lists the same; a test compares them.
std::span<const Endpoint> endpoints();

/// The largest body a request may have, in bytes: 32 MiB for an image (the handler refuses more
/// than 16), 32 MiB for an import of devices, 2 MiB for a list of them, else none.
std::uint64_t body_limit(std::string_view method, std::string_view path);

/// Routes requests to the table. Refuses, with 403 `cross_site_request`, what a browser sends on
/// behalf of another site, and, where nobody is asked for a token, with 421 `wrong_host` what was
/// not meant for this machine. An exception becomes a 500 that names no internals; the log has
/// them.
std::function<Response(const Request&)> make_handler(Services& services);

/// Whether a request may send its body, judged by its head alone: the refusal that it gets in place
/// of an answer, or nothing. The handler judges it again once the body is there, for a token may
/// have been revoked meanwhile.
std::function<std::optional<Response>(const Request&)> make_admission(Services& services);

}  // namespace otaria::server
