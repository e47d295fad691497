#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Signed URLs of images: `/firmware/<name>?e=<Unix seconds>&s=<22 characters base64url>`, where s
/// is the first 16 bytes of HMAC-SHA-256(secret, everything before `&s=`).
/// Source  RFC 2104; docs/spec/rest.md, "Access to images".
namespace otaria::server {

using UrlSecret = std::array<std::uint8_t, 32>;

/// The secret that signs, and the one before it, whose URLs are still good.
struct UrlSecrets {
  UrlSecret current{};
  std::optional<UrlSecret> previous;
};

enum class UrlVerdict : std::uint8_t {
  good,
  unsigned_url,  ///< no `e` and `s` of the right shape
  bad,           ///< signed for another path or end, or by no secret of ours
  expired,       ///< rightly signed, and over
};

/// Signs and checks. Threads  any: it holds no state that changes.
class UrlSigner {
 public:
  /// `life_s`: how long a URL lasts at most; at least half of that when it is made.
  UrlSigner(const UrlSecrets& secrets, std::int64_t life_s) : secrets_{secrets}, life_s_{life_s} {}

  /// When a URL made now ends, in Unix seconds. Equal for all that are made within half a life, so
  /// that a cache that keys on the whole URL still has few of them.
  [[nodiscard]] std::int64_t end_of_url_made_at(std::int64_t now) const {
    const std::int64_t half = life_s_ / 2;
    return (now / half + 2) * half;
  }
  /// Less than this before its end a URL is replaced: a quarter of a life.
  [[nodiscard]] std::int64_t renewal_s() const { return life_s_ / 4; }

  /// `<path>?e=…&s=…`. `path` begins with `/firmware/`.
  [[nodiscard]] std::string sign(std::string_view path, std::int64_t until) const;

  /// Judges a request. `end` and `signature` are the texts of its parameters e and s; compares in
  /// constant time.
  [[nodiscard]] UrlVerdict judge(std::string_view path,
                                 std::string_view end,
                                 std::string_view signature,
                                 std::int64_t now) const;

 private:
  UrlSecrets secrets_;
  std::int64_t life_s_;
};

}  // namespace otaria::server
