#pragma once

#include <optional>
#include <string>

#include "server/api/services.hpp"
#include "server/http/message.hpp"
#include "server/registry/refusal.hpp"
#include "server/registry/release.hpp"

/// What both ways of publishing have in common: a development release, named by the query, and a
/// signed one, named by its manifest.
namespace otaria::server {

/// The name is taken by another image.
Refusal release_exists(const Release& other);

/// Why the caller may not publish for this product; nothing when it may. Code forbidden.
std::optional<Refusal> outside_product(const Request& request, const std::string& product);

/// Puts the uploaded bytes where they are served from; on disk before anything names them.
/// Codes: disk_full, internal.
std::optional<Refusal> keep_image(const Request& request, Services& services);

std::string notes_of(const Request& request);

/// Publishes `image` under what its manifest says. `file` is the whole manifest file.
/// Codes: keylist_required, forbidden, those of judge_manifest_file(), release_exists, manifest_exists,
/// disk_full, internal.
Response publish_signed_release(const Request& request,
                                const std::string& file,
                                const Release& image,
                                Services& services);

}  // namespace otaria::server
