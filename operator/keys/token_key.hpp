#pragma once

#include <memory>

#include "contract/openssl/crypto.hpp"
#include "operator/keys/key_reference.hpp"
#include "operator/keys/secret.hpp"

namespace otaria::keys {

class TokenSession;

/// A private key that stays in a PKCS#11 token.
///
/// Signing  ES256: CKM_ECDSA over the digest, whose answer is r || s already; PS256:
///          CKM_RSA_PKCS_PSS with SHA-256, MGF1 and a salt of 32 bytes.
/// Public   read from the token; what a signature must verify with before anybody sees it.
/// Thread   one at a time.
/// Source   RFC 7512; reference trust, section 16. Run against SoftHSM 2.6.1.
class TokenKey final : public crypto::Signer {
 public:
  /// Opens an existing key. Throws KeyError: as find_token() and TokenSession::login(), and
  /// `key_not_found`, `ambiguous_key`, `unsuitable_key` (another curve or size), `no_public_key`.
  static std::unique_ptr<TokenKey> open(const TokenReference& reference,
                                        const SecretSources& secrets);
  /// Makes a key pair in the token: sensitive, never extractable, for signing only. Throws KeyError
  /// also for a label that is there already (`key_exists`) or missing.
  static std::unique_ptr<TokenKey> create(const TokenReference& reference,
                                          contract::Algorithm algorithm,
                                          const SecretSources& secrets);
  ~TokenKey() override;

  [[nodiscard]] const crypto::PublicKey& public_key() const override { return public_; }
  /// Throws KeyError: `pkcs11_failed`, `bad_signature` (what the token answered does not verify).
  std::vector<std::uint8_t> sign(const contract::Digest& digest) override;

 private:
  TokenKey(std::unique_ptr<TokenSession> session, unsigned long key, crypto::PublicKey half);
  std::unique_ptr<TokenSession> session_;
  unsigned long key_;  ///< CK_OBJECT_HANDLE
  crypto::PublicKey public_;
  bool asks_each_time_ = false;
};

/// The public half of a token's key; asks for the PIN only where the token hides public objects.
crypto::PublicKey public_key_in_token(const TokenReference& reference,
                                      const SecretSources& secrets);

/// X || Y from CKA_EC_POINT: an OCTET STRING around 0x04 || X || Y, or, as some modules have it,
/// the point alone. Empty for anything else.
std::vector<std::uint8_t> point_of(std::span<const std::uint8_t> attribute);
/// PKCS#1 DER of an RSA public key (RFC 8017, appendix A.1.1) from two big-endian numbers. Empty
/// when one of them is.
std::vector<std::uint8_t> pkcs1_of(std::span<const std::uint8_t> modulus,
                                   std::span<const std::uint8_t> exponent);

}  // namespace otaria::keys
