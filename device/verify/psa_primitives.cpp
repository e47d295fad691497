#include "device/verify/psa_primitives.hpp"

#include <psa/crypto.h>

#include <algorithm>
#include <array>

namespace otaria::device {
namespace {

using contract::Algorithm;

#ifdef OTARIA_DEVICE_PS256
constexpr bool has_ps256 = true;
#else
constexpr bool has_ps256 = false;
#endif

constexpr std::size_t rsa_bits = 3072;

/// A key within PSA, for as long as this object lives.
class ImportedKey {
 public:
  ImportedKey(psa_key_type_t type,
              std::size_t bits,
              psa_algorithm_t algorithm,
              std::span<const std::uint8_t> bytes) {
    psa_key_attributes_t attributes = psa_key_attributes_init();
    psa_set_key_type(&attributes, type);
    psa_set_key_bits(&attributes, bits);  // import refuses a key of another size
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, algorithm);
    imported_ = psa_import_key(&attributes, bytes.data(), bytes.size(), &id_) == PSA_SUCCESS;
  }
  ~ImportedKey() {
    if (imported_) psa_destroy_key(id_);
  }
  ImportedKey(const ImportedKey&) = delete;
  ImportedKey& operator=(const ImportedKey&) = delete;
  [[nodiscard]] bool verifies(psa_algorithm_t algorithm,
                              const contract::Digest& digest,
                              std::span<const std::uint8_t> signature) const {
    return imported_ && psa_verify_hash(id_,
                                        algorithm,
                                        digest.bytes.data(),
                                        digest.bytes.size(),
                                        signature.data(),
                                        signature.size()) == PSA_SUCCESS;
  }

 private:
  psa_key_id_t id_ = PSA_KEY_ID_NULL;
  bool imported_ = false;
};

bool verify_es256(std::span<const std::uint8_t> public_key,
                  const contract::Digest& digest,
                  std::span<const std::uint8_t> signature) {
  if (public_key.size() != contract::es256_public_key_bytes ||
      signature.size() != contract::es256_signature_bytes) {
    return false;
  }
  std::array<std::uint8_t, 1 + contract::es256_public_key_bytes> point{0x04};  // uncompressed
  std::ranges::copy(public_key, point.begin() + 1);
  const psa_algorithm_t algorithm = PSA_ALG_ECDSA(PSA_ALG_SHA_256);
  const ImportedKey key{PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1), 256, algorithm, point};
  return key.verifies(algorithm, digest, signature);
}

[[maybe_unused]] bool verify_ps256(std::span<const std::uint8_t> public_key,
                                   const contract::Digest& digest,
                                   std::span<const std::uint8_t> signature) {
  if (public_key.empty() || signature.size() != rsa_bits / 8) return false;
  const psa_algorithm_t algorithm = PSA_ALG_RSA_PSS(PSA_ALG_SHA_256);
  const ImportedKey key{PSA_KEY_TYPE_RSA_PUBLIC_KEY, rsa_bits, algorithm, public_key};
  return key.verifies(algorithm, digest, signature);
}

}  // namespace

bool PsaVerifier::supports(Algorithm algorithm) const {
  return algorithm == Algorithm::es256 || has_ps256;
}

bool PsaVerifier::verify(Algorithm algorithm,
                         std::span<const std::uint8_t> public_key,
                         const contract::Digest& digest,
                         std::span<const std::uint8_t> signature) {
  if (algorithm == Algorithm::es256) return verify_es256(public_key, digest, signature);
  if constexpr (has_ps256) return verify_ps256(public_key, digest, signature);
  return false;
}

}  // namespace otaria::device
