#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "contract/openssl/crypto.hpp"
#include "server/identity/broker_token.hpp"
#include "server/registry/identity.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

struct IssuerConfig {
  BrokerKind broker = BrokerKind::mosquitto;
  std::int64_t life_s = 86'400;  ///< of a token
  /// From the publication of a new key to its first use; 0: the life of a token and twice
  /// `refresh_s`.
  std::int64_t lead_s = 0;
  std::int64_t refresh_s = 300;  ///< how long brokers may take to read the key set again
};

/// A token, and what is to be remembered of it.
struct MintedToken {
  std::string text;
  BrokerToken record;
};

/// What an issuer key is doing.
struct IssuerKeyState {
  IssuerKey key;
  bool signs = false;      ///< new tokens
  bool announced = false;  ///< published, not yet used
};

/// Signs access tokens (ES256) and publishes the keys that verify them.
///
/// Keys     `<directory>/issuer-<kid>.pem`, mode 0600, made at the first start; their public halves
///          and times in the store. `kid` is the first 9 hex digits of the key id.
/// Rotation a new key is published a lead time before it signs, the old one stays published until
///          everything it signed has expired, so that no broker ever meets an unknown key.
/// Errors   the constructor throws crypto::CryptoError or DatabaseError; so does whatever signs or
///          writes.
/// Threads  any.
/// Source   reference trust, sections 12.4 and 12.5; RFC 7517, 7518.
class Issuer {
 public:
  Issuer(std::filesystem::path directory, IssuerConfig config, Store& store, std::int64_t now);

  /// The caller adds `record` to the store before he hands out `text`.
  MintedToken mint(const TokenSubject& subject, std::int64_t now);
  /// The key set: RFC 7517, the same bytes until a key comes or goes.
  [[nodiscard]] std::string jwks() const;
  [[nodiscard]] std::vector<IssuerKeyState> keys(std::int64_t now) const;

  struct Rotation {
    std::optional<std::int64_t> lead_s = {};  ///< in place of the configured one
    bool withdraw_old = false;  ///< a key was stolen: all others end now, and what they signed
  };
  /// Makes a key. `audit` is written in the transaction that adds it, with the kid as subject. Code
  /// rotation_pending: one is announced already (unless `withdraw_old`).
  Outcome<IssuerKey> rotate(const Rotation& rotation, contract::AuditEvent audit, std::int64_t now);
  /// Drops keys whose tokens have all expired; true when there was one.
  bool drop_expired(std::int64_t now);
  [[nodiscard]] const IssuerConfig& config() const { return config_; }

 private:
  struct Held {
    IssuerKey key;
    std::shared_ptr<crypto::PrivateKey> secret;  ///< none: it only verifies
  };
  [[nodiscard]] std::filesystem::path file_of(const std::string& kid) const;
  Held make_key(std::int64_t now, std::int64_t use_from) const;
  void load(std::int64_t now);
  [[nodiscard]] const Held* signing(std::int64_t now) const;
  [[nodiscard]] bool is_over(const Held& held, std::int64_t last_expiry, std::int64_t now) const;
  void forget_file(const std::string& kid) const;

  const std::filesystem::path directory_;
  const IssuerConfig config_;
  Store& store_;
  std::mutex rotation_mutex_;  ///< one change of the keys at a time; taken before the other
  mutable std::mutex mutex_;
  std::vector<Held> held_;  ///< by first use
};

}  // namespace otaria::server
