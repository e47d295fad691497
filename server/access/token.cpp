#include "server/access/token.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/base64url.hpp"

namespace otaria::server {
namespace {

constexpr std::string_view prefix = "ota_";
// Without the letters and digits that people confuse: 32 characters, so five bits choose one.
constexpr std::string_view id_alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(id_alphabet.size() == 32);
constexpr std::int64_t seconds_between_use_writes = 60;

bool consists_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace

std::optional<PresentedToken> parse_token(std::string_view text) {
  constexpr std::size_t length = prefix.size() + token_id_characters + 1 + token_secret_characters;
  if (text.size() != length || !text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  const PresentedToken token{text.substr(0, token_id_characters),
                             text.substr(token_id_characters + 1)};
  if (text[token_id_characters] != '_' || !consists_of(token.id, id_alphabet) ||
      !consists_of(token.secret, contract::base64url_alphabet)) {
    return std::nullopt;
  }
  return token;
}

bool matches(const ApiToken& token, std::string_view secret) {
  const contract::Digest given = crypto::sha256(secret);
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

std::string without_secrets(std::string text) {
  constexpr std::size_t head = prefix.size() + token_id_characters + 1;
  for (std::size_t at = text.find(prefix); at != std::string::npos;
       at = text.find(prefix, at + 1)) {
    if (at + head >= text.size() || text[at + head - 1] != '_') continue;
    const std::size_t end =
        std::min(text.find_first_not_of(contract::base64url_alphabet, at + head), text.size());
    text.replace(at + head, end - at - head, "...");
  }
  return text;
}

NewToken make_token(const TokenEntropy& entropy) {
  NewToken made;
  const std::span all{entropy};
  const std::string secret = crypto::base64url(all.first<token_secret_bytes>());
  for (const std::uint8_t byte : all.last<token_id_characters>()) {
    made.kept.id += id_alphabet[byte & 31];
  }
  made.kept.secret_sha256 = crypto::sha256(secret);
  made.text = shown_token(made.kept.id) + "_" + secret;
  return made;
}

TokenEntropy random_token_entropy() {
  TokenEntropy entropy;
  const auto bytes = crypto::random_bytes(entropy.size());
  std::copy(bytes.begin(), bytes.end(), entropy.begin());
  return entropy;
}

}  // namespace otaria::server
