#include <charconv>
#include <limits>

#include "server/store/sqlite_transaction.hpp"

/// The identities, claims, services and broker tokens of sqlite::Transaction.
namespace otaria::server::sqlite {
namespace {

#define IDENTITY_COLUMNS                                                                    \
  "ordinal, mac, id, key, next_key, product, hardware, state, origin, reason, created_at, " \
  "changed_at, last_token_at"

DeviceIdentity identity_from(const Statement& row) {
  DeviceIdentity identity;
  identity.ordinal = row.integer(0);
  identity.mac = row.text(1);
  identity.id = row.text(2);
  identity.key = row.text(3);
  identity.next_key = row.text(4);
  identity.product = row.text(5);
  identity.hardware = row.text(6);
  // A row that this program did not write must not become an active device.
  const auto state = identity_state_from(row.text(7));
  if (!state) {
    throw DatabaseError{"identity " + identity.mac + " in the database cannot be read", false};
  }
  identity.state = *state;
  identity.origin = row.text(8);
  identity.reason = row.text(9);
  identity.created_at = row.integer(10);
  identity.changed_at = row.integer(11);
  identity.last_token_at = row.maybe_integer(12);
  return identity;
}

std::optional<DeviceIdentity> one_identity(Statement& row) {
  if (!row.step()) return std::nullopt;
  return identity_from(row);
}

// A substring search that takes %, _ and \ literally.
std::string substring_pattern(const std::string& text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::int64_t ordinal_below(const Slice& slice) {
  std::int64_t below = std::numeric_limits<std::int64_t>::max();
  std::from_chars(slice.after.data(), slice.after.data() + slice.after.size(), below);
  return below;
}

ServiceIdentity service_from(const Statement& row) {
  return {row.text(0), row.text(1), row.integer(2), row.maybe_integer(3)};
}

}  // namespace

std::optional<DeviceIdentity> Transaction::identity(std::string_view id) {
  auto statement = connection_.lend("SELECT " IDENTITY_COLUMNS " FROM identities WHERE id = ?1");
  return one_identity(statement.bind(id));
}

std::optional<DeviceIdentity> Transaction::identity_of_mac(std::string_view mac) {
  auto statement = connection_.lend("SELECT " IDENTITY_COLUMNS " FROM identities WHERE mac = ?1");
  return one_identity(statement.bind(mac));
}

std::vector<DeviceIdentity> Transaction::identities(const IdentityFilter& filter,
                                                    const Slice& slice) {
  const std::string pattern = substring_pattern(filter.text);
  std::optional<std::string_view> state;
  if (filter.state) state = name_of(*filter.state);
  auto statement = connection_.lend(
      "SELECT " IDENTITY_COLUMNS
      " FROM identities WHERE ordinal < ?1 AND (id LIKE ?2 ESCAPE '\\' OR mac LIKE ?2 ESCAPE "
      "'\\') AND (?3 IS NULL OR state = ?3) ORDER BY ordinal DESC LIMIT ?4");
  statement.bind(ordinal_below(slice), pattern, state, static_cast<std::int64_t>(slice.limit));
  std::vector<DeviceIdentity> identities;
  while (statement.step()) identities.push_back(identity_from(statement));
  return identities;
}

std::optional<Claim> Transaction::claim(std::string_view secret_sha256) {
  auto statement = connection_.lend(
      "SELECT secret_sha256, mac, id, product, hardware, creator, created_at, used_at, used_by "
      "FROM claims WHERE secret_sha256 = ?1");
  if (!statement.bind(secret_sha256).step()) return std::nullopt;
  return Claim{.secret_sha256 = statement.text(0),
               .mac = statement.text(1),
               .id = statement.text(2),
               .product = statement.text(3),
               .hardware = statement.text(4),
               .creator = statement.text(5),
               .created_at = statement.integer(6),
               .used_at = statement.maybe_integer(7),
               .used_by = statement.text(8)};
}

std::optional<ServiceIdentity> Transaction::service(std::string_view name) {
  auto statement = connection_.lend(
      "SELECT name, creator, created_at, revoked_at FROM services WHERE name = ?1");
  if (!statement.bind(name).step()) return std::nullopt;
  return service_from(statement);
}

std::vector<ServiceIdentity> Transaction::services(const Slice& slice) {
  auto statement = connection_.lend(
      "SELECT name, creator, created_at, revoked_at FROM services WHERE name > ?1 ORDER BY name "
      "LIMIT ?2");
  statement.bind(slice.after, static_cast<std::int64_t>(slice.limit));
  std::vector<ServiceIdentity> services;
  while (statement.step()) services.push_back(service_from(statement));
  return services;
}

std::vector<IssuerKey> Transaction::issuer_keys() {
  auto statement = connection_.lend(
      "SELECT kid, key, created_at, use_from, last_expiry FROM issuer_keys ORDER BY use_from, "
      "created_at, kid");
  std::vector<IssuerKey> keys;
  while (statement.step()) {
    keys.push_back({.kid = statement.text(0),
                    .key = statement.text(1),
                    .created_at = statement.integer(2),
                    .use_from = statement.integer(3),
                    .last_expiry = statement.integer(4)});
  }
  return keys;
}

std::vector<DeniedToken> Transaction::denied_tokens(std::int64_t now) {
  std::vector<DeniedToken> denied;
  {
    auto statement = connection_.lend(
        "SELECT subject, max(expires_at) FROM broker_tokens WHERE expires_at > ?1 AND subject IN "
        "(SELECT mac FROM identities WHERE state <> 'active' UNION ALL SELECT name FROM services "
        "WHERE revoked_at IS NOT NULL) GROUP BY subject ORDER BY subject");
    statement.bind(now);
    while (statement.step()) denied.push_back({"", statement.text(0), statement.integer(1)});
  }
  auto statement = connection_.lend(
      "SELECT jti, subject, expires_at FROM broker_tokens WHERE denied = 1 AND expires_at > ?1 "
      "ORDER BY jti");
  statement.bind(now);
  while (statement.step()) {
    denied.push_back({statement.text(0), statement.text(1), statement.integer(2)});
  }
  return denied;
}

void Transaction::put_identity(const DeviceIdentity& identity) {
  auto statement = connection_.lend(
      "INSERT INTO identities (mac, id, key, next_key, product, hardware, state, origin, reason, "
      "created_at, changed_at, last_token_at) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12) "
      "ON CONFLICT (mac) DO UPDATE SET id=?2, key=?3, next_key=?4, product=?5, hardware=?6, "
      "state=?7, origin=?8, reason=?9, changed_at=?11, last_token_at=?12");
  statement
      .bind(identity.mac,
            identity.id,
            identity.key,
            identity.next_key,
            identity.product,
            identity.hardware,
            name_of(identity.state),
            identity.origin,
            identity.reason,
            identity.created_at,
            identity.changed_at,
            identity.last_token_at)
      .run();
}

void Transaction::put_claim(const Claim& claim) {
  auto statement = connection_.lend(
      "INSERT INTO claims (secret_sha256, mac, id, product, hardware, creator, created_at, "
      "used_at, used_by) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT (secret_sha256) DO UPDATE "
      "SET used_at=?8, used_by=?9");
  statement
      .bind(claim.secret_sha256,
            claim.mac,
            claim.id,
            claim.product,
            claim.hardware,
            claim.creator,
            claim.created_at,
            claim.used_at,
            claim.used_by)
      .run();
}

void Transaction::forget_claims(std::string_view mac, std::string_view id) {
  auto statement = connection_.lend(
      "DELETE FROM claims WHERE used_at IS NULL AND mac = ?1 AND (?1 <> '' OR id = ?2)");
  statement.bind(mac, id).run();
}

void Transaction::put_service(const ServiceIdentity& service) {
  auto statement = connection_.lend(
      "INSERT INTO services (name, creator, created_at, revoked_at) VALUES (?1,?2,?3,?4) ON "
      "CONFLICT (name) DO UPDATE SET revoked_at=?4");
  statement.bind(service.name, service.creator, service.created_at, service.revoked_at).run();
}

void Transaction::put_issuer_key(const IssuerKey& key) {
  auto statement = connection_.lend(
      "INSERT INTO issuer_keys (kid, key, created_at, use_from, last_expiry) VALUES "
      "(?1,?2,?3,?4,?5) ON CONFLICT (kid) DO UPDATE SET use_from=?4, last_expiry=?5");
  statement.bind(key.kid, key.key, key.created_at, key.use_from, key.last_expiry).run();
}

void Transaction::forget_issuer_key(std::string_view kid) {
  auto statement = connection_.lend("DELETE FROM issuer_keys WHERE kid = ?1");
  statement.bind(kid).run();
}

void Transaction::add_broker_token(const BrokerToken& token) {
  {
    auto statement = connection_.lend(
        "INSERT INTO broker_tokens (jti, subject, clientid, kid, issued_at, expires_at, denied) "
        "VALUES (?1,?2,?3,?4,?5,?6,?7)");
    statement
        .bind(token.jti,
              token.subject,
              token.clientid,
              token.kid,
              token.issued_at,
              token.expires_at,
              token.denied)
        .run();
  }
  {
    auto statement = connection_.lend(
        "UPDATE issuer_keys SET last_expiry = max(last_expiry, ?2) WHERE kid = ?1");
    statement.bind(token.kid, token.expires_at).run();
  }
  auto statement = connection_.lend("UPDATE identities SET last_token_at = ?2 WHERE mac = ?1");
  statement.bind(token.subject, token.issued_at).run();
}

void Transaction::deny_tokens_of(std::string_view subject) {
  auto statement = connection_.lend("UPDATE broker_tokens SET denied = 1 WHERE subject = ?1");
  statement.bind(subject).run();
}

void Transaction::forget_broker_tokens(std::int64_t before) {
  auto statement = connection_.lend("DELETE FROM broker_tokens WHERE expires_at < ?1");
  statement.bind(before).run();
}

}  // namespace otaria::server::sqlite
