#include "device/identity/psa_device_key.hpp"

#include <psa/crypto.h>

#include <algorithm>

namespace otaria::device {
namespace {

constexpr std::size_t p256_bits = 256;

psa_key_attributes_t attributes_of_a_device_key(psa_key_usage_t usage) {
  psa_key_attributes_t attributes = psa_key_attributes_init();
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, p256_bits);
  psa_set_key_usage_flags(&attributes, usage);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  return attributes;
}

/// A key within PSA, destroyed at the end.
class Imported {
 public:
  explicit Imported(const PsaDeviceKey::Scalar& scalar) {
    const psa_key_attributes_t attributes = attributes_of_a_device_key(PSA_KEY_USAGE_SIGN_HASH);
    usable_ = psa_import_key(&attributes, scalar.data(), scalar.size(), &key_) == PSA_SUCCESS;
  }
  ~Imported() {
    if (usable_) psa_destroy_key(key_);
  }
  Imported(const Imported&) = delete;
  Imported& operator=(const Imported&) = delete;
  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] psa_key_id_t id() const { return key_; }

 private:
  psa_key_id_t key_ = PSA_KEY_ID_NULL;
  bool usable_ = false;
};

}  // namespace

std::optional<PsaDeviceKey::Scalar> PsaDeviceKey::generate() {
  const psa_key_attributes_t attributes =
      attributes_of_a_device_key(PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_EXPORT);
  psa_key_id_t key = PSA_KEY_ID_NULL;
  if (psa_generate_key(&attributes, &key) != PSA_SUCCESS) return std::nullopt;
  Scalar scalar{};
  std::size_t length = 0;
  const psa_status_t status = psa_export_key(key, scalar.data(), scalar.size(), &length);
  psa_destroy_key(key);
  if (status != PSA_SUCCESS || length != scalar.size()) return std::nullopt;
  return scalar;
}

PsaDeviceKey::PsaDeviceKey(std::span<const std::uint8_t> scalar) {
  if (scalar.size() != scalar_bytes) return;
  std::copy(scalar.begin(), scalar.end(), scalar_.begin());
  const Imported key{scalar_};
  std::array<std::uint8_t, 1 + public_bytes> point{};
  std::size_t length = 0;
  present_ = key.usable() &&
             psa_export_public_key(key.id(), point.data(), point.size(), &length) == PSA_SUCCESS &&
             length == point.size();
  std::copy_n(point.begin() + 1, public_.size(), public_.begin());
}

// A volatile pointer keeps the compiler from leaving the erasure out.
PsaDeviceKey::~PsaDeviceKey() {
  volatile std::uint8_t* at = scalar_.data();
  for (std::size_t i = 0; i < scalar_.size(); ++i) at[i] = 0;
}

bool PsaDeviceKey::public_key(std::span<std::uint8_t, public_bytes> into) {
  std::copy(public_.begin(), public_.end(), into.begin());
  return present_;
}

bool PsaDeviceKey::sign(const contract::Digest& digest,
                        std::span<std::uint8_t, signature_bytes> into) {
  if (!present_) return false;
  const Imported key{scalar_};
  std::size_t length = 0;
  return key.usable() &&
         psa_sign_hash(key.id(),
                       PSA_ALG_ECDSA(PSA_ALG_SHA_256),
                       digest.bytes.data(),
                       digest.bytes.size(),
                       into.data(),
                       into.size(),
                       &length) == PSA_SUCCESS &&
         length == into.size();
}

}  // namespace otaria::device
