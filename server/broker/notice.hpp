#pragma once

#include <string>

#include "server/registry/deployment.hpp"
#include "server/registry/refusal.hpp"

namespace otaria::server {

/// `<public_url>/firmware/<sha256>.bin`.
std::string image_url(const std::string& public_url, const std::string& sha256);

/// `<public_url>/manifests/<id>.jws`.
std::string manifest_url(const std::string& public_url, const std::string& id);

std::string notice_topic(const std::string& device);

/// The payload that offers the deployment to its device.
/// Code  notice_too_long: the URL or the whole PUBLISH packet is more than a device takes.
Outcome<std::string> notice_payload(const Deployment& deployment, const std::string& public_url);

}  // namespace otaria::server
