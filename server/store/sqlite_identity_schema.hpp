#pragma once

/// Schema version 4: who devices and services are, and which tokens they hold.
namespace otaria::server::sqlite {

// Index of broker_tokens by subject with expiry: the denylist asks for the last token of each
// subject that is not active.
inline constexpr const char* identity_schema = R"sql(
CREATE TABLE identities (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT, mac TEXT NOT NULL UNIQUE, id TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL, next_key TEXT NOT NULL, product TEXT NOT NULL, hardware TEXT NOT NULL,
  state TEXT NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL, created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL, last_token_at INTEGER) STRICT;
CREATE INDEX identities_not_active ON identities (mac) WHERE state <> 'active';

CREATE TABLE claims (
  secret_sha256 TEXT PRIMARY KEY, mac TEXT NOT NULL, id TEXT NOT NULL, product TEXT NOT NULL,
  hardware TEXT NOT NULL, creator TEXT NOT NULL, created_at INTEGER NOT NULL, used_at INTEGER,
  used_by TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX claims_open ON claims (mac, id) WHERE used_at IS NULL;

CREATE TABLE services (
  name TEXT PRIMARY KEY, creator TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER) STRICT, WITHOUT ROWID;

CREATE TABLE issuer_keys (
  kid TEXT PRIMARY KEY, key TEXT NOT NULL, created_at INTEGER NOT NULL, use_from INTEGER NOT NULL,
  last_expiry INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE broker_tokens (
  jti TEXT PRIMARY KEY, subject TEXT NOT NULL, clientid TEXT NOT NULL, kid TEXT NOT NULL,
  issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, denied INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX broker_tokens_by_subject ON broker_tokens (subject, expires_at);
CREATE INDEX broker_tokens_by_expiry ON broker_tokens (expires_at);
CREATE INDEX broker_tokens_denied ON broker_tokens (expires_at) WHERE denied = 1;
)sql";

}  // namespace otaria::server::sqlite
