#pragma once

#include "server/http/message.hpp"
#include "server/registry/refusal.hpp"
#include "server/registry/release.hpp"

namespace otaria::server {

/// Checks an uploaded image as a device would, and reads what it says of itself: chip, size,
/// sha256, build, project, descriptor_version and idf_version of the release it may become. Codes:
/// not_an_image, digest_mismatch, wrong_chip, image_too_large, bad_request (no body).
Outcome<Release> inspect_upload(const Request& request);

}  // namespace otaria::server
