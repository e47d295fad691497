#pragma once

#include <map>
#include <string>
#include <vector>

#include "contract/openssl/crypto.hpp"

/// Key lists and manifests for tests, signed by keys made for them.
namespace otaria::server::signing {

using Signers = std::vector<crypto::Signer*>;

/// The lines of a signed file: the payload by the first key, detached signatures by the others.
inline std::string signed_file(const char* type, const std::string& payload, const Signers& by) {
  std::string file = crypto::compact_jws(type, payload, *by.front()) + "\n";
  for (std::size_t i = 1; i < by.size(); ++i) {
    file += crypto::detached_jws(type, payload, *by[i]) + "\n";
  }
  return file;
}

struct ListSpec {
  std::uint32_t serial = 1;
  std::uint32_t epoch = 0;
  std::uint32_t issued = 1'790'000'000;
  std::uint32_t expires = 1'853'072'000;
  std::uint32_t root_threshold = 1;
  std::uint32_t release_threshold = 1;
  Signers roots = {};
  Signers releases = {};
  std::vector<std::string> revoked = {};
  std::map<std::string, std::uint32_t> floor = {};
};

inline std::string key_json(crypto::Signer& signer, const std::string& role) {
  const crypto::PublicKey& key = signer.public_key();
  return R"({"alg":"ES256","kid":")" + key.key_id() + R"(","pub":")" + key.base64url() +
         R"(","roles":[")" + role + R"("]})";
}

inline std::string key_list(const ListSpec& spec, const Signers& by) {
  std::string keys;
  for (crypto::Signer* root : spec.roots)
    keys += (keys.empty() ? "" : ",") + key_json(*root, "root");
  for (crypto::Signer* key : spec.releases) keys += "," + key_json(*key, "release");
  std::string revoked;
  for (const std::string& id : spec.revoked)
    revoked += (revoked.empty() ? "\"" : ",\"") + id + "\"";
  std::string floor;
  for (const auto& [product, counter] : spec.floor) {
    floor += (floor.empty() ? "\"" : ",\"") + product + "\":" + std::to_string(counter);
  }
  const std::string payload =
      R"({"fmt":1,"serial":)" + std::to_string(spec.serial) + R"(,"epoch":)" +
      std::to_string(spec.epoch) + R"(,"issued":)" + std::to_string(spec.issued) +
      R"(,"expires":)" + std::to_string(spec.expires) + R"(,"threshold":{"root":)" +
      std::to_string(spec.root_threshold) + R"(,"release":)" +
      std::to_string(spec.release_threshold) + R"(,"order":0},"keys":[)" + keys +
      R"(],"revoked":[)" + revoked + R"(],"floor":{)" + floor +
      R"(},"pins":{"fw.example":["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"]}})";
  return signed_file("otaria-keys+jws", payload, by);
}

struct ManifestSpec {
  std::string release = "01JD8Z6T9K3M5Q7S9V1X3Z5B7D";
  std::string product = "sensor";
  std::string hardware = R"(["esp32s3-8mb"])";
  std::string chip = "esp32s3";
  std::string version = "1.4.0";
  std::string build = "4f1c2a9b7d3e8056";
  std::string sha256 = std::string(64, 'a');
  std::string size = "922809";
  std::string more = {};  ///< further members, each begun by a comma
  std::uint32_t security_counter = 3;
  std::uint32_t issued = 1'790'000'000;
  std::uint32_t expires = 1'821'536'000;
  std::uint32_t keys = 1;
};

inline std::string manifest(const ManifestSpec& spec, const Signers& by) {
  const std::string payload =
      R"({"build":")" + spec.build + R"(","chip":")" + spec.chip + R"(","expires":)" +
      std::to_string(spec.expires) + R"(,"fmt":1,"hardware":)" + spec.hardware + R"(,"issued":)" +
      std::to_string(spec.issued) + R"(,"keys":)" + std::to_string(spec.keys) + R"(,"product":")" +
      spec.product + R"(","release":")" + spec.release + R"(","security_counter":)" +
      std::to_string(spec.security_counter) + R"(,"sha256":")" + spec.sha256 + R"(","size":)" +
      spec.size + R"(,"version":")" + spec.version + "\"" + spec.more + "}";
  return signed_file("otaria-manifest+jws", payload, by);
}

}  // namespace otaria::server::signing
