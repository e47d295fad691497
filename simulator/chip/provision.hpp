#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "simulator/chip/identity_store.hpp"
#include "simulator/chip/virtual_flash.hpp"

namespace otaria::simulator {

/// Why a device cannot be made as asked; the text says what to do.
class ProvisioningError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the operator names; empty: chosen here.
struct IdentityWish {
  std::string id{};  ///< default: `sensor_` and the last four hex digits of the MAC, upper case
  std::string
      mac{};  ///< default: random, locally administered, ending in the hex digits the id ends in
  std::string product{};      ///< default: sensor
  std::string hardware{};     ///< default: esp32s3-<n>mb, by the size of the flash
  std::string channel{};      ///< default: stable
  std::string app_version{};  ///< what the factory image counts as; default: its descriptor's
                              ///< version if a semver
  bool development = false;
  bool plain_http = false;
};

/// Completes and checks a wish. Throws ProvisioningError naming the member that breaks the
/// contract's limits.
device::Identity make_identity(const IdentityWish& wish,
                               std::uint32_t flash_bytes,
                               std::uint64_t seed);

/// Fills an erased flash: partition table, blank otadata (ESP-IDF's bootloader then starts ota_0
/// and writes the first record), the factory image in ota_0, the identity in nvs. The bootloader's
/// area 0x0000-0x7FFF stays erased: the virtual chip has its own. The image must be whole, for the
/// ESP32-S3 and fit the slot; the key list, if there is one, must be good by itself. It is kept in
/// nvs beside the identity; the agent takes it at its first start. Throws ProvisioningError. Needs
/// device::init_crypto().
void provision(VirtualFlash& flash,
               std::span<const std::uint8_t> factory_image,
               const Provisioned& provisioned);

}  // namespace otaria::simulator
