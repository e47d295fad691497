#include "operator/keys/manifest_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "contract/trust/byte_source.hpp"
#include "operator/keys/key_error.hpp"
#include "operator/keys/signed_text.hpp"

namespace otaria::keys {
namespace {

using Json = nlohmann::json;  // sorts its members by their bytes, as RFC 8785 asks for ASCII names

KeyError bad_manifest(const contract::ManifestReading& reading) {
  return usage_error(
      "bad_manifest",
      reading.too_new
          ? fmt::format("The manifest has format {}, which this version does not know.",
                        reading.format)
          : fmt::format("Devices would not read the manifest: {}.", name_of(reading.defect)),
      "Product, hardware, channel and versions have at most 32 (channel: 16) plain characters.");
}

contract::Manifest read(std::string_view payload) {
  contract::Manifest manifest;
  contract::MemoryBytes bytes{payload};
  const contract::ManifestReading reading = contract::read_manifest(bytes, manifest);
  if (!reading.ok()) throw bad_manifest(reading);
  return manifest;
}

}  // namespace

std::string manifest_payload(const contract::Manifest& manifest) {
  const auto digest = contract::hex_of(manifest.digest);
  Json json{{"fmt", contract::manifest_format},
            {"release", manifest.release.view()},
            {"product", manifest.product.view()},
            {"chip", manifest.chip.view()},
            {"version", manifest.version.view()},
            {"build", manifest.build.view()},
            {"size", manifest.size},
            {"sha256", std::string_view{digest.data(), digest.size()}},
            {"security_counter", manifest.security_counter},
            {"issued", manifest.issued},
            {"expires", manifest.expires},
            {"keys", manifest.keys}};
  for (std::uint32_t i = 0; i < manifest.hardware_count; ++i)
    json["hardware"].push_back(manifest.hardware[i].view());
  if (!manifest.min_version.empty()) json["min_version"] = manifest.min_version.view();
  if (!manifest.channel.empty()) json["channel"] = manifest.channel.view();
  std::string payload = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  read(payload);
  return payload;
}

contract::Manifest manifest_of(std::string_view text) {
  return read(read_signed_text(contract::manifest_kind, text, "bad_manifest").payload);
}

std::string sign_manifest(std::string_view payload, crypto::Signer& signer) {
  return first_signature(contract::manifest_kind, payload, signer);
}

std::string cosign_manifest(std::string_view text, crypto::Signer& signer) {
  return further_signature(contract::manifest_kind, text, signer, "bad_manifest");
}

}  // namespace otaria::keys
