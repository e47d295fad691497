#pragma once

/// Schema version 5: the two-person rule.
namespace otaria::server::sqlite {

// What was asked for is what is approved: the triggers keep our own mistakes from changing it.
inline constexpr const char* approval_schema = R"sql(
ALTER TABLE tokens ADD COLUMN person TEXT NOT NULL DEFAULT '';

CREATE TABLE approvals (
  id TEXT PRIMARY KEY, verb TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL, summary TEXT NOT NULL,
  requester TEXT NOT NULL, requester_token TEXT NOT NULL, person TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, state TEXT NOT NULL, decider TEXT NOT NULL, decider_person TEXT NOT NULL,
  decided_at INTEGER, reason TEXT NOT NULL, result TEXT NOT NULL) STRICT;
CREATE INDEX approvals_by_state ON approvals (state, id);
CREATE TRIGGER approvals_keep_what_was_asked
  BEFORE UPDATE OF id, verb, digest, content, summary, requester, requester_token, person, created_at, expires_at ON approvals
  BEGIN SELECT RAISE(ABORT, 'what was asked for is not changed'); END;
CREATE TRIGGER approvals_are_decided_once BEFORE UPDATE ON approvals WHEN OLD.state <> 'pending'
  BEGIN SELECT RAISE(ABORT, 'it is decided'); END;
)sql";

}  // namespace otaria::server::sqlite
