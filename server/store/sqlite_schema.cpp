#include "server/store/sqlite_schema.hpp"

#include <array>
#include <string>

#include "server/store/sqlite_access_schema.hpp"
#include "server/store/sqlite_approval_schema.hpp"
#include "server/store/sqlite_identity_schema.hpp"
#include "server/store/sqlite_trust_schema.hpp"
#include "server/store/store.hpp"

namespace otaria::server::sqlite {
namespace {

constexpr std::int64_t application_id =
    0x4f544152;  // "OTAR": other programs' files are not ours to change

// Never change a step that was released: databases in the field have run it.
constexpr std::array migrations{
    R"sql(
CREATE TABLE releases (
  id TEXT PRIMARY KEY, product TEXT NOT NULL, version TEXT NOT NULL, hardware TEXT NOT NULL,
  channel TEXT NOT NULL, chip TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
  build TEXT NOT NULL, project TEXT NOT NULL, descriptor_version TEXT NOT NULL, idf_version TEXT NOT NULL,
  notes TEXT NOT NULL, created_at INTEGER NOT NULL,
  UNIQUE (product, version, hardware)) STRICT;
CREATE INDEX releases_by_version ON releases (version);

CREATE TABLE devices (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, mac TEXT, product TEXT, hardware TEXT,
  chip TEXT, channel TEXT, version TEXT, build TEXT, image TEXT, slot TEXT, mode TEXT, agent TEXT,
  reset_reason TEXT, confirmed INTEGER, security_counter INTEGER, keys INTEGER, max_image INTEGER,
  online INTEGER NOT NULL, session INTEGER, epoch INTEGER NOT NULL, newest_seq INTEGER NOT NULL,
  state_epoch INTEGER NOT NULL, state_seq INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL) STRICT;

CREATE TABLE session_restarts (mac TEXT NOT NULL, session INTEGER NOT NULL, PRIMARY KEY (mac, session)) STRICT, WITHOUT ROWID;

CREATE TABLE deployments (
  id TEXT PRIMARY KEY, device TEXT NOT NULL REFERENCES devices (id), release TEXT REFERENCES releases (id),
  target TEXT NOT NULL, from_version TEXT, sha256 TEXT NOT NULL, size INTEGER, url TEXT NOT NULL,
  force INTEGER NOT NULL, spread_s INTEGER NOT NULL, not_before INTEGER, deadline INTEGER,
  state TEXT NOT NULL, reported TEXT, percent INTEGER, bytes INTEGER, total INTEGER,
  code TEXT, detail TEXT, hint TEXT, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  stale INTEGER NOT NULL, withdrawn INTEGER NOT NULL, superseded INTEGER NOT NULL,
  closed_by_server INTEGER NOT NULL, final INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, due_at INTEGER NOT NULL) STRICT;
CREATE INDEX deployments_by_device ON deployments (device, id);
CREATE INDEX deployments_by_state ON deployments (state, id);
CREATE INDEX deployments_open ON deployments (device, id) WHERE final = 0;
CREATE INDEX deployments_due ON deployments (due_at) WHERE final = 0 AND stale = 0 AND due_at > 0;
CREATE INDEX deployments_expiring ON deployments (deadline)
  WHERE final = 0 AND withdrawn = 0 AND deadline IS NOT NULL;

CREATE TABLE statuses (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL REFERENCES devices (id), update_id TEXT NOT NULL,
  version TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, percent INTEGER, bytes INTEGER, total INTEGER,
  code TEXT, detail TEXT, hint TEXT, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER,
  received_at INTEGER NOT NULL, UNIQUE (device, epoch, seq)) STRICT;
CREATE INDEX statuses_by_update ON statuses (update_id, ordinal);
CREATE INDEX statuses_by_device ON statuses (device, ordinal);
CREATE INDEX statuses_by_age ON statuses (received_at);

CREATE TABLE outbox (
  device TEXT PRIMARY KEY REFERENCES devices (id), update_id TEXT REFERENCES deployments (id),
  generation INTEGER NOT NULL, attempts INTEGER NOT NULL, due_at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX outbox_due ON outbox (due_at_ms);
)sql",
    access_schema,
    trust_schema,
    identity_schema,
    approval_schema,
};

void check_ours(Connection& connection, std::int64_t version) {
  const std::int64_t id = connection.pragma("application_id");
  const bool empty = version == 0 && connection.pragma("schema_version") == 0;
  if (!empty && id != application_id) {
    throw DatabaseError{"the database was not made by otariad (application_id " +
                        std::to_string(id) + "): choose another --data directory"};
  }
  if (version > newest_schema_version()) {
    throw DatabaseError{
        "the database has schema " + std::to_string(version) + ", this otariad knows up to " +
        std::to_string(newest_schema_version()) +
        ": run the newer otariad, or restore the backup made before its first start"};
  }
}

}  // namespace

int newest_schema_version() {
  return static_cast<int>(migrations.size());
}

void migrate(Connection& connection) {
  const std::int64_t version = connection.pragma("user_version");
  check_ours(connection, version);
  for (std::size_t step = static_cast<std::size_t>(version); step < migrations.size(); ++step) {
    connection.execute("BEGIN IMMEDIATE");
    try {
      connection.execute(migrations[step]);
      connection.execute("PRAGMA application_id = " + std::to_string(application_id));
      connection.execute("PRAGMA user_version = " + std::to_string(step + 1));
      connection.execute("COMMIT");
    } catch (...) {
      connection.execute("ROLLBACK");
      throw;
    }
  }
}

}  // namespace otaria::server::sqlite
