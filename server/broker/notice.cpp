#include "server/broker/notice.hpp"

#include "contract/host/codec.hpp"

namespace otaria::server {
namespace {

Refusal too_long(const std::string& what, std::size_t bytes, std::size_t limit) {
  return {
      "notice_too_long",
      what + " has " + std::to_string(bytes) + " bytes, a device takes " + std::to_string(limit),
      "set a shorter public_url, or use shorter names"};
}

}  // namespace

std::string notice_topic(const std::string& device) {
  return device + std::string{contract::notice_topic_suffix};
}

Outcome<WrittenNotice> write_notice(const Deployment& deployment,
                                    const Downloads& downloads,
                                    std::int64_t now) {
  const ImageUrl image = deployment.url.empty() ? downloads.image(deployment.sha256, now)
                                                : ImageUrl{deployment.url, std::nullopt};
  const std::string& url = image.text;
  contract::Notice notice;
  if (!notice.url.assign(url)) return too_long("the URL", url.size(), contract::max_url_bytes);
  const std::string manifest = deployment.manifest ? downloads.manifest(*deployment.manifest) : "";
  if (!notice.manifest.assign(manifest)) {
    return too_long("the manifest's URL", manifest.size(), contract::max_url_bytes);
  }
  if (!notice.version.assign(deployment.target)) {
    return too_long("the version", deployment.target.size(), contract::max_version_bytes);
  }
  const auto digest = contract::digest_from_hex(deployment.sha256);
  if (!digest || !notice.update.assign(deployment.id)) {
    return Refusal{"bad_update",
                   "the update has no digest or no usable id",
                   "send it again; if it repeats, report it"};
  }
  notice.digest = *digest;
  notice.size = deployment.size;
  notice.force = deployment.force;
  notice.spread_s = deployment.spread_s;
  notice.not_before = deployment.not_before;
  notice.deadline = deployment.deadline;
  std::string payload = contract::encode_notice(notice);
  const std::size_t packet = contract::notice_packet_bytes(deployment.device, payload);
  if (packet > contract::max_packet_bytes) {
    return too_long("the notice for " + deployment.device, packet, contract::max_packet_bytes);
  }
  return WrittenNotice{std::move(payload), image.until};
}

}  // namespace otaria::server
