#include "device/notice/manifest_gate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "contract/semver.hpp"
#include "contract/slice.hpp"
#include "device/result/figures.hpp"

namespace otaria::device {
namespace {

using contract::Manifest;
using contract::Notice;

Error differs(Member member, std::string_view in_notice, std::string_view in_manifest) {
  return {Fault::manifest_mismatch,
          short_figure(in_notice, static_cast<std::uint8_t>(member)),
          short_figure(in_manifest)};
}

/// A number as text, for a figure that is one.
class Digits {
 public:
  explicit Digits(std::uint32_t value)
      : end_{std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr} {}
  [[nodiscard]] std::string_view view() const {
    return {text_.data(), static_cast<std::size_t>(end_ - text_.data())};
  }

 private:
  std::array<char, 10> text_{};
  char* end_;
};

// Step 7: the notice is transport, and a manifest of another offer must not ride on it.
Error compare(const Manifest& manifest, const Notice& notice) {
  if (!(notice.version == manifest.version)) {
    return differs(Member::version, notice.version.view(), manifest.version.view());
  }
  if (notice.digest != manifest.digest) {
    const auto offered = contract::hex_of(notice.digest);
    const auto is_signed = contract::hex_of(manifest.digest);
    return differs(
        Member::digest, {offered.data(), offered.size()}, {is_signed.data(), is_signed.size()});
  }
  if (notice.size && *notice.size != manifest.size) {
    const Digits offered{*notice.size};
    const Digits is_signed{manifest.size};
    return differs(Member::size, offered.view(), is_signed.view());
  }
  const std::string_view release = release_of(notice.manifest.view());
  if (release != manifest.release.view()) {
    // The ends differ: the front of a ULID is its time.
    const std::string_view own = manifest.release.view();
    return differs(
        Member::release,
        contract::slice(release,
                        release.size() - std::min(release.size(), short_figure_characters)),
        contract::slice(own, own.size() - std::min(own.size(), short_figure_characters)));
  }
  return {};
}

Error told_by(Fault fault, std::string_view text) {
  const LongFigure figure = long_figure(text);
  return {fault, figure.found, figure.expected};
}

// Whether it is for this device.
Error fit(const Manifest& manifest, const ManifestSituation& situation) {
  const Identity& identity = situation.identity;
  if (!(manifest.product == identity.product)) {
    return told_by(Fault::wrong_product, manifest.product.view());
  }
  if (!manifest.fits_hardware(identity.hardware.view())) {
    return told_by(Fault::wrong_hardware, manifest.hardware.front().view());
  }
  if (!(manifest.chip == situation.chip)) {
    return {Fault::wrong_chip, short_figure(manifest.chip.view()), short_figure(situation.chip)};
  }
  if (!manifest.channel.empty() && !(manifest.channel == identity.channel)) {
    return told_by(Fault::wrong_channel, manifest.channel.view());
  }
  if (manifest.size > situation.max_image) {
    return {Fault::too_large, manifest.size, situation.max_image};
  }
  return {};
}

// Counter, time and order. Only the last two can be forced.
Error admit(const Manifest& manifest, const Notice& notice, const ManifestSituation& situation) {
  const std::int64_t counter = manifest.security_counter;
  const std::int64_t floor = situation.security_floor;
  if (counter < floor) return {Fault::security_counter, counter, floor};
  if (counter > floor + contract::max_counter_step) {
    return {Fault::security_counter, counter, floor + contract::max_counter_step};
  }
  if (situation.time_floor > manifest.expires) {
    return {Fault::manifest_expired, situation.time_floor, manifest.expires};
  }
  // A running version that is no semver does not count as old enough to be kept back for ever.
  if (!manifest.min_version.empty() &&
      contract::is_newer(manifest.min_version.view(), situation.running_version)) {
    return told_by(Fault::step_required, manifest.min_version.view());
  }
  if (notice.force) return {};
  if (!contract::is_newer(manifest.version.view(), situation.running_version)) {
    return {Fault::not_newer};
  }
  if (situation.failed_attempts >= situation.failed_attempts_limit) {
    return {Fault::attempts_exhausted, situation.failed_attempts, situation.failed_attempts_limit};
  }
  return {};
}

}  // namespace

GateJudgement judge_manifest(const contract::ManifestReading& reading,
                             const Manifest& manifest,
                             const Notice& notice,
                             const ManifestSituation& situation) {
  if (reading.too_new) {
    return {{Fault::bad_notice, reading.format, contract::manifest_format}};
  }
  if (reading.defect != contract::Defect::none) {
    return {{Fault::bad_notice, static_cast<std::int64_t>(reading.defect), of_the_manifest}};
  }
  if (manifest.keys > situation.keys_serial) {
    return {{Fault::unknown_key, situation.keys_serial, manifest.keys}, true};
  }
  Error error = compare(manifest, notice);
  if (error.fault == Fault::none) error = fit(manifest, situation);
  if (error.fault == Fault::none) error = admit(manifest, notice, situation);
  return {error};
}

Error error_of(const contract::SignatureVerdict& verdict) {
  if (verdict.ok()) return {};
  if (verdict.fault != Fault::bad_signature) {
    return {verdict.fault, key_figure(verdict.key.view()), 0};
  }
  if (verdict.defect != contract::SignedDefect::none) {
    return {verdict.fault, static_cast<std::int64_t>(verdict.defect), not_a_signed_file};
  }
  if (!verdict.key.empty()) return {verdict.fault, key_figure(verdict.key.view()), by_one_key};
  return {verdict.fault, verdict.valid, verdict.needed};
}

std::string_view release_of(std::string_view manifest_url) {
  constexpr std::string_view extension = ".jws";
  const std::string_view path = contract::slice(manifest_url, 0, manifest_url.find_first_of("?#"));
  const std::size_t slash = path.rfind('/');
  const std::string_view part =
      slash == std::string_view::npos ? path : contract::slice(path, slash + 1);
  if (!part.ends_with(extension)) return {};
  return contract::slice(part, 0, part.size() - extension.size());
}

std::uint32_t counted_issue(std::uint32_t manifest_issued, std::uint32_t key_list_issued) {
  constexpr std::uint32_t latest = std::numeric_limits<std::uint32_t>::max();
  const std::uint32_t limit = key_list_issued > latest - contract::longest_floor_lead_s
                                  ? latest
                                  : key_list_issued + contract::longest_floor_lead_s;
  return std::min(manifest_issued, limit);
}

}  // namespace otaria::device
