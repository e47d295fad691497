#pragma once

#include <cstdint>
#include <filesystem>

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

}  // namespace otaria::server
