#pragma once

#include "server/store/sqlite.hpp"

namespace otaria::server::sqlite {

/// Brings the database to the newest schema, one numbered step per transaction, forward only.
/// Errors  DatabaseError: not a database of ours, corrupt, or made by a newer otariad.
void migrate(Connection& connection);

/// The number of steps this program knows; `PRAGMA user_version` of an up-to-date database.
int newest_schema_version();

}  // namespace otaria::server::sqlite
