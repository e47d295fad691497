#pragma once

#include "server/store/sqlite.hpp"
#include "server/store/store.hpp"

/// Rows of the tables as values, and back.
namespace otaria::server::sqlite {

Release release_from(const Statement& row);
/// id, channel, min_version, security_counter, keys, issued, expires, signed_by from `column` on.
ReleaseManifest manifest_at(const Statement& row, int column);
Device device_from(const Statement& row);
Deployment deployment_from(const Statement& row);
StatusRecord status_from(const Statement& row);
OutboxRow outbox_from(const Statement& row);

/// Hardware names as one column: sorted by the caller, one per line, so that equal sets are equal
/// texts.
std::string joined_lines(const std::vector<std::string>& words);

}  // namespace otaria::server::sqlite
