#include "server/identity/issuer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>

#include "server/identity/signed_request.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t kid_characters = 9;
constexpr std::size_t jti_bytes = 9;  // 12 characters
// What a broker's clock may be behind, and a little more.
constexpr std::int64_t expiry_slack_s = 600;

std::string key_json(const IssuerKey& key) {
  const auto point = crypto::from_base64url(key.key).value_or("");
  const std::size_t half = contract::es256_public_key_bytes / 2;
  return R"({"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":")" + key.kid + R"(","x":")" +
         crypto::base64url(std::string_view{point}.substr(0, half)) + R"(","y":")" +
         crypto::base64url(std::string_view{point}.substr(half)) + "\"}";
}

std::int64_t lead_of(const IssuerConfig& config, const Issuer::Rotation& rotation) {
  if (rotation.withdraw_old) return 0;
  if (rotation.lead_s) return *rotation.lead_s;
  return config.lead_s > 0 ? config.lead_s : config.life_s + 2 * config.refresh_s;
}

}  // namespace

Issuer::Issuer(std::filesystem::path directory, IssuerConfig config, Store& store, std::int64_t now)
    : directory_{std::move(directory)}, config_{config}, store_{store} {
  std::filesystem::create_directories(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all);
  load(now);
}

std::filesystem::path Issuer::file_of(const std::string& kid) const {
  return directory_ / ("issuer-" + kid + ".pem");
}

// The file is on the disk before the store names the key.
Issuer::Held Issuer::make_key(std::int64_t now, std::int64_t use_from) const {
  auto secret = std::make_shared<crypto::PrivateKey>(
      crypto::PrivateKey::generate(contract::Algorithm::es256));
  IssuerKey key{.kid = secret->public_key().key_id().substr(0, kid_characters),
                .key = secret->public_key().base64url(),
                .created_at = now,
                .use_from = use_from};
  crypto::write_secret_file(file_of(key.kid), secret->pem());
  return {std::move(key), std::move(secret)};
}

void Issuer::load(std::int64_t now) {
  std::vector<IssuerKey> known;
  store_.read([&](StoreView& view) { known = view.issuer_keys(); });
  for (IssuerKey& key : known) {
    Held held{std::move(key), nullptr};
    if (std::filesystem::exists(file_of(held.key.kid))) {
      held.secret = std::make_shared<crypto::PrivateKey>(
          crypto::PrivateKey::from_file(file_of(held.key.kid)));
      if (held.secret->public_key().base64url() != held.key.key) {
        throw crypto::CryptoError{file_of(held.key.kid).string() +
                                  " is not the key that the database names: restore both from the "
                                  "same backup, or move the file away"};
      }
    }
    held_.push_back(std::move(held));
  }
  if (signing(now) != nullptr) return;
  if (!held_.empty()) {
    spdlog::warn("issuer: no private key in {} belongs to the database: making a new one",
                 directory_.string());
  }
  Held fresh = make_key(now, now);
  store_.write([&](StoreTransaction& transaction) { transaction.put_issuer_key(fresh.key); });
  held_.push_back(std::move(fresh));
}

// The latest that may sign; were the clock set back before all of them, the first.
const Issuer::Held* Issuer::signing(std::int64_t now) const {
  const Held* found = nullptr;
  for (const Held& held : held_) {
    if (held.secret && (held.key.use_from <= now || found == nullptr)) found = &held;
  }
  return found;
}

MintedToken Issuer::mint(const TokenSubject& subject, std::int64_t now) {
  std::shared_ptr<crypto::PrivateKey> secret;
  MintedToken minted;
  {
    const std::scoped_lock lock{mutex_};
    const Held* held = signing(now);
    if (held == nullptr) throw crypto::CryptoError{"the issuer has no key"};
    secret = held->secret;
    minted.record.kid = held->key.kid;
  }
  minted.record.jti = crypto::base64url(crypto::random_bytes(jti_bytes));
  minted.record.subject = subject.username;
  minted.record.clientid = subject.clientid;
  minted.record.issued_at = now;
  minted.record.expires_at = now + config_.life_s;
  const TokenTimes times{now, minted.record.expires_at, minted.record.jti};
  const std::string input = crypto::base64url(token_header(minted.record.kid)) + "." +
                            crypto::base64url(token_claims(subject, times, config_.broker));
  minted.text = input + "." + crypto::base64url(secret->sign(crypto::sha256(input)));
  return minted;
}

