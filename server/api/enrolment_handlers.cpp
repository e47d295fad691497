#include "server/access/address.hpp"
#include "server/api/gate.hpp"
#include "server/api/handlers.hpp"
#include "server/api/identity_json.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"
#include "server/identity/identity_service.hpp"

/// What devices and brokers ask without being operators: each request is judged by what it carries.
namespace otaria::server {
namespace {

std::string source(const Request& request, Services& services) {
  return source_of(request.remote,
                   request.header("x-forwarded-for").value_or(""),
                   services.gate.settings().trusted_proxies);
}

Response wait_for(std::int64_t seconds, const Refusal& refusal) {
  Response response = problem(refusal);
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

/// Nothing: the address may go on.
std::optional<Response> too_many(const Request& request, Services& services) {
  const auto seconds =
      services.identity.per_address.take(lockout_key(source(request, services)), services.clock());
  if (!seconds) return std::nullopt;
  return wait_for(*seconds,
                  {"too_many_requests",
                   "more requests came from this address than the server takes",
                   "wait " + std::to_string(*seconds) + " s"});
}

/// The refusal, with a new nonce where one is asked for.
Response refused(const TokenRefusal& why, Services& services) {
  ProblemExtras extras;
  extras.state = why.state;
  if (why.refusal.code == "use_nonce") {
    extras.nonce = services.identity.nonces.make(services.now());
  }
  Response response = problem(why.refusal, extras);
  if (why.retry_after_s) {
    response.headers.emplace_back("Retry-After", std::to_string(*why.retry_after_s));
  }
  return response;
}

// A broker on this machine, and no proxy in front of us.
bool is_from_this_machine(const Request& request) {
  for (const char* forwarded : {"x-forwarded-for", "forwarded", "x-real-ip", "via"}) {
    if (request.header(forwarded)) return false;
  }
  const auto peer = address_from(source_of(request.remote, "", {}));
  return peer &&
         (network_from("127.0.0.0/8")->contains(*peer) || network_from("::1")->contains(*peer));
}

template <class Ask>
Response rabbitmq_answer(const Request& request, Ask ask) {
  if (!is_from_this_machine(request)) {
    return problem({"loopback_only",
                    "brokers ask this from the server's own machine only",
                    "run the broker beside otariad, or a local proxy that speaks to it"});
  }
  const auto fields = form_fields(request.body);
  Response response;
  response.headers = {{"Content-Type", "text/plain"}, {"Cache-Control", "no-store"}};
  response.body = fields && ask(*fields) ? "allow" : "deny";
  return response;
}

}  // namespace

Response make_nonce(const Request& request, const PathParameters&, Services& services) {
  if (auto limited = too_many(request, services)) return std::move(*limited);
  return json_reply(nonce_json(services.identity.nonces.make(services.now())));
}

Response enrol_device(const Request& request, const PathParameters&, Services& services) {
  if (auto limited = too_many(request, services)) return std::move(*limited);
  const auto enrolment = read_enrolment(request.body);
  if (!enrolment) return problem(enrolment.refusal());
  const auto identity = services.identity.registrar.enrol(
      enrolment.value(), source(request, services), services.now());
  if (!identity) return refused({identity.refusal()}, services);
  return json_reply(json_of(identity.value()), 201);
}

Response exchange_token(const Request& request, const PathParameters&, Services& services) {
  if (auto limited = too_many(request, services)) return std::move(*limited);
  const auto assertion = assertion_from_form(request.body);
  if (!assertion) return problem(assertion.refusal());
  const auto answer = services.identity.exchange.exchange(assertion.value(), services.now());
  if (const auto* why = std::get_if<TokenRefusal>(&answer)) return refused(*why, services);
  return json_reply(json_of(std::get<DeviceToken>(answer)));
}

// Short, so that a rotation reaches whoever asks again within its lead.
Response send_jwks(const Request& request, const PathParameters&, Services& services) {
  if (auto limited = too_many(request, services)) return std::move(*limited);
  Response response;
  response.headers = {{"Content-Type", "application/jwk-set+json"},
                      {"Cache-Control", "public, max-age=60"}};
  response.body = services.identity.issuer.jwks();
  return response;
}

Response rabbitmq_user(const Request& request, const PathParameters&, Services& services) {
  return rabbitmq_answer(request, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.user(fields, services.now());
  });
}

Response rabbitmq_vhost(const Request& request, const PathParameters&, Services& services) {
  return rabbitmq_answer(request, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.vhost(fields);
  });
}

Response rabbitmq_resource(const Request& request, const PathParameters&, Services& services) {
  return rabbitmq_answer(request, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.resource(fields);
  });
}

Response rabbitmq_topic(const Request& request, const PathParameters&, Services& services) {
  return rabbitmq_answer(request, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.topic(fields);
  });
}

}  // namespace otaria::server
