#include "server/identity/nonce.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "contract/openssl/crypto.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t time_bytes = 8;
constexpr std::size_t random_part_bytes = 8;
constexpr std::size_t mac_bytes = 16;  // HMAC-SHA256, truncated (RFC 2104, section 5)
constexpr std::size_t all_bytes = time_bytes + random_part_bytes + mac_bytes;
// A clock that was set back a little between make() and use(), no more.
constexpr std::int64_t clock_slack_s = 5;

std::string random_text(std::size_t bytes) {
  const auto random = crypto::random_bytes(bytes);
  return {random.begin(), random.end()};
}

std::string big_endian(std::int64_t value) {
  std::string bytes(time_bytes, '\0');
  for (std::size_t i = time_bytes; i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value & 0xFF);
  return bytes;
}

std::int64_t time_of(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes.substr(0, time_bytes))
    value = value << 8 | static_cast<std::uint8_t>(c);
  return static_cast<std::int64_t>(value);
}

}  // namespace

Nonces::Nonces(std::size_t most) : key_{random_text(32)}, most_{most} {}

std::string Nonces::mac_of(std::string_view first_bytes) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  const auto* made = HMAC(EVP_sha256(),
                          key_.data(),
                          static_cast<int>(key_.size()),
                          reinterpret_cast<const unsigned char*>(first_bytes.data()),
                          first_bytes.size(),
                          mac.data(),
                          &length);
  if (made == nullptr || length < mac_bytes) throw crypto::CryptoError{"OpenSSL makes no HMAC"};
  return {reinterpret_cast<const char*>(mac.data()), mac_bytes};
}

std::string Nonces::make(std::int64_t now) {
  const std::string first = big_endian(now) + random_text(random_part_bytes);
  return crypto::base64url(first + mac_of(first));
}

bool Nonces::is_fresh(std::string_view text, std::int64_t now) const {
  if (text.size() != text_characters) return false;
  const auto bytes = crypto::from_base64url(text);
  if (!bytes || bytes->size() != all_bytes) return false;
  const std::string_view first = std::string_view{*bytes}.substr(0, all_bytes - mac_bytes);
  const std::string mac = mac_of(first);
  if (CRYPTO_memcmp(mac.data(), bytes->data() + first.size(), mac_bytes) != 0) return false;
  const std::int64_t made = time_of(first);
  return made <= now + clock_slack_s && now - made < life_s;
}

void Nonces::forget_expired(std::int64_t now) {
  // Those made after `now` stay: a clock that goes back must not make a used one fresh again.
  while (!by_time_.empty() && now - by_time_.begin()->first >= life_s) {
    used_.erase(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
}

bool Nonces::use(std::string_view text, std::int64_t now) {
  if (!is_fresh(text, now)) return false;
  const std::scoped_lock lock{mutex_};
  forget_expired(now);
  if (used_.contains(text) || used_.size() >= most_) return false;
  const std::int64_t made = time_of(*crypto::from_base64url(text));
  used_.emplace(text, made);
  by_time_.emplace(made, text);
  return true;
}

}  // namespace otaria::server
