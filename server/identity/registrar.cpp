#include "server/identity/registrar.hpp"

#include <set>

#include "contract/ulid.hpp"
#include "contract/vocabulary.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t longest_reason = 256;

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

/// Whether an id belongs to a device with another MAC: by its identity, or by what it reported
/// before it had one.
bool belongs_to_another(StoreView& view, const std::string& id, const std::string& mac) {
  const auto identity = view.identity(id);
  if (identity) return identity->mac != mac;
  const auto device = view.device(id);
  return device && device->mac && *device->mac != mac;
}

// 128 bits as 26 characters that nobody confuses when they are printed.
std::string random_code() {
  const auto bytes = crypto::random_bytes(16);
  std::uint64_t high = 0, low = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    high = high << 8 | bytes[i];
    low = low << 8 | bytes[i + 8];
  }
  const auto text = contract::ulid_text(high, low);
  return {text.data(), text.size()};
}

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

/// The rows of one import against the registry.
class Import {
 public:
  Import(StoreTransaction& transaction, ImportResult& result, std::int64_t now)
      : transaction_{transaction}, result_{result}, now_{now} {}

  void take(const ImportRow& row) {
    const auto known = transaction_.identity_of_mac(row.mac);
    if (known && !known->key.empty()) {
      if (same(*known, row)) {
        ++result_.unchanged;
      } else {
        refuse(row,
               "mac_registered",
               "MAC " + row.mac + " is registered as " + known->id +
                   " with another key, id, product or hardware");
      }
      return;
    }
    const std::string wanted = row.id.empty() && known ? known->id : row.id;
    auto id = choose_id(row.mac, wanted, [&](const std::string& text) {
      return given_.contains(text) || belongs_to_another(transaction_, text, row.mac);
    });
    if (!id) {
      refuse(row, id.refusal().code, id.refusal().detail);
      return;
    }
    given_.insert(id.value());
    fresh_.push_back({.mac = row.mac,
                      .id = id.value(),
                      .key = row.public_key,
                      .next_key = "",
                      .product = row.product,
                      .hardware = row.hardware,
                      .state = IdentityState::active,
                      .origin = "import",
                      .reason = "",
                      .created_at = now_,
                      .changed_at = now_});
  }

  void keep() {
    for (const DeviceIdentity& identity : fresh_) {
      transaction_.forget_claims(identity.mac, "");  // the key is known: no other gets in by one
      transaction_.put_identity(identity);
    }
    result_.created = fresh_.size();
  }

 private:
  static bool same(const DeviceIdentity& known, const ImportRow& row) {
    return known.key == row.public_key && (row.id.empty() || row.id == known.id) &&
           (row.product.empty() || row.product == known.product) &&
           (row.hardware.empty() || row.hardware == known.hardware);
  }
  void refuse(const ImportRow& row, const std::string& code, const std::string& detail) {
    result_.errors.push_back({row.line, code, detail});
  }

  StoreTransaction& transaction_;
  ImportResult& result_;
  const std::int64_t now_;
  std::set<std::string> given_;
  std::vector<DeviceIdentity> fresh_;
};

}  // namespace

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

ImportResult Registrar::import(std::vector<ImportRow> rows,
                               const Caller& caller,
                               std::int64_t now) {
  ImportResult result;
  result.errors = judge_import(rows);
  if (!result.errors.empty()) return result;
  store_.write([&](StoreTransaction& transaction) {
    Import import{transaction, result, now};
    // Those that ask for an id go first: what the others are given must not be one of theirs.
    for (const ImportRow& row : rows) {
      if (!row.id.empty()) import.take(row);
    }
    for (const ImportRow& row : rows) {
      if (row.id.empty()) import.take(row);
    }
    if (!result.errors.empty()) {
      result.unchanged = 0;
      return;
    }
    import.keep();
    auto event = event_of(caller, "device.import", "", now);
    event.detail =
        contract::audit_detail({{"created", static_cast<std::int64_t>(result.created)},
                                {"unchanged", static_cast<std::int64_t>(result.unchanged)}});
    tell(transaction, caller, event);
  });
  return result;
}

namespace {

/// The claim for one wish, put into the store; the wish is known to be well-formed.
Outcome<MadeClaim> make_claim(StoreTransaction& transaction,
                              const ClaimWish& wish,
                              const Caller& caller,
                              std::int64_t now) {
  MadeClaim made{wish.mac, wish.id, random_code()};
  if (wish.mac.empty()) {
    // An id alone: of a device that is known, or of whichever enrols with the code.
    if (const auto known = transaction.identity(wish.id)) made.mac = known->mac;
  } else {
    const auto known = transaction.identity_of_mac(wish.mac);
    const std::string wanted = wish.id.empty() && known ? known->id : wish.id;
    auto id = choose_id(wish.mac, wanted, [&](const std::string& text) {
      return belongs_to_another(transaction, text, wish.mac);
    });
    if (!id) return id.refusal();
    made.id = id.value();
    if (!known) {
      transaction.put_identity({.mac = wish.mac,
                                .id = made.id,
                                .product = wish.product,
                                .hardware = wish.hardware,
                                .origin = "claim",
                                .created_at = now,
                                .changed_at = now});
    }
  }
  transaction.forget_claims(made.mac, made.id);
  transaction.put_claim({.secret_sha256 = claim_digest(made.code),
                         .mac = made.mac,
                         .id = wish.id,
                         .product = wish.product,
                         .hardware = wish.hardware,
                         .creator = caller.actor,
                         .created_at = now});
  tell(transaction,
       caller,
       event_of(caller, "device.claim", made.id.empty() ? made.mac : made.id, now));
  return made;
}

std::optional<Refusal> judge_wish(const ClaimWish& wish) {
  const bool names = (wish.product.empty() || is_plain_name(wish.product)) &&
                     (wish.hardware.empty() || is_plain_name(wish.hardware));
  const bool mac = wish.mac.empty() || contract::is_mac(wish.mac);
  const bool id = wish.id.empty() || contract::is_device_id(wish.id);
  if (names && mac && id && !(wish.mac.empty() && wish.id.empty())) return std::nullopt;
  return Refusal{"bad_request",
                 "a claim is for a `mac` (12 lower-case hex digits), an `id` (1 to 32 of A-Z a-z "
                 "0-9 _ -), or both; `product` and `hardware` are names",
                 "otaria device claim sensor_A1B2, or a4cf12e0a1b2"};
}

}  // namespace

Outcome<std::vector<MadeClaim>> Registrar::make_claims(const std::vector<ClaimWish>& wishes,
                                                       const Caller& caller,
                                                       std::int64_t now) {
  if (wishes.empty() || wishes.size() > most_claims_at_once) {
    return Refusal{"bad_request",
                   "`devices` holds " + std::to_string(wishes.size()) + " items, not 1 to " +
                       std::to_string(most_claims_at_once),
                   "ask in several requests"};
  }
  for (const ClaimWish& wish : wishes) {
    if (auto refusal = judge_wish(wish)) return *refusal;
  }
  std::vector<MadeClaim> made;
  std::optional<Refusal> refused;
  struct Undo {};
  try {
    store_.write([&](StoreTransaction& transaction) {
      for (const ClaimWish& wish : wishes) {
        auto one = make_claim(transaction, wish, caller, now);
        if (!one) {
          refused = one.refusal();
          throw Undo{};
        }
        made.push_back(std::move(one.value()));
      }
    });
  } catch (const Undo&) {
    return *refused;
  }
  return made;
}

namespace {

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
