#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "contract/trust/primitives.hpp"
#include "contract/trust/signed_file.hpp"

/// The primitives of trust on hosts, by OpenSSL 3: for the server, the operator's tools and the
/// Mosquitto plugin.
/// Source  RFC 7518, sections 3.4 and 3.5; EVP(7).
namespace otaria::crypto {

using contract::Algorithm;

/// A key or a signature that could not be made; the text says what to do.
class CryptoError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// SHA-256. Throws CryptoError only when OpenSSL has none.
class Sha256Hasher final : public contract::Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;
  using contract::Hasher::update;
  void update(std::span<const std::uint8_t> bytes) override;
  contract::Digest finish() override;

 private:
  void* context_;  ///< EVP_MD_CTX
};

contract::Digest sha256(std::string_view text);

/// ES256 and PS256. Thread  any; it has no state.
class OpenSslVerifier final : public contract::SignatureVerifier {
 public:
  [[nodiscard]] bool supports(Algorithm algorithm) const override;
  bool verify(Algorithm algorithm,
              std::span<const std::uint8_t> public_key,
              const contract::Digest& digest,
              std::span<const std::uint8_t> signature) override;
};

/// A public key as key lists, the registry and JWKS have it.
struct PublicKey {
  Algorithm algorithm = Algorithm::es256;
  std::vector<std::uint8_t> bytes;  ///< ES256: X || Y; PS256: PKCS#1 DER
  [[nodiscard]] std::string key_id() const;
  [[nodiscard]] std::string base64url() const;
  /// SubjectPublicKeyInfo as PEM.
  [[nodiscard]] std::string pem() const;
};

/// From a PEM text: `PUBLIC KEY`, or a certificate's. Nothing for another curve, an RSA key that
/// has no 3,072 bits, or what is no key.
std::optional<PublicKey> public_key_from_pem(std::string_view pem);
/// Checks that the point is on the curve, or the DER an RSA key of 3,072 bits.
bool is_valid(const PublicKey& key);

/// Makes signatures; a key in a file, in an HSM, or behind a program.
class Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual const PublicKey& public_key() const = 0;
  /// Signature over a SHA-256 digest: r || s, or PSS. Throws CryptoError.
  virtual std::vector<std::uint8_t> sign(const contract::Digest& digest) = 0;
};

/// A private key in this process' memory.
class PrivateKey final : public Signer {
 public:
  static PrivateKey generate(Algorithm algorithm);
  /// PEM, PKCS#8, encrypted or not. Throws CryptoError: wrong passphrase, unsuitable key, no key.
  static PrivateKey from_pem(std::string_view pem, std::string_view passphrase = {});
  /// Reads a file that nobody but its owner may read (else CryptoError with a hint).
  static PrivateKey from_file(const std::filesystem::path& path, std::string_view passphrase = {});
  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  ~PrivateKey() override;

  [[nodiscard]] const PublicKey& public_key() const override { return public_; }
  std::vector<std::uint8_t> sign(const contract::Digest& digest) override;
  /// PKCS#8; with a passphrase encrypted: PBES2, scrypt (N 2^14, r 8, p 1), AES-256-CBC.
  [[nodiscard]] std::string pem(std::string_view passphrase = {}) const;

 private:
  explicit PrivateKey(void* key);
  void* key_;  ///< EVP_PKEY
  PublicKey public_;
};

/// A file of its owner's alone: mode 0600, written beside its place, synced, then renamed.
/// Throws CryptoError.
void write_secret_file(const std::filesystem::path& path, std::string_view content);

std::vector<std::uint8_t> random_bytes(std::size_t count);
std::string base64url(std::span<const std::uint8_t> bytes);
std::string base64url(std::string_view text);
/// Nothing for malformed text.
std::optional<std::string> from_base64url(std::string_view text);

/// One line of a signed file: header (alg, kid, typ in the order of RFC 8785), payload, signature.
/// The signature is verified before it is returned. Throws CryptoError.
std::string compact_jws(std::string_view type, std::string_view payload, Signer& signer);
/// A further line over the same payload, detached: `header..signature`.
std::string detached_jws(std::string_view type, std::string_view payload, Signer& signer);

}  // namespace otaria::crypto
