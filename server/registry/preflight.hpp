#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/registry/device.hpp"
#include "server/registry/refusal.hpp"
#include "server/registry/release.hpp"

namespace otaria::server {

/// What is to be sent, as far as it must fit a device. Absent or empty: not known, not judged.
struct Offer {
  std::string product;
  std::vector<std::string> hardware;
  std::string chip;
  std::string version;
  std::optional<std::uint32_t> size;
  std::optional<ReleaseManifest> manifest;  ///< absent: nobody signed the image
};

Offer offer_of(const Release& release);

/// What the newest key list says of an offer's product.
struct TrustFacts {
  std::uint32_t floor = 0;  ///< lowest security counter it admits
  /// First list of its epoch. A device whose list is older forgets its counter when it takes the
  /// newest one.
  std::uint32_t epoch_since = 0;
};

/// Whether the offer fits what the device last said of itself; what it never said is not held
/// against it. A device in development mode installs what nobody signed, and is not held to a
/// manifest's members. Codes: wrong_chip, too_large, wrong_product, wrong_hardware,
/// manifest_required, wrong_channel, step_required, security_counter, and with `only_newer`
/// not_newer.
std::optional<Refusal> preflight(const Offer& offer,
                                 const Device& device,
                                 bool only_newer,
                                 const TrustFacts& trust = {});

/// The build of a version for a device: the one that names its hardware, else the one for any.
/// Codes: unknown_release (no build at all), wrong_hardware (none for this device),
/// ambiguous_release.
///
/// builds  releases of one version, of one or several products
Outcome<Release> build_for(const std::vector<Release>& builds, const Device& device);

}  // namespace otaria::server
