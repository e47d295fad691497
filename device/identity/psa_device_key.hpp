#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "device/ports/device_key.hpp"

namespace otaria::device {

/// A device key held as its private scalar and used through the PSA Crypto API. A board with a
/// secure element has a DeviceKey of its own.
///
/// Memory  64 + 32 bytes; PSA takes heap for each signature and gives it back.
/// Source  PSA Crypto API 1.1, sections 9.4 and 10.7; reference trust, section 12.1.
class PsaDeviceKey final : public DeviceKey {
 public:
  static constexpr std::size_t scalar_bytes = 32;
  using Scalar = std::array<std::uint8_t, scalar_bytes>;

  /// A fresh key; nothing when the random generator or the engine fails. init_crypto() comes
  /// before, and on the chip a source of true randomness (Wi-Fi on, or bootloader_random_enable).
  static std::optional<Scalar> generate();

  /// Without a scalar, or with one that is none: there is no key.
  explicit PsaDeviceKey(std::span<const std::uint8_t> scalar);
  ~PsaDeviceKey();
  PsaDeviceKey(const PsaDeviceKey&) = delete;
  PsaDeviceKey& operator=(const PsaDeviceKey&) = delete;

  bool public_key(std::span<std::uint8_t, public_bytes> into) override;
  bool sign(const contract::Digest& digest, std::span<std::uint8_t, signature_bytes> into) override;

 private:
  Scalar scalar_{};
  std::array<std::uint8_t, public_bytes> public_{};
  bool present_ = false;
};

}  // namespace otaria::device
