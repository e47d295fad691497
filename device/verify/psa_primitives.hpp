#pragma once

#include <cstdint>
#include <span>

#include "contract/trust/primitives.hpp"
#include "device/verify/sha256.hpp"

/// The primitives of contract/trust by the PSA Crypto API. init_crypto() comes before.
namespace otaria::device {

/// SHA-256. Memory  the state lies inside the object. Thread  one thread per object.
class PsaHasher final : public contract::Hasher {
 public:
  using contract::Hasher::update;
  void update(std::span<const std::uint8_t> bytes) override { hash_.update(bytes); }
  contract::Digest finish() override { return hash_.finish(); }

 private:
  Sha256 hash_;
};

/// ES256, and PS256 where OTARIA_DEVICE_PS256 is set at configuration.
///
/// Memory  none of its own. PSA takes heap for a key and for the arithmetic: at most 8 KiB for ES256,
///         none is left when verify() returns; figures: docs/footprint.md.
/// Errors  verify() is false for whatever PSA objects to, also when it has no memory: what could not be
///         proven is not genuine.
/// Thread  any; it has no state.
/// Source  PSA Crypto API 1.1, 10.7 and 9.6.3; reference trust, sections 4 and 5.2.
class PsaVerifier final : public contract::SignatureVerifier {
 public:
  [[nodiscard]] bool supports(contract::Algorithm algorithm) const override;
  bool verify(contract::Algorithm algorithm,
              std::span<const std::uint8_t> public_key,
              const contract::Digest& digest,
              std::span<const std::uint8_t> signature) override;
};

}  // namespace otaria::device
