#include "server/download/url_signer.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <stdexcept>

#include "contract/trust/base64url.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t signature_bytes = 16;
constexpr std::size_t signature_characters = contract::base64url_characters(signature_bytes);
static_assert(signature_characters == 22);

using Signature = std::array<std::uint8_t, signature_bytes>;

std::string signed_text(std::string_view path, std::string_view end) {
  return std::string{path} + "?e=" + std::string{end};
}

Signature signature_of(const UrlSecret& secret, const std::string& text) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (HMAC(EVP_sha256(),
           secret.data(),
           static_cast<int>(secret.size()),
           bytes,
           text.size(),
           mac.data(),
           &size) == nullptr ||
      size < signature_bytes) {
    throw std::runtime_error{"OpenSSL has no HMAC-SHA-256"};
  }
  Signature signature;
  std::copy_n(mac.begin(), signature.size(), signature.begin());
  return signature;
}

bool equal(const Signature& one, const Signature& other) {
  return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

/// Unix seconds as we write them: digits without a leading zero.
std::optional<std::int64_t> seconds_of(std::string_view text) {
  constexpr std::size_t most_digits = 10;
  if (text.empty() || text.size() > most_digits || text.front() == '0') return std::nullopt;
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || stop != text.data() + text.size() || seconds < 0) {
    return std::nullopt;
  }
  return seconds;
}

}  // namespace

std::string UrlSigner::sign(std::string_view path, std::int64_t until) const {
  const std::string text = signed_text(path, std::to_string(until));
  std::array<char, signature_characters> characters{};
  contract::base64url_encode(signature_of(secrets_.current, text), characters.data());
  return text + "&s=" + std::string{characters.data(), characters.size()};
}

UrlVerdict UrlSigner::judge(std::string_view path,
                            std::string_view end,
                            std::string_view signature,
                            std::int64_t now) const {
  const auto until = seconds_of(end);
  Signature given{};
  if (!until || signature.size() != signature_characters ||
      contract::base64url_decode(signature, given) != given.size()) {
    return UrlVerdict::unsigned_url;
  }
  const std::string text = signed_text(path, end);
  const bool good = equal(given, signature_of(secrets_.current, text)) ||
                    (secrets_.previous && equal(given, signature_of(*secrets_.previous, text)));
  if (!good) return UrlVerdict::bad;
  return now < *until ? UrlVerdict::good : UrlVerdict::expired;
}

}  // namespace otaria::server
