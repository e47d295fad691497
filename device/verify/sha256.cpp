#include "device/verify/sha256.hpp"

namespace otaria::device {
namespace {

void stop_unless(psa_status_t status) {
  if (status != PSA_SUCCESS) __builtin_trap();
}

contract::Digest finish_operation(psa_hash_operation_t& operation) {
  contract::Digest digest;
  std::size_t length = 0;
  stop_unless(psa_hash_finish(&operation, digest.bytes.data(), digest.bytes.size(), &length));
  if (length != digest.bytes.size()) __builtin_trap();
  return digest;
}

}  // namespace

Status init_crypto() {
  const psa_status_t status = psa_crypto_init();
  if (status != PSA_SUCCESS) return Error{Fault::digest_mismatch, status, PSA_SUCCESS};
  return {};
}

Sha256::Sha256() {
  start();
}

Sha256::~Sha256() {
  psa_hash_abort(&operation_);
}

void Sha256::start() {
  operation_ = psa_hash_operation_init();
  stop_unless(psa_hash_setup(&operation_, PSA_ALG_SHA_256));
}

void Sha256::update(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  stop_unless(psa_hash_update(&operation_, bytes.data(), bytes.size()));
}

contract::Digest Sha256::finish() {
  const contract::Digest digest = finish_operation(operation_);
  start();
  return digest;
}

contract::Digest Sha256::peek() const {
  psa_hash_operation_t copy = psa_hash_operation_init();
  stop_unless(psa_hash_clone(&operation_, &copy));
  return finish_operation(copy);
}

void Sha256::reset() {
  psa_hash_abort(&operation_);
  start();
}

contract::Digest sha256_of(std::span<const std::uint8_t> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

}  // namespace otaria::device
