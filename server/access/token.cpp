#include "server/access/token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace otaria::server {
namespace {

constexpr std::string_view prefix = "ota_";
// Without the letters and digits that people confuse: 32 characters, so five bits choose one.
constexpr std::string_view id_alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(id_alphabet.size() == 32);
constexpr std::string_view secret_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::int64_t seconds_between_use_writes = 60;

bool consists_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

contract::Digest digest_of(std::string_view secret) {
  contract::Digest digest;
  if (EVP_Digest(
          secret.data(), secret.size(), digest.bytes.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error{"OpenSSL offers no SHA-256"};
  }
  return digest;
}

// RFC 4648, section 5, without padding: 32 bytes are 43 characters.
std::string base64url(std::span<const std::uint8_t, token_secret_bytes> bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      text += secret_alphabet[(bits >> held) & 63];
    }
  }
  text += secret_alphabet[(bits << (6 - held)) & 63];
  return text;
}

}  // namespace

std::optional<PresentedToken> parse_token(std::string_view text) {
  constexpr std::size_t length = prefix.size() + token_id_characters + 1 + token_secret_characters;
  if (text.size() != length || !text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  const PresentedToken token{text.substr(0, token_id_characters),
                             text.substr(token_id_characters + 1)};
  if (text[token_id_characters] != '_' || !consists_of(token.id, id_alphabet) ||
      !consists_of(token.secret, secret_alphabet)) {
    return std::nullopt;
  }
  return token;
}

bool matches(const ApiToken& token, std::string_view secret) {
  const contract::Digest given = digest_of(secret);
  return CRYPTO_memcmp(given.bytes.data(), token.secret_sha256.bytes.data(), given.bytes.size()) ==
         0;
}

bool is_valid_at(const ApiToken& token, std::int64_t now) {
  return !token.revoked_at && now < token.expires_at;
}

bool use_is_worth_writing(const ApiToken& token, std::int64_t now) {
  return !token.last_used_at || now - *token.last_used_at >= seconds_between_use_writes;
}

std::string shown_token(std::string_view id) {
  return std::string{prefix} + std::string{id};
}

NewToken make_token(const TokenEntropy& entropy) {
  NewToken made;
  const std::span all{entropy};
  const std::string secret = base64url(all.first<token_secret_bytes>());
  for (const std::uint8_t byte : all.last<token_id_characters>()) {
    made.kept.id += id_alphabet[byte & 31];
  }
  made.kept.secret_sha256 = digest_of(secret);
  made.text = shown_token(made.kept.id) + "_" + secret;
  return made;
}

TokenEntropy random_token_entropy() {
  TokenEntropy entropy;
  if (RAND_priv_bytes(entropy.data(), static_cast<int>(entropy.size())) != 1) {
    throw std::runtime_error{"the random generator of OpenSSL gives no bytes"};
  }
  return entropy;
}

}  // namespace otaria::server
