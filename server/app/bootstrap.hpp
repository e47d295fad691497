#pragma once

#include <cstdint>
#include <filesystem>

#include "server/store/store.hpp"

namespace otaria::server {

/// Makes sure that somebody can administer this server: while no admin token is valid, a new one is
/// made and written to `file`, mode 0600. So the first start makes the first token, and who lost
/// all of them, but may read the data directory, gets in again by a restart. The log names the
/// file, never the token. `now` in Unix seconds.
/// Errors  DatabaseError; CryptoError when the file cannot be written.
void ensure_admin_token(Store& store, const std::filesystem::path& file, std::int64_t now);

}  // namespace otaria::server
