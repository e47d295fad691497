#include "server/trust/manifest_file.hpp"

#include <algorithm>
#include <stdexcept>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/judgement.hpp"
#include "contract/trust/manifest.hpp"

namespace otaria::server {
namespace {

using contract::Fault;
using contract::SignatureVerdict;

/// A file with the list and the primitives that judge it.
struct Bench {
  Bench(const std::string& file, const StoredKeyList& list)
      : manifest{file}, list_file{list.file}, ring{list_file, hasher} {
    if (!ring.open()) {
      throw std::runtime_error{"key list " + std::to_string(list.serial) +
                               " in the database cannot be read"};
    }
  }
  SignatureVerdict judge() {
    return contract::judge_manifest_signatures(manifest, ring, hasher, verifier, payload);
  }

  crypto::Sha256Hasher hasher;
  crypto::OpenSslVerifier verifier;
  contract::MemoryFile manifest;
  contract::MemoryFile list_file;
  contract::KeyRing ring;
  contract::PayloadPlace payload;
};

Refusal refusal_of(const SignatureVerdict& verdict, const StoredKeyList& keys) {
  const std::string list = "key list " + std::to_string(keys.serial);
  const std::string key{verdict.key.view()};
  const std::string figures = std::to_string(verdict.valid) + " of " +
                              std::to_string(verdict.needed) + " signatures that " + list +
                              " asks for";
  const std::string code{contract::name_of(verdict.fault)};
  if (verdict.fault == Fault::unknown_key) {
    return {code,
            "signed by key " + key + ", which is no release key of " + list + "; found " + figures,
            "sign with a listed key, or publish a key list that names this one"};
  }
  if (verdict.fault == Fault::revoked_key) {
    return {code,
            "signed by key " + key + ", which " + list + " revokes; found " + figures,
            "sign the release again with a key that is listed"};
  }
  if (verdict.defect != contract::SignedDefect::none) {
    return {code,
            "the manifest is no signed file: " + std::string{contract::name_of(verdict.defect)},
            "send what otaria release sign wrote, unchanged"};
  }
  if (!key.empty()) {
    return {code,
            "the signature by key " + key + " does not verify",
            "the manifest was changed after it was signed: sign it again"};
  }
  return {code, "found " + figures, "sign with more release keys: otaria release sign --key"};
}

Refusal unreadable(const contract::ManifestReading& reading) {
  if (reading.too_new) {
    return {"bad_notice",
            "the manifest has format " + std::to_string(reading.format) +
                " or a critical member that devices do not know",
            "sign with the otaria that belongs to this server"};
  }
  return {"bad_notice",
          "the manifest's payload cannot be read: " + std::string{name_of(reading.defect)},
          "sign it with: otaria release sign"};
}

Refusal mismatch(const std::string& what, const std::string& signed_for, const std::string& found) {
  return {"manifest_mismatch",
          "the manifest says " + what + " " + signed_for + ", the image has " + found,
          "upload the image that was signed, or sign this one"};
}

std::optional<Refusal> image_differs(const contract::Manifest& said, const Release& image) {
  const auto hex = contract::hex_of(said.digest);
  const std::string digest{hex.data(), hex.size()};
  if (said.size != image.size) {
    return mismatch("size", std::to_string(said.size), std::to_string(image.size));
  }
  if (digest != image.sha256) return mismatch("sha256", digest, image.sha256);
  if (said.build.view() != image.build) {
    return mismatch("build", std::string{said.build.view()}, image.build);
  }
  if (said.chip.view() != image.chip) {
    return mismatch("chip", std::string{said.chip.view()}, image.chip);
  }
  return std::nullopt;
}

Refusal expired(std::uint32_t expires) {
  return {"manifest_expired",
          "the manifest expired at " + std::to_string(expires) + " (Unix seconds)",
          "sign the release again: otaria release sign, then upload it"};
}

std::optional<Refusal> counter_refused(const contract::Manifest& said,
                                       const TrustBasis& basis,
                                       std::uint32_t floor) {
  const std::string product{said.product.view()};
  const std::string counter = std::to_string(said.security_counter);
  const std::uint32_t highest = basis.highest_counter(product).value_or(0);
  if (said.security_counter < std::max(highest, floor)) {
    return Refusal{
        "security_counter",
        "the manifest has security counter " + counter + "; " + product + " was published with " +
            std::to_string(highest) + ", key list " + std::to_string(basis.keys.serial) +
            " admits none below " + std::to_string(floor),
        "sign it with a counter of at least " + std::to_string(std::max(highest, floor))};
  }
  const std::uint64_t most = std::uint64_t{std::max(highest, floor)} + contract::max_counter_step;
  if (said.security_counter > most) {
    return Refusal{"security_counter",
                   "the manifest has security counter " + counter + ", devices of " + product +
                       " take at most " + std::to_string(most),
                   "raise the counter by one for each security fix"};
  }
  return std::nullopt;
}

std::optional<Refusal> rules_refuse(const contract::Manifest& said,
                                    const TrustBasis& basis,
                                    std::uint32_t floor,
                                    std::int64_t now) {
  if (said.keys > basis.keys.serial) {
    return Refusal{"keylist_required",
                   "the manifest asks for key list " + std::to_string(said.keys) +
                       ", the newest here is " + std::to_string(basis.keys.serial),
                   "publish the list first: otaria keylist publish FILE"};
  }
  if (auto refusal = counter_refused(said, basis, floor)) return refusal;
  if (now >= said.expires) return expired(said.expires);
  return std::nullopt;
}

/// The keys whose signatures counted: after the verdict, every line of a listed release key.
class SignedBy final : public contract::SignatureVisitor {
 public:
  explicit SignedBy(Bench& bench) : bench_{bench} {}
  bool on_signature(const contract::SignatureLine& line) override {
    contract::ListedKey key;
    const bool counted =
        bench_.ring.find(line.key.view(), public_key_, key) == contract::KeyStanding::listed &&
        key.role == contract::KeyRole::release && bench_.verifier.supports(key.algorithm);
    const std::string id{line.key.view()};
    if (counted && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    return true;
  }
  std::vector<std::string> ids;

 private:
  Bench& bench_;
  std::array<std::uint8_t, contract::largest_public_key_bytes> public_key_{};
};

std::vector<std::string> signed_by(Bench& bench) {
  SignedBy visitor{bench};
  std::array<std::uint8_t, contract::largest_signature_bytes> signature{};
  contract::PayloadPlace payload;
  contract::read_signed_file(
      contract::manifest_kind, bench.manifest, bench.hasher, signature, visitor, payload);
  return visitor.ids;
}

ReleaseManifest release_manifest(const contract::Manifest& said) {
  return {.id = std::string{said.release.view()},
          .channel = std::string{said.channel.view()},
          .min_version = std::string{said.min_version.view()},
          .security_counter = said.security_counter,
          .keys = said.keys,
          .issued = said.issued,
          .expires = said.expires};
}

void fill_in(Release& image, const contract::Manifest& said, const ReleaseManifest& manifest) {
  image.id = manifest.id;
  image.product = said.product.view();
  image.version = said.version.view();
  image.channel = manifest.channel;
  image.hardware.clear();
  for (std::uint32_t i = 0; i < said.hardware_count; ++i) {
    image.hardware.emplace_back(said.hardware[i].view());
  }
  std::sort(image.hardware.begin(), image.hardware.end());
  image.hardware.erase(std::unique(image.hardware.begin(), image.hardware.end()),
                       image.hardware.end());
  image.manifest = manifest;
}

std::optional<Refusal> too_large(const std::string& file) {
  if (file.size() <= contract::manifest_kind.file_bytes) return std::nullopt;
  return Refusal{"too_large",
                 "the manifest has " + std::to_string(file.size()) +
                     " bytes, devices take at most " +
                     std::to_string(contract::manifest_kind.file_bytes),
                 "sign it with: otaria release sign"};
}

}  // namespace

Outcome<StoredManifest> judge_manifest_file(const std::string& file,
                                            const TrustBasis& basis,
                                            std::int64_t now,
                                            Release& image) {
  if (auto refusal = too_large(file)) return *refusal;
  Bench bench{file, basis.keys};
  if (const auto verdict = bench.judge(); !verdict.ok()) return refusal_of(verdict, basis.keys);

  contract::Base64UrlBytes payload{bench.manifest, bench.payload.offset, bench.payload.characters};
  contract::Manifest said;
  if (const auto reading = contract::read_manifest(payload, said); !reading.ok()) {
    return unreadable(reading);
  }
  if (auto refusal = image_differs(said, image)) return *refusal;
  const std::uint32_t floor = bench.ring.floor_of(said.product.view());
  if (auto refusal = rules_refuse(said, basis, floor, now)) return *refusal;

  ReleaseManifest manifest = release_manifest(said);
  manifest.signed_by = signed_by(bench);
  fill_in(image, said, manifest);
  const auto hex =
      contract::hex_of(contract::digest_of_payload(bench.manifest, bench.payload, bench.hasher));
  return StoredManifest{.said = std::move(manifest),
                        .release = image.id,
                        .product = image.product,
                        .epoch = basis.keys.epoch,
                        .payload_sha256 = std::string{hex.data(), hex.size()},
                        .file = file,
                        .created_at = now};
}

std::optional<Refusal> judge_again(const StoredManifest& manifest,
                                   const StoredKeyList& keys,
                                   std::int64_t now) {
  Bench bench{manifest.file, keys};
  if (const auto verdict = bench.judge(); !verdict.ok()) return refusal_of(verdict, keys);
  if (now >= manifest.said.expires) return expired(manifest.said.expires);
  return std::nullopt;
}

std::uint32_t floor_of(const StoredKeyList& keys, const std::string& product) {
  crypto::Sha256Hasher hasher;
  contract::MemoryFile file{keys.file};
  contract::KeyRing ring{file, hasher};
  return ring.open() ? ring.floor_of(product) : 0;
}

}  // namespace otaria::server
