#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "server/download/url_signer.hpp"

namespace otaria::server {

/// A secret signs for so long, then the next one does: 30 days, beyond any URL's life.
inline constexpr std::int64_t url_secret_life_s = std::int64_t{30} * 86'400;

/// The secrets in `file`, one per line, the newest first: `<base64url> <Unix seconds when made>`.
/// Makes the file (mode 0600, its directory 0700) when it is not there, and a new secret in front
/// when the newest is older than url_secret_life_s. Removing the file and starting anew ends every
/// URL at once; devices wait for renewed ones.
/// Errors  std::runtime_error: unreadable, readable by others, or malformed; the text holds nothing
/// of the secrets.
UrlSecrets load_url_secrets(const std::filesystem::path& file, std::int64_t now);

/// The same of a file that several servers share: never made or changed here. Of its lines, the
/// newest first, the first whose time has come signs, so that all servers change over in the same
/// second; the one behind it stays good.
/// Errors  std::runtime_error: not there, or no line's time has come; else as above.
UrlSecrets read_shared_url_secrets(const std::filesystem::path& file, std::int64_t now);

/// 8 hex digits: equal for equal secrets, and nothing of the secret can be told from them.
std::string id_of_url_secret(const UrlSecret& secret);

}  // namespace otaria::server
