#pragma once

#include <cstdint>
#include <span>

#include "contract/digest.hpp"

namespace otaria::device {

/// The device's own P-256 key: made on the device, never leaves it.
/// Thread  the agent's task only; signing may take some tens of milliseconds.
class DeviceKey {
 public:
  static constexpr std::size_t public_bytes = 64;     ///< X || Y
  static constexpr std::size_t signature_bytes = 64;  ///< r || s

  /// False: there is no key.
  virtual bool public_key(std::span<std::uint8_t, public_bytes> into) = 0;
  /// ECDSA over a SHA-256. False: there is no key, or the engine failed.
  virtual bool sign(const contract::Digest& digest,
                    std::span<std::uint8_t, signature_bytes> into) = 0;

 protected:
  ~DeviceKey() = default;
};

}  // namespace otaria::device
