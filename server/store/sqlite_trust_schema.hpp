#pragma once

/// Schema version 3: what was signed, and by which keys it was judged.
namespace otaria::server::sqlite {

// A release may be signed again (another key, a later expiry): manifests are a table of their own,
// and the release names the one in force. `url_until` is when the signed URL in the notice last
// published ends.
inline constexpr const char* trust_schema = R"sql(
CREATE TABLE key_lists (
  serial INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL,
  payload_sha256 TEXT NOT NULL, file TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
CREATE TRIGGER key_lists_are_not_changed BEFORE UPDATE ON key_lists
  BEGIN SELECT RAISE(ABORT, 'key lists are kept for ever'); END;
CREATE TRIGGER key_lists_are_not_removed BEFORE DELETE ON key_lists
  BEGIN SELECT RAISE(ABORT, 'key lists are kept for ever'); END;

CREATE TABLE manifests (
  id TEXT PRIMARY KEY, release TEXT NOT NULL REFERENCES releases (id), product TEXT NOT NULL,
  channel TEXT NOT NULL, min_version TEXT NOT NULL, security_counter INTEGER NOT NULL, keys INTEGER NOT NULL,
  issued INTEGER NOT NULL, expires INTEGER NOT NULL, signed_by TEXT NOT NULL, epoch INTEGER NOT NULL,
  payload_sha256 TEXT NOT NULL, file TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
CREATE INDEX manifests_by_counter ON manifests (product, epoch, security_counter);
CREATE TRIGGER manifests_are_not_changed BEFORE UPDATE ON manifests
  BEGIN SELECT RAISE(ABORT, 'manifests are kept for ever'); END;
CREATE TRIGGER manifests_are_not_removed BEFORE DELETE ON manifests
  BEGIN SELECT RAISE(ABORT, 'manifests are kept for ever'); END;

ALTER TABLE releases ADD COLUMN manifest TEXT REFERENCES manifests (id);
ALTER TABLE deployments ADD COLUMN manifest TEXT REFERENCES manifests (id);
ALTER TABLE deployments ADD COLUMN url_until INTEGER;
CREATE INDEX deployments_by_url_until ON deployments (url_until) WHERE final = 0 AND url_until IS NOT NULL;
)sql";

}  // namespace otaria::server::sqlite
