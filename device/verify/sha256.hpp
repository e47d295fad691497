#pragma once

#include <psa/crypto.h>

#include <cstdint>
#include <span>

#include "contract/digest.hpp"
#include "device/result/result.hpp"

namespace otaria::device {

/// Makes the PSA Crypto API usable; called once by whoever starts the program, before any Sha256
/// exists. Errors  digest_mismatch, `found` = the PSA status: nothing can be verified.
Status init_crypto();

/// SHA-256 over bytes that arrive in pieces, through the PSA Crypto API.
///
/// Memory  the hash state lies inside the object; nothing is allocated.
/// Errors  none to handle: a hash engine that fails has no digest that could safely be compared, so
/// the
///         program stops (on the chip: a reset), as it does without init_crypto().
/// Thread  one thread per object.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::uint8_t> bytes);
  /// The digest of everything since the start or the last reset; afterwards the object starts anew.
  contract::Digest finish();
  /// The digest so far; hashing goes on.
  [[nodiscard]] contract::Digest peek() const;
  void reset();

 private:
  void start();

  psa_hash_operation_t operation_;
};

/// The digest of one piece.
contract::Digest sha256_of(std::span<const std::uint8_t> bytes);

}  // namespace otaria::device
