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
  bool has_manifest = false;
};

Offer offer_of(const Release& release);

/// Whether the offer fits what the device last said of itself; what it never said is not held
/// against it. Codes: wrong_chip, too_large, wrong_product, wrong_hardware, manifest_required, and
/// with `only_newer` not_newer.
std::optional<Refusal> preflight(const Offer& offer, const Device& device, bool only_newer);

/// The build of a version for a device: the one that names its hardware, else the one for any.
/// Codes: unknown_release (no build at all), wrong_hardware (none for this device),
/// ambiguous_release.
///
/// builds  releases of one version, of one or several products
Outcome<Release> build_for(const std::vector<Release>& builds, const Device& device);

}  // namespace otaria::server
