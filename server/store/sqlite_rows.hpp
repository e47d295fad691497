#pragma once

#include "server/store/sqlite.hpp"
#include "server/store/store.hpp"

/// Rows of the tables as values, and back.
namespace otaria::server::sqlite {

Release release_from(const Statement& row);
Device device_from(const Statement& row);
Deployment deployment_from(const Statement& row);
StatusRecord status_from(const Statement& row);
OutboxRow outbox_from(const Statement& row);

/// Hardware names as one column: sorted by the caller, one per line, so that equal sets are equal
/// texts.
std::string joined_lines(const std::vector<std::string>& words);

}  // namespace otaria::server::sqlite
