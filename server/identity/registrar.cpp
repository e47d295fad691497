#include "server/identity/registrar.hpp"

#include "server/identity/registrar_steps.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t longest_reason = 256;

}  // namespace

contract::AuditEvent event_of(const Caller& caller,
                              std::string verb,
                              std::string subject,
                              std::int64_t now) {
  contract::AuditEvent event;
  event.at = now;
  event.actor = caller.actor;
  event.source = caller.source;
  event.verb = std::move(verb);
  event.subject = std::move(subject);
  event.outcome = "done";
  return event;
}

void tell(StoreTransaction& transaction, const Caller& caller, const contract::AuditEvent& event) {
  transaction.append_audit(event);
  caller.audited = true;
}

bool belongs_to_another(StoreView& view, const std::string& id, const std::string& mac) {
  const auto identity = view.identity(id);
  if (identity) return identity->mac != mac;
  const auto device = view.device(id);
  return device && device->mac && *device->mac != mac;
}

std::string claim_digest(const std::string& code) {
  const auto hex = contract::hex_of(crypto::sha256(code));
  return {hex.data(), hex.size()};
}

Registrar::Registrar(Store& store,
                     Nonces& nonces,
                     bool trust_first_use,
                     std::function<void()> on_change)
    : store_{store},
      nonces_{nonces},
      trust_first_use_{trust_first_use},
      on_change_{std::move(on_change)} {}

Outcome<DeviceIdentity> Registrar::set_state(const std::string& id,
                                             IdentityState state,
                                             const std::string& reason,
                                             const Caller& caller,
                                             std::int64_t now) {
  std::optional<Outcome<DeviceIdentity>> outcome;
  store_.write([&](StoreTransaction& transaction) {
    const auto known = transaction.identity(id);
    if (!known) {
      outcome = Refusal{"unknown_device",
                        "no device \"" + id + "\" is registered",
                        "otaria device import FILE or otaria device claim registers one"};
      return;
    }
    outcome = in_state(*known, state, reason.substr(0, longest_reason), now);
    if (!*outcome || known->state == state) return;
    transaction.put_identity(outcome->value());
    // A claim that was made before must not undo this.
    if (state != IdentityState::active) transaction.forget_claims(known->mac, "");
    auto event = event_of(caller, "device.state", id, now);
    event.detail = contract::audit_detail({{"from", std::string{name_of(known->state)}},
                                           {"to", std::string{name_of(state)}},
                                           {"reason", outcome->value().reason}});
    tell(transaction, caller, event);
  });
  if (*outcome) on_change_();
  return *outcome;
}

Outcome<ServiceIdentity> Registrar::revoke_service(const std::string& name,
                                                   const Caller& caller,
                                                   std::int64_t now) {
  std::optional<ServiceIdentity> service;
  store_.write([&](StoreTransaction& transaction) {
    service = transaction.service(name);
    if (!service || service->revoked_at) return;
    service->revoked_at = now;
    transaction.put_service(*service);
    tell(transaction, caller, event_of(caller, "service.revoke", name, now));
  });
  if (!service) {
    return Refusal{"unknown_service",
                   "no service \"" + name + "\" was given a token",
                   "otaria issuer services lists them"};
  }
  on_change_();
  return *service;
}

}  // namespace otaria::server