std::string Issuer::jwks() const {
  const std::scoped_lock lock{mutex_};
  std::string keys;
  for (const Held& held : held_) keys += (keys.empty() ? "" : ",") + key_json(held.key);
  return R"({"keys":[)" + keys + "]}\n";
}

std::vector<IssuerKeyState> Issuer::keys(std::int64_t now) const {
  const std::scoped_lock lock{mutex_};
  const Held* current = signing(now);
  std::vector<IssuerKeyState> states;
  for (const Held& held : held_) {
    states.push_back({held.key, &held == current, held.key.use_from > now});
  }
  return states;
}

Outcome<IssuerKey> Issuer::rotate(const Rotation& rotation,
                                  contract::AuditEvent audit,
                                  std::int64_t now) {
  const std::scoped_lock one_at_a_time{rotation_mutex_};
  std::vector<std::string> ended;
  {
    const std::scoped_lock lock{mutex_};
    const auto announced = std::find_if(
        held_.begin(), held_.end(), [now](const Held& held) { return held.key.use_from > now; });
    if (announced != held_.end() && !rotation.withdraw_old) {
      return Refusal{"rotation_pending",
                     "key " + announced->key.kid + " is announced and signs in " +
                         std::to_string(announced->key.use_from - now) + " s",
                     "wait for it; only a stolen key is a reason to withdraw the old ones at once"};
    }
    if (rotation.withdraw_old) {
      for (const Held& held : held_) ended.push_back(held.key.kid);
    }
  }
  Held fresh = make_key(now, now + lead_of(config_, rotation));
  IssuerKey made = fresh.key;
  audit.subject = made.kid;
  store_.write([&](StoreTransaction& transaction) {
    for (const std::string& kid : ended) transaction.forget_issuer_key(kid);
    transaction.put_issuer_key(made);
    transaction.append_audit(audit);
  });
  {
    const std::scoped_lock lock{mutex_};
    if (rotation.withdraw_old) held_.clear();
    held_.push_back(std::move(fresh));
  }
  for (const std::string& kid : ended) forget_file(kid);
  return made;
}

void Issuer::forget_file(const std::string& kid) const {
  std::error_code error;
  std::filesystem::remove(file_of(kid), error);
  if (error) {
    spdlog::error("issuer: {} cannot be removed: {}", file_of(kid).string(), error.message());
  }
}

// Over: a later key signs, for longer than a token lives, and the last one signed has expired.
bool Issuer::is_over(const Held& held, std::int64_t last_expiry, std::int64_t now) const {
  const Held* current = signing(now);
  if (current == nullptr || current->key.use_from <= held.key.use_from) return false;
  const std::int64_t end = std::max(last_expiry, current->key.use_from + config_.life_s);
  return now > end + expiry_slack_s;
}

bool Issuer::drop_expired(std::int64_t now) {
  const std::scoped_lock one_at_a_time{rotation_mutex_};
  std::map<std::string, std::int64_t> last_expiry;
  store_.read([&](StoreView& view) {
    for (const IssuerKey& key : view.issuer_keys()) last_expiry[key.kid] = key.last_expiry;
  });
  std::vector<std::string> ended;
  {
    const std::scoped_lock lock{mutex_};
    for (const Held& held : held_) {
      if (is_over(held, last_expiry[held.key.kid], now)) ended.push_back(held.key.kid);
    }
  }
  if (ended.empty()) return false;
  store_.write([&](StoreTransaction& transaction) {
    for (const std::string& kid : ended) transaction.forget_issuer_key(kid);
  });
  {
    const std::scoped_lock lock{mutex_};
    std::erase_if(held_, [&](const Held& held) {
      return std::find(ended.begin(), ended.end(), held.key.kid) != ended.end();
    });
  }
  for (const std::string& kid : ended) forget_file(kid);
  return true;
}

}  // namespace otaria::server
