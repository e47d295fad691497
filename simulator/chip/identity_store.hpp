#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "device/agent/identity.hpp"
#include "device/ports/flash.hpp"
#include "device/slot/layout.hpp"

namespace otaria::simulator {

/// What a virtual device was provisioned with, as it lies in its nvs partition: not ESP-IDF's NVS
/// format but a small one of our own (docs/spec/virtual-device.md).
struct Provisioned {
  device::Identity identity;
  std::string ca_pem{};    ///< trust anchors for https and mqtts; may be empty
  std::string key_list{};  ///< signed file: whose releases are installed at first; may be empty
  std::string claim{};     ///< one-time secret for enrolment; may be empty; never printed
  std::string server{};    ///< origin that gives tokens for the broker; may be empty
  /// The device's own private key, 32 bytes; empty: it has none. Never printed.
  std::string device_key{};
  std::string client_certificate{};  ///< PEM, shown to servers that ask for it; may be empty
  std::string client_key{};          ///< its key, PEM; never printed
};

/// The bytes as stored, CRC included.
std::vector<std::uint8_t> encode(const Provisioned& provisioned);
/// Nothing when magic, version, length or CRC are wrong, or a member breaks its limits. A mode that
/// is missing or says anything but "development" is production.
std::optional<Provisioned> decode_provisioned(std::span<const std::uint8_t> bytes);

/// Into the (erased) nvs partition. False: too long for it, or the flash failed.
bool store(device::Flash& flash, const device::Region& nvs, const Provisioned& provisioned);
std::optional<Provisioned> load_provisioned(device::Flash& flash, const device::Region& nvs);

}  // namespace otaria::simulator
