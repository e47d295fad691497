#include "server/identity/token_exchange.hpp"

#include <algorithm>
#include <utility>

#include "contract/vocabulary.hpp"

namespace otaria::server {
namespace {

using Answer = std::variant<DeviceToken, TokenRefusal>;

TokenRefusal use_nonce() {
  return {{"use_nonce",
           "the nonce is not ours, older than 120 s, or was used",
           "sign again with the nonce of this answer"}};
}

// One answer for a MAC that nobody knows and for a signature by another key.
TokenRefusal not_enrolled() {
  return {{"not_enrolled",
           "no device with this MAC is registered with the key that signed",
           "enrol the device with a claim, or import its key"}};
}

TokenRefusal not_active(const DeviceIdentity& identity) {
  return {{"device_not_active",
           identity.id + " is " + std::string{name_of(identity.state)},
           "an operator decides: otaria device activate " + identity.id},
          identity.state};
}

TokenRefusal too_many(std::int64_t retry_after_s) {
  return {{"too_many_requests",
           "the device has had more tokens than it can need",
           "wait " + std::to_string(retry_after_s) + " s; a token lasts for hours"},
          std::nullopt,
          retry_after_s};
}

crypto::PublicKey some_key() {
  return crypto::PrivateKey::generate(contract::Algorithm::es256).public_key();
}

std::int64_t highest_seq(StoreView& view, const DeviceIdentity& identity) {
  const auto device = view.device(identity.id);
  // What another device once said under this id is not this one's.
  if (!device || (device->mac && *device->mac != identity.mac)) return 0;
  return std::max<std::int64_t>(device->marks.newest.seq, device->marks.newest_state.seq);
}

/// Which of the device's keys signed.
enum class SignedBy : std::uint8_t { nobody, key, next_key };

SignedBy signer_of(const Assertion& assertion,
                   const std::optional<DeviceIdentity>& identity,
                   const crypto::PublicKey& decoy) {
  const auto current = identity ? device_key_from(identity->key) : std::nullopt;
  if (is_signed_by(assertion.signature, current.value_or(decoy)) && current) return SignedBy::key;
  if (!identity || identity->next_key.empty()) return SignedBy::nobody;
  const auto next = device_key_from(identity->next_key);
  return next && is_signed_by(assertion.signature, *next) ? SignedBy::next_key : SignedBy::nobody;
}

}  // namespace

bool is_server_name(std::string_view name) {
  constexpr std::string_view prefix = "otariad-";
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return !name.empty() && name.size() <= 9 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_monitor_name(std::string_view name) {
  constexpr std::string_view prefix = "monitor-";
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return !name.empty() && name.size() <= 24 &&
         std::all_of(name.begin(), name.end(), contract::is_device_id_character);
}

TokenExchange::TokenExchange(Store& store,
                             Nonces& nonces,
                             Issuer& issuer,
                             TokenExchangeConfig config,
                             std::function<std::int64_t(StoreView&)> key_list_serial)
    : store_{store},
      nonces_{nonces},
      issuer_{issuer},
      config_{std::move(config)},
      key_list_serial_{std::move(key_list_serial)},
      per_device_{config_.per_device},
      decoy_{some_key()} {}

Answer TokenExchange::exchange(std::string_view text, std::int64_t now) {
  const auto read = read_assertion(text);
  if (!read) return TokenRefusal{read.refusal()};
  const Assertion& assertion = read.value();
  const auto& audiences = config_.audiences;
  if (std::find(audiences.begin(), audiences.end(), assertion.aud) == audiences.end()) {
    return TokenRefusal{{"wrong_audience",
                         "`aud` is not the origin of this server: " +
                             (audiences.empty() ? std::string{"none is set"} : audiences.front()),
                         "provision the device with that URL, or name the other one in "
                         "identity.audiences"}};
  }
  if (!nonces_.is_fresh(assertion.nonce, now)) return use_nonce();
  std::optional<DeviceIdentity> identity;
  store_.read([&](StoreView& view) { identity = view.identity_of_mac(assertion.mac); });
  if (signer_of(assertion, identity, decoy_) == SignedBy::nobody) return not_enrolled();
  // From here on the device has proven who it is: only now may it spend its nonce and its rate.
  if (!nonces_.use(assertion.nonce, now)) return use_nonce();
  if (const auto wait = per_device_.take(assertion.mac, now * 1000)) return too_many(*wait);
  Answer answer;
  store_.write([&](StoreTransaction& transaction) { answer = give(transaction, assertion, now); });
  return answer;
}

Answer TokenExchange::give(StoreTransaction& transaction,
                           const Assertion& assertion,
                           std::int64_t now) {
  // Read again: an operator may have revoked it since.
  auto identity = transaction.identity_of_mac(assertion.mac);
  const SignedBy by = signer_of(assertion, identity, decoy_);
  if (by == SignedBy::nobody) return not_enrolled();
  if (identity->state != IdentityState::active) return not_active(*identity);
  bool changed = false;
  if (by == SignedBy::next_key) {  // its first use ends the old one
    identity->key = std::exchange(identity->next_key, "");
    changed = true;
  }
  if (!assertion.new_pub.empty()) {
    const auto key = read_new_key(assertion);
    if (!key) return TokenRefusal{key.refusal()};
    if (assertion.new_pub != identity->key && assertion.new_pub != identity->next_key) {
      identity->next_key = assertion.new_pub;
      changed = true;
    }
  }
  const TokenSubject subject{
      identity->mac, identity->id, device_rules(identity->id, config_.also_publish)};
  MintedToken minted = issuer_.mint(subject, now);
  if (auto refusal = judge_token_size(subject, minted.text.size(), issuer_.config().broker)) {
    return TokenRefusal{*refusal};
  }
  if (changed) {
    identity->changed_at = now;
    transaction.put_identity(*identity);
  }
  transaction.add_broker_token(minted.record);
  return DeviceToken{.token = std::move(minted.text),
                     .expires_in = issuer_.config().life_s,
                     .time = now,
                     .id = identity->id,
                     .mac = identity->mac,
                     .mqtt = config_.mqtt_urls,
                     .keys = key_list_serial_(transaction),
                     .seq = highest_seq(transaction, *identity)};
}

Outcome<TokenExchange::ServiceToken> TokenExchange::mint_service(const std::string& name,
                                                                 const Caller& caller,
                                                                 std::int64_t now) {
  const bool server = is_server_name(name);
  if (!server && !is_monitor_name(name)) {
    return Refusal{"bad_request",
                   "\"" + name.substr(0, 40) + "\" is neither otariad-<n> nor monitor-<name>",
                   "e.g. otariad-2 for a second server, monitor-lab for a reader"};
  }
  const TokenSubject subject{name, name, server ? server_rules() : monitor_rules(name)};
  MintedToken minted = issuer_.mint(subject, now);
  store_.write([&](StoreTransaction& transaction) {
    auto service = transaction.service(name).value_or(
        ServiceIdentity{.name = name, .creator = caller.actor, .created_at = now});
    // What was denied once stays so: the service is let in again with new tokens only.
    if (std::exchange(service.revoked_at, std::nullopt)) transaction.deny_tokens_of(name);
    transaction.put_service(service);
    transaction.add_broker_token(minted.record);
    contract::AuditEvent event;
    event.at = now;
    event.actor = caller.actor;
    event.source = caller.source;
    event.verb = "service.token";
    event.subject = name;
    event.outcome = "done";
    event.detail = contract::audit_detail({{"jti", minted.record.jti}});
    transaction.append_audit(event);
    caller.audited = true;
  });
  return ServiceToken{std::move(minted.text), name, issuer_.config().life_s};
}

}  // namespace otaria::server
