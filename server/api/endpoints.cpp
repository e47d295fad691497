#include "server/api/endpoints.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <memory>

#include "server/access/address.hpp"
#include "server/access/caller.hpp"
#include "server/access/token.hpp"
#include "server/api/gate.hpp"
#include "server/api/handlers.hpp"
#include "server/api/problem.hpp"

namespace otaria::server {
namespace {

// clang-format off
constexpr std::array table{
  Endpoint{"POST",   "/api/v1/releases",              Right::publish,      publish_release},
  Endpoint{"GET",    "/api/v1/releases",              Right::read,         list_releases},
  Endpoint{"GET",    "/api/v1/releases/{id}",         Right::read,         show_release},
  Endpoint{"PUT",    "/api/v1/keylist",               Right::administer,   publish_key_list},
  Endpoint{"GET",    "/api/v1/keylist",               Right::read,         show_key_list},
  Endpoint{"GET",    "/api/v1/devices",               Right::read,         list_devices},
  Endpoint{"GET",    "/api/v1/devices/{id}",          Right::read,         show_device},
  Endpoint{"GET",    "/api/v1/devices/{id}/statuses", Right::read,         list_statuses},
  Endpoint{"POST",   "/api/v1/devices/import",        Right::provision,    import_devices},
  Endpoint{"POST",   "/api/v1/devices/{id}/state",    Right::administer,   set_device_state},
  Endpoint{"GET",    "/api/v1/identities",            Right::read,         list_identities},
  Endpoint{"GET",    "/api/v1/identities/{id}",       Right::read,         show_identity},
  Endpoint{"POST",   "/api/v1/claims",                Right::provision,    make_claims},
  Endpoint{"POST",   "/api/v1/broker-tokens",         Right::administer,   make_service_token},
  Endpoint{"GET",    "/api/v1/broker-tokens",         Right::administer,   list_services},
  Endpoint{"DELETE", "/api/v1/broker-tokens/{name}",  Right::administer,   revoke_service},
  Endpoint{"GET",    "/api/v1/issuer",                Right::read,         show_issuer},
  Endpoint{"POST",   "/api/v1/issuer/rotate",         Right::administer,   rotate_issuer},
  Endpoint{"POST",   "/api/v1/device/nonce",          Right::device,       make_nonce},
  Endpoint{"POST",   "/api/v1/device/enrol",          Right::device,       enrol_device},
  Endpoint{"POST",   "/api/v1/device/token",          Right::device,       exchange_token},
  Endpoint{"POST",   "/api/v1/updates",               Right::operate,      send_updates},
  Endpoint{"GET",    "/api/v1/updates",               Right::read,         list_updates},
  Endpoint{"GET",    "/api/v1/updates/{id}",          Right::read,         show_update},
  Endpoint{"DELETE", "/api/v1/updates/{id}",          Right::operate,      withdraw_update},
  Endpoint{"POST",   "/api/v1/tokens",                Right::administer,   create_token},
  Endpoint{"GET",    "/api/v1/tokens",                Right::administer,   list_tokens},
  Endpoint{"DELETE", "/api/v1/tokens/{id}",           Right::administer,   revoke_token},
  Endpoint{"GET",    "/api/v1/approvals",             Right::read,         list_approvals},
  Endpoint{"GET",    "/api/v1/approvals/{id}",        Right::read,         show_approval},
  Endpoint{"POST",   "/api/v1/approvals/{id}/approve", Right::operate,     approve},
  Endpoint{"POST",   "/api/v1/approvals/{id}/reject", Right::operate,      reject},
  Endpoint{"GET",    "/api/v1/audit",                 Right::audit,        list_audit},
  Endpoint{"GET",    "/api/v1/events",                Right::read,         follow_events},
  Endpoint{"GET",    "/api/v1/server",                Right::read,         show_server},
  Endpoint{"GET",    "/firmware/{file}",              Right::open,         send_image},
  Endpoint{"GET",    "/.well-known/jwks.json",        Right::open,         send_jwks},
  Endpoint{"POST",   "/broker/rabbitmq/user",         Right::device,       rabbitmq_user},
  Endpoint{"POST",   "/broker/rabbitmq/vhost",        Right::device,       rabbitmq_vhost},
  Endpoint{"POST",   "/broker/rabbitmq/resource",     Right::device,       rabbitmq_resource},
  Endpoint{"POST",   "/broker/rabbitmq/topic",        Right::device,       rabbitmq_topic},
  Endpoint{"GET",    "/keys.jws",                     Right::open,         send_newest_key_list},
  Endpoint{"GET",    "/keys/{file}",                  Right::open,         send_key_list},
  Endpoint{"GET",    "/manifests/{file}",             Right::open,         send_manifest},
  Endpoint{"GET",    "/healthz",                      Right::open,         show_health},
  Endpoint{"GET",    "/readyz",                       Right::open,         show_readiness},
  Endpoint{"GET",    "/metrics",                      Right::read,         show_metrics},
  Endpoint{"GET",    "/",                             Right::open,         show_page},
};  // clang-format on

// A row that changes something asks for more than to be seen; what devices sign is judged by its
// handler.
constexpr bool changes_need_a_right() {
  for (const Endpoint& endpoint : table) {
    const bool changes = endpoint.method != "GET";
    if (changes && (endpoint.right == Right::open || endpoint.right == Right::read)) return false;
  }
  return true;
}
static_assert(changes_need_a_right());

std::string_view host_without_port(std::string_view host) {
  const std::size_t after_brackets = host.starts_with('[') ? host.find(']') : 0;
  return host.substr(0, host.find(':', after_brackets == host.npos ? host.size() : after_brackets));
}

// A page of another site may make a browser send what needs no permission of ours; programs send
// neither header.
bool is_cross_site(const Request& request) {
  if (request.method == "GET" || request.method == "HEAD") return false;
  if (const auto site = request.header("sec-fetch-site")) {
    return *site != "same-origin" && *site != "none";
  }
  const auto origin = request.header("origin");
  if (!origin) return false;
  const std::size_t scheme = origin->find("://");
  return scheme == std::string_view::npos || origin->substr(scheme + 3) != request.header("host");
}

// Where nobody is asked for a token, a page of any site could have its own name resolve to this
// machine (DNS rebinding) and would then be same-origin: only its Host gives it away.
bool is_for_this_machine(const Request& request, const Services& services) {
  const std::string_view host = host_without_port(request.header("host").value_or(""));
  if (host == "localhost" || host == "[::1]") return true;
  if (const auto address = address_from(host)) {
    return network_from("127.0.0.0/8")->contains(*address);
  }
  const std::string_view ours = services.public_url;
  const std::string_view authority = ours.substr(std::min(ours.find("://"), ours.size() - 3) + 3);
  return !host.empty() && host == host_without_port(authority.substr(0, authority.find('/')));
}

/// What is refused whoever asks, and whatever for.
std::optional<Response> refused_by_head(const Request& request, const Services& services) {
  if (services.gate.settings().open && !is_for_this_machine(request, services)) {
    return problem(
        {"wrong_host",
         "the request's Host is not this machine, and this server asks nobody for a token",
         "use http://127.0.0.1 or http://localhost, or start otariad with --access tokens"});
  }
  if (is_cross_site(request)) {
    return problem({"cross_site_request",
                    "the request comes from a page of another site",
                    "send it from a program, or from a page of this server"});
  }
  return std::nullopt;
}

const Endpoint* find_endpoint(const Request& request) {
  for (const Endpoint& endpoint : table) {
    if (endpoint.method == request.method && match_path(endpoint.pattern, request.path)) {
      return &endpoint;
    }
  }
  return nullptr;
}

std::string verb_of(const Endpoint& endpoint) {
  return std::string{endpoint.method} + " " + std::string{endpoint.pattern};
}

Response failed(const Request& request, const std::exception& unforeseen) {
  spdlog::error("{} {}: {}", request.method, without_secrets(request.path), unforeseen.what());
  return problem({"internal", "the server could not answer; its log says why", "try again"});
}

// What an operator's endpoint answers to a caller who may ask it.
Response answer_caller(const Endpoint& endpoint,
                       const Request& request,
                       const PathParameters& parameters,
                       Services& services) {
  const std::string verb = verb_of(endpoint);
  auto admitted = services.gate.admit(request, endpoint.right, verb);
  if (auto* denied = std::get_if<Response>(&admitted)) return std::move(*denied);
  Request known = request;
  known.caller = std::make_shared<const Caller>(std::move(std::get<Caller>(admitted)));
  Response response = endpoint.answer(known, parameters, services);
  if (endpoint.method != "GET") services.gate.record(known, response, verb);
  if (response.events) {
    response.events = services.gate.while_valid(std::move(response.events), *known.caller);
  }
  return response;
}

bool asks_nobody(const Endpoint& endpoint, const AccessSettings& settings) {
  return endpoint.right == Right::open || endpoint.right == Right::device ||
         (settings.open_metrics && endpoint.answer == show_metrics);
}

}  // namespace

std::span<const Endpoint> endpoints() {
  return table;
}

std::uint64_t body_limit(std::string_view method, std::string_view path) {
  constexpr std::uint64_t others =
      std::uint64_t{64} * 1024;  // nobody reads it, but the answer is the router's
  if (method != "POST") return others;
  // Twice what is taken: the answer to a larger image then names the figures.
  if (path == "/api/v1/releases") return 2 * largest_image_bytes;
  if (path == "/api/v1/updates" || path == "/api/v1/claims") return 2u << 20;
  if (path == "/api/v1/devices/import") return largest_import_bytes;
  return others;
}

std::function<Response(const Request&)> make_handler(Services& services) {
  auto router = std::make_shared<Router>();
  for (const Endpoint& endpoint : table) {
    router->add(endpoint.method,
                endpoint.pattern,
                [&services, &endpoint](const Request& request, const PathParameters& parameters) {
                  return asks_nobody(endpoint, services.gate.settings())
                             ? endpoint.answer(request, parameters, services)
                             : answer_caller(endpoint, request, parameters, services);
                });
  }
  return [router, &services](const Request& request) -> Response {
    try {
      if (auto refused = refused_by_head(request, services)) return std::move(*refused);
      return (*router)(request);
    } catch (const std::exception& unforeseen) {  // the one catch on a request's path
      return failed(request, unforeseen);
    }
  };
}

std::function<std::optional<Response>(const Request&)> make_admission(Services& services) {
  return [&services](const Request& request) -> std::optional<Response> {
    try {
      if (auto refused = refused_by_head(request, services)) return refused;
      const Endpoint* endpoint = find_endpoint(request);
      // What no endpoint takes is small (see body_limit), and the router says what is wrong.
      if (endpoint == nullptr || asks_nobody(*endpoint, services.gate.settings())) {
        return std::nullopt;
      }
      auto admitted = services.gate.admit(request, endpoint->right, verb_of(*endpoint));
      if (auto* denied = std::get_if<Response>(&admitted)) return std::move(*denied);
      return std::nullopt;
    } catch (const std::exception& unforeseen) {
      return failed(request, unforeseen);
    }
  };
}

}  // namespace otaria::server
