#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contract/digest.hpp"
#include "contract/openssl/crypto.hpp"
#include "server/registry/refusal.hpp"

/// What devices sign about themselves: compact JWS of one line, ES256 only. Nothing in them is
/// believed before is_signed_by() has said yes.
/// Source  reference trust, sections 12.2, 12.3 and 12.5; docs/guide/identity.md.
namespace otaria::server {

/// Who signed, and what.
struct RequestSignature {
  std::string kid;          ///< names a key, proves nothing
  contract::Digest digest;  ///< of the signing input
  std::vector<std::uint8_t> bytes;
};

/// Whether the key made the signature and `kid` is its id.
bool is_signed_by(const RequestSignature& signature, const crypto::PublicKey& key);

/// `otaria-enrol+jws`: a new key asks to speak for a MAC.
struct EnrolmentRequest {
  std::string mac, pub, nonce;
  std::string claim;      ///< empty: none
  std::string id;         ///< empty: whatever the server gives
  crypto::PublicKey key;  ///< `pub`, checked to be on the curve
};
/// Verified: `key` signed it. Code bad_request.
Outcome<EnrolmentRequest> read_enrolment(std::string_view jws);

/// `otaria-assertion+jwt`: a device asks for a token.
struct Assertion {
  std::string mac;  ///< `iss` and `sub`
  std::string aud, nonce;
  std::string id, fw;     ///< what the device believes; empty: not said
  std::string new_pub;    ///< a key to take over from the one that signed; empty: none
  std::string new_proof;  ///< made by it: read_new_key_proof()
  RequestSignature signature;
};
/// Not verified: the key must be looked up by `mac` first. Code bad_request.
Outcome<Assertion> read_assertion(std::string_view jws);

/// The key that an assertion announces, when its proof is a compact JWS, `typ` `otaria-rekey+jws`,
/// signed by that key over the assertion's own `mac` and `nonce`. Code bad_request.
Outcome<crypto::PublicKey> read_new_key(const Assertion& assertion);

/// A device's public key from base64url of X || Y. Nothing when it is not 64 bytes or the point is
/// not on P-256.
std::optional<crypto::PublicKey> device_key_from(std::string_view base64url);

}  // namespace otaria::server
