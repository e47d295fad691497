#include "server/identity/identity_service.hpp"

#include <spdlog/spdlog.h>

#include "server/broker/clock.hpp"

namespace otaria::server {
namespace {

// Nothing but expiry changes in between, and an entry that has expired does no harm.
constexpr std::int64_t tidy_every_s = 60;
// Denials name tokens by their ids until brokers refuse them for their age.
constexpr std::int64_t remembered_after_expiry_s = 300;

}  // namespace

IdentityService::IdentityService(Store& store,
                                 const IdentityConfig& config,
                                 std::function<std::int64_t(StoreView&)> key_list_serial,
                                 std::int64_t now)
    : issuer{config.keys_directory, config.issuer, store, now},
      files{config.files},
      registrar{
          store, nonces, config.trust_first_use, [this] { publish(system_unix_ms() / 1000); }},
      exchange{store, nonces, issuer, config.exchange, std::move(key_list_serial)},
      rabbitmq{store, issuer, config.exchange.also_publish},
      per_address{config.per_address},
      store_{store},
      tidied_at_{now} {
  publish(now);
}

// A disk that is full must not undo what was decided: the next call tries again.
void IdentityService::publish(std::int64_t now) {
  try {
    std::vector<DeniedToken> denied;
    store_.read([&](StoreView& view) { denied = view.denied_tokens(now); });
    files.put(jwks_file, issuer.jwks());
    files.put(denylist_file, denylist_text(denied));
  } catch (const std::exception& error) {
    spdlog::error("identity: {}", error.what());
  }
}

void IdentityService::keep_time(std::int64_t now) {
  if (now >= tidied_at_ && now - tidied_at_ < tidy_every_s) return;
  tidied_at_ = now;
  issuer.drop_expired(now);
  store_.write([&](StoreTransaction& transaction) {
    transaction.forget_broker_tokens(now - remembered_after_expiry_s);
  });
  publish(now);
}

}  // namespace otaria::server
