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
  const std::string from = source(request, services);
  const auto seconds = services.identity.per_address.take(lockout_key(from), services.clock());
  if (!seconds) return std::nullopt;
  services.gate.tell_denied(request, "device", from, "too_many_requests");
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

/// Failures of one claimed MAC from one address. Not of the address alone: a whole fleet may stand
/// behind one, and a device that was never enrolled must not lock the others out. How many MACs one
/// address can try is limited by its rate.
class FailureLimit {
 public:
  FailureLimit(const Request& request, const std::string& mac, Services& services)
      : request_{request},
        services_{services},
        source_{source(request, services)},
        key_{lockout_key(source_) + " " + mac} {}

  /// Nothing: it is listened to.
  [[nodiscard]] std::optional<Response> locked() const {
    const auto seconds = services_.identity.failures.locked_for(key_, services_.now());
    if (!seconds) return std::nullopt;
    services_.gate.tell_denied(request_, "device", source_, "too_many_failures");
    return wait_for(*seconds,
                    {"too_many_failures",
                     "more than " + std::to_string(Lockout::failures_allowed) +
                         " proofs for this MAC were refused within a minute",
                     "wait " + std::to_string(*seconds) + " s, and enrol the device"});
  }

  /// What a refusal with this code becomes when there were too many before it. A stale nonce is how
  /// every exchange may begin, a suspended device has proven who it is, and what cannot be read is
  /// held down by the address' rate: none of them is a guess.
  [[nodiscard]] std::optional<Response> in_place_of(const std::string& code) const {
    const bool guess = code == "not_enrolled" || code == "claim_refused";
    if (guess) {
      if (auto instead = locked()) return instead;
      services_.identity.failures.failed(key_, services_.now());
    }
    if (code != "use_nonce") services_.gate.tell_denied(request_, "device", source_, code);
    return std::nullopt;
  }

 private:
  const Request& request_;
  Services& services_;
  std::string source_, key_;
};

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
Response rabbitmq_answer(const Request& request, Services& services, Ask ask) {
  if (!is_from_this_machine(request)) {
    services.gate.tell_denied(request, "broker", source(request, services), "loopback_only");
    return problem({"loopback_only",
                    "brokers ask this from the server's own machine only",
                    "run the broker beside otariad, or a local proxy that speaks to it"});
  }
  const auto fields = form_fields(request.body);
  const bool allowed = fields && ask(*fields);
  // No lock-out: RabbitMQ tells no address, and by a user name anybody could lock its owner out.
  if (!allowed) services.gate.tell_denied(request, "broker", source(request, services), "denied");
  Response response;
  response.headers = {{"Content-Type", "text/plain"}, {"Cache-Control", "no-store"}};
  response.body = allowed ? "allow" : "deny";
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
  const FailureLimit limit{request, enrolment ? enrolment.value().mac : std::string{}, services};
  if (auto locked = limit.locked()) return std::move(*locked);
  if (!enrolment) {
    auto instead = limit.in_place_of(enrolment.refusal().code);
    return instead ? std::move(*instead) : problem(enrolment.refusal());
  }
  const auto identity = services.identity.registrar.enrol(
      enrolment.value(), source(request, services), services.now());
  if (!identity) {
    auto instead = limit.in_place_of(identity.refusal().code);
    return instead ? std::move(*instead) : refused({identity.refusal()}, services);
  }
  return json_reply(json_of(identity.value()), 201);
}

Response exchange_token(const Request& request, const PathParameters&, Services& services) {
  if (auto limited = too_many(request, services)) return std::move(*limited);
  const auto assertion = assertion_from_form(request.body);
  if (!assertion) return problem(assertion.refusal());
  const auto claimed = read_assertion(assertion.value());
  const FailureLimit limit{request, claimed ? claimed.value().mac : std::string{}, services};
  // The device's own proof is heard all the same: what it did not sign costs it nothing.
  const auto answer = services.identity.exchange.exchange(assertion.value(), services.now());
  if (const auto* why = std::get_if<TokenRefusal>(&answer)) {
    auto instead = limit.in_place_of(why->refusal.code);
    return instead ? std::move(*instead) : refused(*why, services);
  }
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
  return rabbitmq_answer(request, services, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.user(fields, services.now());
  });
}

Response rabbitmq_vhost(const Request& request, const PathParameters&, Services& services) {
  return rabbitmq_answer(request, services, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.vhost(fields);
  });
}

Response rabbitmq_resource(const Request& request, const PathParameters&, Services& services) {
  return rabbitmq_answer(request, services, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.resource(fields);
  });
}

Response rabbitmq_topic(const Request& request, const PathParameters&, Services& services) {
  return rabbitmq_answer(request, services, [&](const RabbitmqHook::Fields& fields) {
    return services.identity.rabbitmq.topic(fields);
  });
}

}  // namespace otaria::server
