#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/download/downloads.hpp"
#include "server/registry/deployment.hpp"
#include "server/registry/refusal.hpp"

namespace otaria::server {

std::string notice_topic(const std::string& device);

/// What offers a deployment to its device.
struct WrittenNotice {
  std::string payload;
  std::optional<std::int64_t> url_until;  ///< Unix seconds; absent: its URL never ends
};

/// The notice as it is published at `now` (Unix seconds).
/// Code  notice_too_long: a URL or the whole PUBLISH packet is more than a device takes.
Outcome<WrittenNotice> write_notice(const Deployment& deployment,
                                    const Downloads& downloads,
                                    std::int64_t now);

}  // namespace otaria::server
