#include "server/identity/registrar.hpp"

#include "server/identity/registrar_steps.hpp"

namespace otaria::server {
namespace {

Refusal claim_refused() {
  return {"claim_refused",
          "the claim is unknown, used, or another device's",
          "give the device a new one: otaria device claim"};
}

Refusal use_nonce() {
  return {"use_nonce",
          "the nonce is not ours, older than 120 s, or was used",
          "sign again with the nonce of this answer"};
}

/// One enrolment inside its transaction.
class Enrolment {
 public:
  Enrolment(StoreTransaction& transaction, const EnrolmentRequest& request, std::int64_t now)
      : transaction_{transaction}, request_{request}, now_{now} {}

  Outcome<DeviceIdentity> run(bool trust_first_use, const std::string& source) {
    known_ = transaction_.identity_of_mac(request_.mac);
    claim_ =
        request_.claim.empty() ? std::nullopt : transaction_.claim(claim_digest(request_.claim));
    if (is_repeat()) return *known_;
    if (!may_enrol(trust_first_use)) return claim_refused();
    auto id = choose();
    if (!id) return id.refusal();
    return keep(id.value(), source);
  }

 private:
  [[nodiscard]] bool holds_this_key() const {
    return known_ && known_->state == IdentityState::active && known_->key == request_.pub;
  }
  // The answer to the first one was lost: the same key with the claim that it has used, or on a
  // bench with none.
  [[nodiscard]] bool is_repeat() const {
    if (!holds_this_key()) return false;
    if (request_.claim.empty()) return known_->origin == "first_use";
    return claim_ && claim_->used_at && claim_->used_by == request_.mac;
  }
  [[nodiscard]] bool may_enrol(bool trust_first_use) const {
    if (request_.claim.empty()) return trust_first_use && !known_;
    return claim_ && !claim_->used_at && (claim_->mac.empty() || claim_->mac == request_.mac);
  }

  Outcome<std::string> choose() {
    std::string wanted = request_.id;
    if (claim_ && !claim_->id.empty()) {
      if (!wanted.empty() && wanted != claim_->id) {
        return Refusal{"id_conflict",
                       "the claim is for the id \"" + claim_->id + "\", the device asks for \"" +
                           wanted + "\"",
                       "provision the device with that id, or with none"};
      }
      wanted = claim_->id;
    }
    if (wanted.empty() && known_) wanted = known_->id;
    return choose_id(request_.mac, wanted, [&](const std::string& id) {
      return belongs_to_another(transaction_, id, request_.mac);
    });
  }

  DeviceIdentity keep(const std::string& id, const std::string& source) {
    DeviceIdentity identity = known_.value_or(DeviceIdentity{.mac = request_.mac});
    identity.id = id;
    identity.key = request_.pub;
    identity.next_key.clear();
    identity.state = IdentityState::active;
    identity.origin = claim_ ? "claim" : "first_use";
    identity.reason.clear();
    if (!known_) identity.created_at = now_;
    identity.changed_at = now_;
    if (claim_) {
      if (!claim_->product.empty()) identity.product = claim_->product;
      if (!claim_->hardware.empty()) identity.hardware = claim_->hardware;
      claim_->used_at = now_;
      claim_->used_by = request_.mac;
      transaction_.put_claim(*claim_);
    }
    // What an earlier key was given ends with it.
    transaction_.deny_tokens_of(request_.mac);
    transaction_.put_identity(identity);
    Caller device;
    device.actor = "device:" + request_.mac;
    device.source = source;
    auto event = event_of(device, "device.enrol", id, now_);
    event.detail = contract::audit_detail({{"mac", request_.mac}, {"origin", identity.origin}});
    transaction_.append_audit(event);
    return identity;
  }

  StoreTransaction& transaction_;
  const EnrolmentRequest& request_;
  const std::int64_t now_;
  std::optional<DeviceIdentity> known_;
  std::optional<Claim> claim_;
};

}  // namespace

Outcome<DeviceIdentity> Registrar::enrol(const EnrolmentRequest& request,
                                         const std::string& source,
                                         std::int64_t now) {
  if (!nonces_.use(request.nonce, now)) return use_nonce();
  std::optional<Outcome<DeviceIdentity>> outcome;
  store_.write([&](StoreTransaction& transaction) {
    outcome = Enrolment{transaction, request, now}.run(trust_first_use_, source);
  });
  if (*outcome) on_change_();
  return *outcome;
}

}  // namespace otaria::server
