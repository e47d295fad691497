#include "server/download/downloads.hpp"

#include "server/download/url_secrets.hpp"

namespace otaria::server {
namespace {

std::string image_path(const std::string& sha256) {
  return "/firmware/" + sha256 + ".bin";
}

/// `e` and `s` of exactly `e=…&s=…`: what we write.
bool split_query(std::string_view query, DownloadClaim& claim) {
  if (!query.starts_with("e=")) return false;
  const std::size_t second = query.find("&s=");
  if (second == std::string_view::npos) return false;
  claim.end = query.substr(2, second - 2);
  claim.signature = query.substr(second + 3);
  return true;
}

}  // namespace

Downloads::Downloads(DownloadSettings settings, std::string public_url, std::int64_t now)
    : settings_{std::move(settings)}, public_url_{std::move(public_url)} {
  rotate(now);
  if (settings_.access == DownloadAccess::token) {
    tokens_ = std::make_unique<TokenGate>(settings_.key_set, settings_.denylist);
  }
}

void Downloads::rotate(std::int64_t now) {
  if (settings_.access != DownloadAccess::signed_url) return;
  const UrlSecrets secrets = settings_.shared_secret
                                 ? read_shared_url_secrets(settings_.secret_file, now)
                                 : load_url_secrets(settings_.secret_file, now);
  auto signer = std::make_shared<const UrlSigner>(secrets, settings_.url_life_s);
  std::string id = id_of_url_secret(secrets.current);
  const std::scoped_lock lock{mutex_};
  signer_ = std::move(signer);
  secret_id_ = std::move(id);
}

std::string Downloads::secret_id() const {
  const std::scoped_lock lock{mutex_};
  return secret_id_;
}

std::shared_ptr<const UrlSigner> Downloads::signer() const {
  const std::scoped_lock lock{mutex_};
  return signer_;
}

ImageUrl Downloads::image(const std::string& sha256, std::int64_t now) const {
  const std::string path = image_path(sha256);
  if (settings_.access != DownloadAccess::signed_url) return {public_url_ + path, std::nullopt};
  const auto signs = signer();
  const std::int64_t until = signs->end_of_url_made_at(now);
  return {public_url_ + signs->sign(path, until), until};
}

std::string Downloads::manifest(const std::string& id) const {
  return public_url_ + "/manifests/" + id + ".jws";
}

bool Downloads::is_ours(std::string_view url, const std::string& sha256) const {
  return url.substr(0, url.find('?')) == public_url_ + image_path(sha256);
}

std::int64_t Downloads::renewal_s() const {
  return settings_.access == DownloadAccess::signed_url ? signer()->renewal_s() : 0;
}

std::optional<Refusal> Downloads::judge_url(const DownloadClaim& claim, std::int64_t now) const {
  switch (signer()->judge(claim.path, claim.end, claim.signature, now)) {
    case UrlVerdict::good:
      return std::nullopt;
    case UrlVerdict::unsigned_url:
      return Refusal{"url_unsigned",
                     "images are sent to signed URLs only, and this one has no `e` and `s`",
                     "take the URL from the notice, or from otaria release show"};
    case UrlVerdict::bad:
      return Refusal{"url_refused",
                     "the URL's signature is not ours",
                     "take the URL from the notice, or from otaria release show"};
    case UrlVerdict::expired:
      break;
  }
  return Refusal{"url_expired",
                 "the URL ended at " + std::string{claim.end} + " (Unix seconds)",
                 "a device waits for its renewed notice; others ask otaria release show"};
}

std::optional<Refusal> Downloads::judge_token(const DownloadClaim& claim, std::int64_t now) const {
  switch (tokens_->judge(claim.authorization, now)) {
    case TokenGate::Verdict::good:
      return std::nullopt;
    case TokenGate::Verdict::missing:
      return Refusal{"token_required",
                     "images are sent to devices with an access token only",
                     "send Authorization: Bearer with the token of POST /api/v1/device/token"};
    case TokenGate::Verdict::refused:
      break;
  }
  return Refusal{"token_invalid",
                 "the access token is not valid",
                 "get another one: POST /api/v1/device/token"};
}

std::optional<Refusal> Downloads::refusal_of(const DownloadClaim& claim, std::int64_t now) const {
  if (settings_.access == DownloadAccess::signed_url) return judge_url(claim, now);
  if (settings_.access == DownloadAccess::token) return judge_token(claim, now);
  return std::nullopt;
}

bool Downloads::admits_at_once(std::string_view path,
                               std::string_view raw_query,
                               std::int64_t now) const {
  if (settings_.access == DownloadAccess::open) return true;
  // A token costs the verification of a signature: not on the event loop.
  if (settings_.access == DownloadAccess::token) return false;
  DownloadClaim claim{.path = path, .end = {}, .signature = {}};
  return split_query(raw_query, claim) && !judge_url(claim, now);
}

std::string Downloads::cache_control() const {
  const bool anybody = settings_.access == DownloadAccess::open || settings_.cdn_checks;
  return std::string{anybody ? "public" : "private"} + ", max-age=31536000, immutable";
}

}  // namespace otaria::server
