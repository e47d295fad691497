#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/download/token_gate.hpp"
#include "server/download/url_signer.hpp"
#include "server/registry/refusal.hpp"

namespace otaria::server {

/// Who may fetch what lies under /firmware/. Manifests and key lists are open always: they prove
/// themselves, and key lists heal devices whose pins have failed.
enum class DownloadAccess : std::uint8_t { open, signed_url, token };

struct DownloadSettings {
  DownloadAccess access = DownloadAccess::open;
  std::int64_t url_life_s = 86'400;
  bool cdn_checks = false;  ///< a cache in front checks signatures, and may keep answers
  std::filesystem::path secret_file = {};  ///< of signed URLs
  /// The file is set by the operator, for several servers: it is read, never made or changed.
  bool shared_secret = false;
  std::filesystem::path key_set = {};  ///< of access tokens
  std::filesystem::path denylist = {};
};

struct ImageUrl {
  std::string text;
  std::optional<std::int64_t> until;  ///< Unix seconds; absent: it never ends
};

/// What of a request decides whether it may have an image.
struct DownloadClaim {
  std::string_view path;                ///< decoded
  std::string_view end, signature;      ///< parameters e and s
  std::string_view authorization = {};  ///< header
};

/// Makes the URLs of images and manifests, and judges the requests for images.
/// Threads  any.
class Downloads {
 public:
  /// Errors  std::runtime_error: see load_url_secrets(). `public_url` has no slash at its end.
  Downloads(DownloadSettings settings, std::string public_url, std::int64_t now);

  [[nodiscard]] ImageUrl image(const std::string& sha256, std::int64_t now) const;
  [[nodiscard]] std::string manifest(const std::string& id) const;
  /// Whether `url` is that of an image here, signed or not.
  [[nodiscard]] bool is_ours(std::string_view url, const std::string& sha256) const;
  /// How long before its end a URL is replaced, in seconds; 0: URLs do not end.
  [[nodiscard]] std::int64_t renewal_s() const;

  /// Code nothing: it may be sent. Else url_unsigned, url_refused, url_expired (403),
  /// token_required or token_invalid (401).
  [[nodiscard]] std::optional<Refusal> refusal_of(const DownloadClaim& claim,
                                                  std::int64_t now) const;
  /// The same without ever blocking, from the request line as it came; false also means: ask
  /// refusal_of().
  [[nodiscard]] bool admits_at_once(std::string_view path,
                                    std::string_view raw_query,
                                    std::int64_t now) const;
  /// Value of Cache-Control for images.
  [[nodiscard]] std::string cache_control() const;
  /// Tells secrets apart without telling anything of them: 8 hex digits of the one that signs;
  /// empty unless URLs are signed.
  [[nodiscard]] std::string secret_id() const;
  [[nodiscard]] bool shares_secret() const { return settings_.shared_secret; }
  /// Lets the next secret sign when it is time; call every hour or so.
  void rotate(std::int64_t now);

 private:
  [[nodiscard]] std::shared_ptr<const UrlSigner> signer() const;
  [[nodiscard]] std::optional<Refusal> judge_url(const DownloadClaim& claim,
                                                 std::int64_t now) const;
  [[nodiscard]] std::optional<Refusal> judge_token(const DownloadClaim& claim,
                                                   std::int64_t now) const;

  const DownloadSettings settings_;
  const std::string public_url_;
  mutable std::mutex mutex_;  ///< of signer_
  std::shared_ptr<const UrlSigner> signer_;
  std::string secret_id_;  ///< of signer_
  std::unique_ptr<TokenGate> tokens_;
};

}  // namespace otaria::server
