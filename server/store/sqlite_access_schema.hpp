#pragma once

/// Schema version 2: who may do what, and what was done.
namespace otaria::server::sqlite {

// The triggers keep our own mistakes and a careless hand from changing what was written; against
// somebody who owns the file only the chain of hashes and its checkpoints help. An insert must
// continue the log, since INSERT OR REPLACE would remove a row without a DELETE trigger.
inline constexpr const char* access_schema = R"sql(
CREATE TABLE tokens (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, secret_sha256 TEXT NOT NULL,
  role TEXT NOT NULL, product TEXT NOT NULL, groups TEXT NOT NULL DEFAULT '', name TEXT NOT NULL,
  creator TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  last_used_at INTEGER, revoked_at INTEGER) STRICT;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, source TEXT NOT NULL, verb TEXT NOT NULL,
  subject TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE INDEX audit_by_actor ON audit (actor, seq);
CREATE INDEX audit_by_verb ON audit (verb, seq);
CREATE TRIGGER audit_continues BEFORE INSERT ON audit
  WHEN NEW.seq IS NOT (SELECT ifnull(max(seq), 0) + 1 FROM audit)
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
)sql";

}  // namespace otaria::server::sqlite
