#include "operator/cli/release_signing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "contract/semver.hpp"
#include "contract/trust/judgement.hpp"
#include "device/verify/sha256.hpp"
#include "operator/cli/release_verbs.hpp"
#include "operator/cli/ulid.hpp"
#include "operator/image/image_report.hpp"
#include "operator/keys/manifest_text.hpp"
#include "operator/keys/signed_text.hpp"

namespace otaria::cli {
namespace {

constexpr const char* default_product = "sensor";
constexpr const char* development_channel = "dev";
constexpr std::uint32_t day_s = 86400;

template <std::size_t Capacity>
void put(contract::Text<Capacity>& into, const std::string& text, const char* option) {
  if (into.assign(text)) return;
  throw Failure(exit_usage,
                "too_long",
                fmt::format("{} has {} characters; {} is the most.", option, text.size(), Capacity),
                "Shorten it.");
}

std::string version_for(const ManifestArguments& what, const image::ImageReport& image) {
  if (!what.version.empty()) {
    if (contract::parse_semver(what.version)) return what.version;
    throw Failure(exit_usage,
                  "bad_version",
                  fmt::format("`{}` is no semantic version.", what.version),
                  "Write it like 1.4.0 or 1.5.0-rc.1.");
  }
  std::string own{image.descriptor->version.view()};
  if (contract::parse_semver(own)) return own;
  throw Failure(
      exit_usage,
      "version_required",
      fmt::format("The image's own version `{}` is no semantic version.", image::printable(own)),
      "Name it with --version MAJOR.MINOR.PATCH.");
}

contract::Manifest from_image(const image::ImageReport& image, const ManifestArguments& what) {
  contract::Manifest manifest;
  put(manifest.release, new_ulid(), "the release id");
  put(manifest.product, what.product.empty() ? default_product : what.product, "--product");
  if (what.hardware.size() > manifest.hardware.size()) {
    throw Failure(exit_usage,
                  "too_many_values",
                  fmt::format("{} kinds of hardware are named; a manifest holds {}.",
                              what.hardware.size(),
                              manifest.hardware.size()),
                  "Publish the image once per set of hardware.");
  }
  for (const std::string& name : what.hardware)
    put(manifest.hardware[manifest.hardware_count++], name, "--hardware");
  put(manifest.chip, std::string{device::chip_name(image.header->chip_id)}, "the chip's name");
  put(manifest.version, version_for(what, image), "--version");
  put(manifest.channel, what.channel, "--channel");
  put(manifest.min_version, what.min_version, "--min-version");
  const auto elf = contract::hex_of(image.descriptor->app_elf_sha256);
  put(manifest.build, std::string{elf.data(), contract::build_text_bytes}, "the build id");
  manifest.size = static_cast<std::uint32_t>(image.file_bytes);
  manifest.digest = image.file_sha256;
  manifest.issued = unix_now();
  manifest.expires = manifest.issued + what.days * day_s;
  return manifest;
}

/// Whether a release was signed before the roots last set the counters back.
class EpochJudge {
 public:
  EpochJudge(Context& context, std::uint32_t epoch) : context_{context}, epoch_{epoch} {}
  /// `serial`: of the key list that the release names. A list that the server lost says nothing.
  bool is_over(std::uint32_t serial) {
    if (epoch_ == 0 || serial == 0) return false;
    const auto known = over_.find(serial);
    if (known != over_.end()) return known->second;
    const auto text = context_.client().file(fmt::format("/keys/{}.jws", serial));
    const bool over = text && keys::view_of(keys::read_key_list_text(*text).payload).epoch < epoch_;
    return over_.emplace(serial, over).first->second;
  }

