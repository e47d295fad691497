#include "contract/token/checker.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "contract/openssl/crypto.hpp"
#include "contract/slice.hpp"
#include "contract/token/claims_reader.hpp"
#include "contract/trust/base64url.hpp"

namespace otaria::token {
namespace {

using contract::slice;

constexpr std::array<std::string_view, 19> refusal_names{"none",
                                                         "missing",
                                                         "too_long",
                                                         "not_a_token",
                                                         "bad_header",
                                                         "wrong_algorithm",
                                                         "unknown_key",
                                                         "bad_signature",
                                                         "bad_payload",
                                                         "missing_claim",
                                                         "wrong_issuer",
                                                         "wrong_audience",
                                                         "wrong_username",
                                                         "wrong_client_id",
                                                         "expired",
                                                         "not_yet_valid",
                                                         "lives_too_long",
                                                         "denied",
                                                         "bad_acl"};
static_assert(refusal_names[static_cast<std::size_t>(Refusal::bad_acl)] == "bad_acl");

constexpr std::size_t scalar_bytes = 32;
// Order of P-256's group (SEC 2, section 2.4.2), big-endian.
constexpr std::array<std::uint8_t, scalar_bytes> group_order{
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

// 1 … n - 1: libraries have forgotten to ask (CVE-2022-21449 accepted r = s = 0).
bool is_scalar(std::span<const std::uint8_t> number) {
  const bool is_zero =
      std::all_of(number.begin(), number.end(), [](std::uint8_t byte) { return byte == 0; });
  return !is_zero && std::lexicographical_compare(
                         number.begin(), number.end(), group_order.begin(), group_order.end());
}

/// The three parts, decoded, and what was signed.
struct Parts {
  std::string_view signed_text;
  std::vector<std::uint8_t> header;
  std::vector<std::uint8_t> payload;
  std::vector<std::uint8_t> signature;
};

bool decode(std::string_view text, std::vector<std::uint8_t>& into) {
  into.resize(text.size());
  const auto bytes = contract::base64url_decode(text, into);
  into.resize(bytes.value_or(0));
  return bytes.has_value();
}

Refusal take_apart(std::string_view token, Parts& parts) {
  if (token.empty()) return Refusal::missing;
  if (token.size() > longest_token) return Refusal::too_long;
  if (std::count(token.begin(), token.end(), '.') != 2) return Refusal::not_a_token;
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  parts.signed_text = slice(token, 0, second);
  const bool decoded = decode(slice(token, 0, first), parts.header) &&
                       decode(slice(token, first + 1, second - first - 1), parts.payload) &&
                       decode(slice(token, second + 1), parts.signature);
  return decoded ? Refusal::none : Refusal::not_a_token;
}

bool is_signed(const Parts& parts, std::span<const std::uint8_t> public_key) {
  if (parts.signature.size() != contract::es256_signature_bytes) return false;
  const std::span signature{parts.signature};
  if (!is_scalar(signature.first(scalar_bytes)) || !is_scalar(signature.last(scalar_bytes))) {
    return false;
  }
  crypto::OpenSslVerifier verifier;
  return verifier.verify(
      contract::Algorithm::es256, public_key, crypto::sha256(parts.signed_text), parts.signature);
}

bool is_complete(const Payload& payload, AclClaim acl) {
  const Claims& claims = payload.claims;
  return payload.issuer && payload.has_audience && !claims.subject.empty() &&
         !claims.username.empty() && !claims.client_id.empty() && payload.issued &&
         payload.expires && (payload.has_acl || acl == AclClaim::optional);
}

Refusal judge_names(const Claims& claims, const Bearer& bearer) {
  if (claims.username != claims.subject) return Refusal::wrong_username;
  if (bearer.username && *bearer.username != claims.username) return Refusal::wrong_username;
  if (bearer.client_id && *bearer.client_id != claims.client_id) return Refusal::wrong_client_id;
  return Refusal::none;
}

Refusal judge_times(const Payload& payload, std::int64_t now_s) {
  const std::int64_t issued = *payload.issued;
  const std::int64_t expires = *payload.expires;
  if (now_s >= expires + clock_leeway_s) return Refusal::expired;
  if (issued > now_s + clock_leeway_s) return Refusal::not_yet_valid;
  if (expires - issued > longest_life_s) return Refusal::lives_too_long;
  if (payload.not_before.value_or(0) > now_s + clock_leeway_s) return Refusal::not_yet_valid;
  return Refusal::none;
}

}  // namespace

std::string_view name_of(Refusal refusal) {
  return refusal_names[static_cast<std::size_t>(refusal)];
}

TokenChecker::TokenChecker(std::string issuer, std::string audience)
    : issuer_{std::move(issuer)}, audience_{std::move(audience)} {}

Verdict TokenChecker::check(std::string_view token,
                            const Bearer& bearer,
                            const KeySet& keys,
                            const Denylist& denied,
                            std::int64_t now_s,
                            AclClaim acl) const {
  const auto refused = [](Refusal why) { return Verdict{why, {}}; };
  Parts parts;
  if (const Refusal why = take_apart(token, parts); why != Refusal::none) return refused(why);
  std::string key_id;
  if (const Refusal why = read_header(parts.header, key_id); why != Refusal::none) {
    return refused(why);
  }
  const auto key = keys.find(key_id);
  if (!key) return refused(Refusal::unknown_key);
  if (!is_signed(parts, *key)) return refused(Refusal::bad_signature);

  Payload payload;
  if (const Refusal why = read_payload(parts.payload, audience_, payload); why != Refusal::none) {
    return refused(why);
  }
  if (!is_complete(payload, acl)) return refused(Refusal::missing_claim);
  if (*payload.issuer != issuer_) return refused(Refusal::wrong_issuer);
  if (!payload.audience_fits) return refused(Refusal::wrong_audience);
  Claims& claims = payload.claims;
  if (const Refusal why = judge_names(claims, bearer); why != Refusal::none) return refused(why);
  if (const Refusal why = judge_times(payload, now_s); why != Refusal::none) return refused(why);
  if (denied.denies(claims.subject, claims.token_id, now_s)) return refused(Refusal::denied);
  if (!payload.acl_is_good) return refused(Refusal::bad_acl);
  claims.issued = *payload.issued;
  claims.expires = *payload.expires;
  claims.key_id = std::move(key_id);
  return {Refusal::none, std::move(claims)};
}

}  // namespace otaria::token
