#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/registry/preflight.hpp"
#include "server/registry/refusal.hpp"
#include "server/registry/signed_files.hpp"

/// Release manifests on the server: what no known key signed does not get in, and what a device
/// would refuse is not offered.
/// Source  reference trust, sections 5, 8 and 10.
namespace otaria::server {

/// What a manifest is judged by.
struct TrustBasis {
  StoredKeyList keys;  ///< the newest list
  /// The highest security counter published of a product in the list's epoch.
  std::function<std::optional<std::uint32_t>(const std::string& product)> highest_counter;
};

/// Judges the manifest file that was uploaded with an image, as a device would, and gives what the
/// two say together: product, version, hardware, channel and manifest of `image` are filled in. The
/// id of the manifest becomes the release's. Codes, in the order of the checks: too_large,
/// bad_signature, unknown_key, revoked_key, bad_notice (a payload that devices cannot read),
/// manifest_mismatch, keylist_required, security_counter, manifest_expired.
///
/// now  Unix seconds
Outcome<StoredManifest> judge_manifest_file(const std::string& file,
                                            const TrustBasis& basis,
                                            std::int64_t now,
                                            Release& image);

/// Judges a stored manifest again, before it is offered: keys are revoked and dates pass. Codes:
/// unknown_key, revoked_key, bad_signature, manifest_expired.
std::optional<Refusal> judge_again(const StoredManifest& manifest,
                                   const StoredKeyList& keys,
                                   std::int64_t now);

/// The lowest security counter that the list admits for the product.
std::uint32_t floor_of(const StoredKeyList& keys, const std::string& product);

}  // namespace otaria::server