 private:
  Context& context_;
  std::uint32_t epoch_;
  std::map<std::uint32_t, bool> over_;
};

/// The highest counter that the product's releases of this epoch and the key list know.
std::uint32_t counter_in_use(Context& context,
                             const std::string& product,
                             const std::optional<LoadedList>& list) {
  std::uint64_t highest = 0;
  EpochJudge epochs{context, list ? list->draft.epoch : 0};
  for (const Json& release : context.client().list("/releases", {{"product", product}})) {
    const auto serial = static_cast<std::uint32_t>(number_member(release, "keys"));
    if (!epochs.is_over(serial))
      highest = std::max(highest, number_member(release, "security_counter"));
  }
  if (list) {
    const auto floor = list->draft.floors.find(product);
    if (floor != list->draft.floors.end())
      highest = std::max<std::uint64_t>(highest, floor->second);
  }
  if (highest >= UINT32_MAX) {
    throw Failure(exit_refused,
                  "security_counter",
                  "The product's security counter cannot rise any more.",
                  "Start a new epoch: otaria keylist make --epoch N --floor PRODUCT=0.");
  }
  return static_cast<std::uint32_t>(highest);
}

const char* hint_of(contract::Fault fault) {
  switch (fault) {
    case contract::Fault::unknown_key:
      return "Put the key into the list first: otaria key rotate --new REF; or sign with one that "
             "it has.";
    case contract::Fault::revoked_key:
      return "Sign with a key of the list: otaria key list.";
    default:
      return "Sign with further release keys: --key REF again, or otaria release sign --add.";
  }
}

/// Judges as a device with this list would: nothing is uploaded that no device takes.
void check_signatures(const std::string& manifest, const LoadedList& list) {
  crypto::Sha256Hasher hasher;
  crypto::OpenSslVerifier verifier;
  contract::MemoryFile list_file{list.list.text};
  contract::KeyRing ring{list_file, hasher};
  if (!list.list.is_signed() || !ring.open()) return;
  contract::MemoryFile file{manifest};
  contract::PayloadPlace payload;
  const auto verdict = judge_manifest_signatures(file, ring, hasher, verifier, payload);
  if (verdict.ok()) return;
  throw Failure(exit_refused,
                std::string{name_of(verdict.fault)},
                verdict.key.empty()
                    ? fmt::format("{} release keys of list {} have signed; it asks for {}.",
                                  verdict.valid,
                                  list.draft.serial,
                                  verdict.needed)
                    : fmt::format("Key {} does not count by list {}: {} of {} signatures.",
                                  verdict.key.view(),
                                  list.draft.serial,
                                  verdict.valid,
                                  verdict.needed),
                hint_of(verdict.fault));
}

/// The list to sign against; none when the command line says everything and no list is named: a
/// build machine may have no server.
std::optional<LoadedList> list_for(Context& context,
                                   const ManifestArguments& what,
                                   const SigningArguments& how) {
  const bool offline = what.keys_serial && what.security_counter;
  if (offline && how.key_list.empty()) return std::nullopt;
  return load_key_list(context, how.key_list);
}

std::string signed_by_all(const std::string& payload, const SigningArguments& how) {
  keys::KeyOpener opener = opener_of(how.options);
  std::string text;
  for (const std::string& reference : how.keys) {
    const auto signer = opener.open(reference);
    text =
        text.empty() ? keys::sign_manifest(payload, *signer) : keys::cosign_manifest(text, *signer);
  }
  return text;
}

Json json_of_manifest(const std::string& text) {
  const auto read = keys::read_signed_text(contract::manifest_kind, text, "bad_manifest");
  Json kids = Json::array();
  for (const auto& line : read.lines) kids.push_back(line.key_id);
  return {{"manifest", Json::parse(read.payload)},
          {"payload_sha256", keys::payload_digest_text(read.payload)},
          {"kids", kids}};
}

void refuse_mismatch(const contract::Manifest& manifest, const image::ImageReport& image) {
  if (manifest.size == image.file_bytes && manifest.digest == image.file_sha256) return;
  const auto stated = contract::hex_of(manifest.digest);
  throw Failure(exit_refused,
                "manifest_mismatch",
                fmt::format("The manifest is of another image: {} bytes, SHA-256 {}; this one has "
                            "{} bytes, {}.",
                            manifest.size,
                            std::string_view{stated.data(), stated.size()},
                            image.file_bytes,
                            image::hex_text(image.file_sha256)),
                "Sign this image: otaria release sign IMAGE --key REF --out FILE.");
}

int say_signed(Context& context, const std::string& text, const std::string& out) {
  if (context.json()) {
    Json json = json_of_manifest(text);
    json["file"] = out;
    context.print(json);
    return exit_ok;
  }
  const contract::Manifest manifest = keys::manifest_of(text);
  const auto lines =
      keys::read_signed_text(contract::manifest_kind, text, "bad_manifest").lines.size();
  context.say(fmt::format("Signed {} {} (security counter {}, expires {}): {}, {} signature{}.",
                          manifest.product.view(),
                          manifest.version.view(),
                          manifest.security_counter,
                          day_of(manifest.expires),
                          out,
                          lines,
                          lines == 1 ? "" : "s"));
  if (!context.quiet())
    context.say(fmt::format("Upload it: otaria release upload IMAGE --manifest {}", out));
  return exit_ok;
}

int add_signatures(Context& context, const SignReleaseArguments& arguments) {
  std::string text = read_text(arguments.add, contract::manifest_kind.file_bytes);
  const contract::Manifest manifest = keys::manifest_of(text);
  if (!arguments.file.empty()) {
    refuse_mismatch(manifest, sound_image(arguments.file, std::string{manifest.channel.view()}));
  }
  keys::KeyOpener opener = opener_of(arguments.how.options);
  for (const std::string& reference : arguments.how.keys)
    text = keys::cosign_manifest(text, *opener.open(reference));
  const std::string out = arguments.out.empty() ? arguments.add : arguments.out;
  write_text(out, text);
  return say_signed(context, text, out);
}

}  // namespace

image::ImageReport sound_image(const std::string& path, const std::string& channel) {
  if (!device::init_crypto())
    throw Failure(exit_refused, "internal", "The crypto library cannot be started.");
  const auto read = image::inspect_file(path);
  if (const auto* unreadable = std::get_if<image::Unreadable>(&read)) {
    throw Failure(exit_usage,
                  "no_such_file",
                  fmt::format("{}: {}.", path, unreadable->reason),
                  "Name the .bin file that the build made.");
  }
  const auto& report = std::get<image::ImageReport>(read);
  if (!report.verdict) {
    const image::Problem problem = image::problem_of(report);
    throw Failure(exit_refused, problem.code, problem.detail, problem.hint);
  }
  if (report.for_development && channel != development_channel) {
    throw Failure(
        exit_refused,
        "development_image",
        fmt::format("{} is compiled for development: it would take unsigned updates.", path),
        "Build it for production, or sign it for test benches only: --channel dev.");
  }
  return report;
}

std::string sign_release(Context& context,
                         const image::ImageReport& image,
                         const ManifestArguments& what,
                         const SigningArguments& how) {
  contract::Manifest manifest = from_image(image, what);
  const auto list = list_for(context, what, how);
  manifest.keys = what.keys_serial ? *what.keys_serial : list->draft.serial;
  if (what.security_counter) {
    manifest.security_counter = *what.security_counter;
  } else {
    const std::string product{manifest.product.view()};
    manifest.security_counter =
        counter_in_use(context, product, list) + (what.security_fix ? 1U : 0U);
  }
  std::string text = signed_by_all(keys::manifest_payload(manifest), how);
  if (list) check_signatures(text, *list);
  return text;
}

int upload_release(Context& context,
                   const std::string& path,
                   const std::string& manifest,
                   const std::string& notes) {
  const std::string header = "Otaria-Manifest: " + crypto::base64url(std::string_view{manifest});
  return upload_image(context, {{"notes", notes}}, path, {header});
}

int sign_release_verb(Context& context, const SignReleaseArguments& arguments) {
  if (!arguments.add.empty()) return add_signatures(context, arguments);
  if (arguments.file.empty() || arguments.out.empty()) {
    throw Failure(exit_usage,
                  "usage",
                  "A manifest is made from an image into a file.",
                  "Write otaria release sign IMAGE --key REF --out FILE, or --add FILE to sign an "
                  "existing manifest.");
  }
  refuse_existing(arguments.out);
  const image::ImageReport image = sound_image(arguments.file, arguments.what.channel);
  const std::string text = sign_release(context, image, arguments.what, arguments.how);
  write_text(arguments.out, text);
  return say_signed(context, text, arguments.out);
}

int upload_release_verb(Context& context,
                        const std::string& path,
                        const std::string& manifest_file,
                        const std::string& notes) {
  const std::string text = read_text(manifest_file, contract::manifest_kind.file_bytes);
  const contract::Manifest manifest = keys::manifest_of(text);
  refuse_mismatch(manifest, sound_image(path, std::string{manifest.channel.view()}));
  return upload_release(context, path, text, notes);
}

}  // namespace otaria::cli
