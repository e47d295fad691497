#pragma once

#include <cstdint>
#include <string>

#include "contract/digest.hpp"
#include "operator/cli/http.hpp"

namespace otaria::cli {

struct FetchedImage {
  contract::Digest digest;  ///< SHA-256 of the whole body
  std::uint64_t size = 0;   ///< bytes
};

/// Reads the image behind `url` once and hashes it on the way; nothing is stored. Throws Failure:
/// exit_refused `download_failed` (no or another answer than 200), `not_an_image` (the first byte
/// is not 0xE9), `too_large` (above 16 MiB, more than any ESP32-S3 flash slot that the system
/// serves).
/// `ca_file` as of Http.
FetchedImage fetch_and_hash(const std::string& url,
                            const std::string& ca_file,
                            const TransferProgress& progress);

/// The length that a HEAD request is told, 0 when it tells none or fails.
std::uint64_t announced_size(const std::string& url, const std::string& ca_file);

}  // namespace otaria::cli
