#include "server/store/sqlite_transaction.hpp"

/// The tokens of sqlite::Transaction.
namespace otaria::server::sqlite {
namespace {

ApiToken token_from(const Statement& row) {
  ApiToken token;
  token.id = row.text(1);
  const auto digest = contract::digest_from_hex(row.text(2));
  const auto role = role_from(row.text(3));
  // A row that this program did not write must not become a token with default rights.
  if (!digest || !role) {
    throw DatabaseError{"token " + token.id + " in the database cannot be read", false};
  }
  token.secret_sha256 = *digest;
  token.role = *role;
  token.product = row.text(4);
  token.name = row.text(5);
  token.creator = row.text(6);
  token.created_at = row.integer(7);
  token.expires_at = row.integer(8);
  token.last_used_at = row.maybe_integer(9);
  token.revoked_at = row.maybe_integer(10);
  token.person = row.text(11);
  return token;
}

}  // namespace

std::optional<ApiToken> Transaction::token(std::string_view id) {
  auto statement = connection_.lend(
      "SELECT ordinal, id, secret_sha256, role, product, name, creator, created_at, expires_at, "
      "last_used_at, revoked_at, person FROM tokens WHERE id = ?1");
  if (!statement.bind(id).step()) return std::nullopt;
  return token_from(statement);
}

std::vector<ApiToken> Transaction::tokens(const Slice& slice) {
  auto statement = connection_.lend(
      "SELECT ordinal, id, secret_sha256, role, product, name, creator, created_at, expires_at, "
      "last_used_at, revoked_at, person FROM tokens WHERE ?1 = '' OR ordinal < (SELECT ordinal "
      "FROM tokens "
      "WHERE id = ?1) ORDER BY ordinal DESC LIMIT ?2");
  statement.bind(slice.after, static_cast<std::int64_t>(slice.limit));
  std::vector<ApiToken> tokens;
  while (statement.step()) tokens.push_back(token_from(statement));
  return tokens;
}

bool Transaction::has_valid_token(Role role, std::int64_t now) {
  auto statement = connection_.lend(
      "SELECT 1 FROM tokens WHERE role = ?1 AND revoked_at IS NULL AND expires_at > ?2 LIMIT 1");
  return statement.bind(name_of(role), now).step();
}

bool Transaction::add_token(const ApiToken& token) {
  auto statement = connection_.lend(
      "INSERT INTO tokens (id, secret_sha256, role, product, name, creator, created_at, "
      "expires_at, last_used_at, revoked_at, person) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11) "
      "ON CONFLICT (id) DO NOTHING");
  const auto hex = contract::hex_of(token.secret_sha256);
  statement
      .bind(token.id,
            std::string_view{hex.data(), hex.size()},
            name_of(token.role),
            token.product,
            token.name,
            token.creator,
            token.created_at,
            token.expires_at,
            token.last_used_at,
            token.revoked_at,
            token.person)
      .run();
  return connection_.changes() == 1;
}

void Transaction::set_token_used(std::string_view id, std::int64_t at) {
  auto statement = connection_.lend("UPDATE tokens SET last_used_at = ?2 WHERE id = ?1");
  statement.bind(id, at).run();
}

void Transaction::revoke_token(std::string_view id, std::int64_t at) {
  auto statement =
      connection_.lend("UPDATE tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL");
  statement.bind(id, at).run();
}

}  // namespace otaria::server::sqlite
