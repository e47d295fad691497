#include "server/registry/preflight.hpp"

#include <algorithm>
#include <string_view>

#include "contract/semver.hpp"
#include "contract/trust/judgement.hpp"

namespace otaria::server {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool differs(const std::string& offered, const std::optional<std::string>& reported) {
  return !offered.empty() && reported && *reported != offered;
}

std::optional<Refusal> misfit(const Offer& offer, const Device& device) {
  if (differs(offer.chip, device.chip)) {
    return Refusal{"wrong_chip",
                   device.id + " is an " + *device.chip + ", the image is for " + offer.chip,
                   "publish a build for " + *device.chip};
  }
  if (offer.size && device.max_image && *offer.size > *device.max_image) {
    return Refusal{"too_large",
                   "the image has " + std::to_string(*offer.size) + " bytes, the slot of " +
                       device.id + " holds " + std::to_string(*device.max_image),
                   "make the image smaller, or give the device larger slots by cable"};
  }
  if (differs(offer.product, device.product)) {
    return Refusal{"wrong_product",
                   device.id + " is a " + *device.product + ", the release is for " + offer.product,
                   "choose a release of " + *device.product};
  }
  if (!offer.hardware.empty() && device.hardware && !contains(offer.hardware, *device.hardware)) {
    return Refusal{"wrong_hardware",
                   device.id + " has hardware " + *device.hardware + ", the release is for " +
                       joined(offer.hardware),
                   "publish a build with --hardware " + *device.hardware};
  }
  return std::nullopt;
}

std::optional<Refusal> counter_misfit(const ReleaseManifest& manifest,
                                      const Device& device,
                                      const TrustFacts& trust) {
  const bool forgets = device.keys && *device.keys < trust.epoch_since;
  const std::int64_t confirmed = forgets ? 0 : device.security_counter.value_or(0);
  const std::int64_t floor = std::max<std::int64_t>(confirmed, trust.floor);
  const std::int64_t counter = manifest.security_counter;
  if (counter < floor) {
    return Refusal{"security_counter",
                   "the release has security counter " + std::to_string(counter) + ", " +
                       device.id + " admits none below " + std::to_string(floor),
                   "publish a release with a counter of " + std::to_string(floor) +
                       " or more; --force does not help"};
  }
  const bool known = device.security_counter || trust.floor > 0;
  if (known && counter > floor + contract::max_counter_step) {
    return Refusal{"security_counter",
                   "the release has security counter " + std::to_string(counter) + ", " +
                       device.id + " takes at most " +
                       std::to_string(floor + contract::max_counter_step) + " after " +
                       std::to_string(floor),
                   "send a release with a counter in between first"};
  }
  return std::nullopt;
}

/// What a production device would read in the manifest and refuse.
std::optional<Refusal> manifest_misfit(const ReleaseManifest& manifest,
                                       const Device& device,
                                       const TrustFacts& trust) {
  if (differs(manifest.channel, device.channel)) {
    return Refusal{"wrong_channel",
                   device.id + " is in channel " + *device.channel +
                       ", the release was signed for channel " + manifest.channel,
                   "choose a release of channel " + *device.channel};
  }
  if (!manifest.min_version.empty() && device.version &&
      contract::is_newer(manifest.min_version, *device.version)) {
    return Refusal{"step_required",
                   device.id + " runs " + *device.version + ", the release asks for " +
                       manifest.min_version + " or newer",
                   "send " + manifest.min_version + " first"};
  }
  return counter_misfit(manifest, device, trust);
}

}  // namespace

Offer offer_of(const Release& release) {
  return {.product = release.product,
          .hardware = release.hardware,
          .chip = release.chip,
          .version = release.version,
          .size = release.size,
          .manifest = release.manifest};
}

std::optional<Refusal> preflight(const Offer& offer,
                                 const Device& device,
                                 bool only_newer,
                                 const TrustFacts& trust) {
  if (auto refusal = misfit(offer, device)) return refusal;
  if (device.mode == "production" && !offer.manifest) {
    return Refusal{
        "manifest_required",
        device.id + " is in production mode and installs only what a signed manifest names",
        "sign the release, or provision the device with --development"};
  }
  if (offer.manifest && device.mode != "development") {
    if (auto refusal = manifest_misfit(*offer.manifest, device, trust)) return refusal;
  }
  if (only_newer && device.version && !contract::is_newer(offer.version, *device.version)) {
    return Refusal{"not_newer",
                   device.id + " runs " + *device.version + ", the offer is " + offer.version,
                   "send it with --force to go back, or publish a higher version"};
  }
  return std::nullopt;
}

Outcome<Release> build_for(const std::vector<Release>& builds, const Device& device) {
  if (builds.empty()) return Refusal{"unknown_release", "no release has this version", ""};
  std::vector<Release> exact;
  std::vector<Release> any;
  for (const Release& build : builds) {
    if (device.product && build.product != *device.product) continue;
    if (build.hardware.empty()) any.push_back(build);
    if (device.hardware && contains(build.hardware, *device.hardware)) exact.push_back(build);
  }
  // A device that has not said what it is gets the only build there is, whatever it is for.
  if (exact.empty() && any.empty() && builds.size() == 1) return builds.front();
  const std::vector<Release>& fitting = exact.empty() ? any : exact;
  if (fitting.empty()) {
    return Refusal{"wrong_hardware",
                   "none of the " + std::to_string(builds.size()) +
                       " builds of this version is for " + device.id + " (" +
                       device.product.value_or("product unknown") + ", " +
                       device.hardware.value_or("hardware unknown") + ")",
                   "publish a build for it"};
  }
  if (fitting.size() > 1) {
    return Refusal{"ambiguous_release",
                   std::to_string(fitting.size()) + " releases of this version fit " + device.id,
                   "name the release by its id, or add the product"};
  }
  return fitting.front();
}

}  // namespace otaria::server
