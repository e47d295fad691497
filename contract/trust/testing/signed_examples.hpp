#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "contract/openssl/crypto.hpp"

/// Keys, manifests and key lists for tests, signed as an operator's tools sign them.
namespace otaria::contract::testing {

/// The known-answer vector of reference trust, section 5.4. The key is public by definition.
extern const std::string known_manifest;
extern const std::string known_public_key;  ///< base64url of X || Y
extern const std::string known_key_id;
extern const std::string known_payload_sha256;

using crypto::PrivateKey;

/// What a key list says, for tests to bend.
struct KeyListText {
  std::uint32_t fmt = 1;
  std::uint32_t serial = 1;
  std::uint32_t epoch = 0;
  std::uint32_t issued = 1790000000;
  std::uint32_t expires = 1853072000;
  std::uint32_t root_threshold = 1;
  std::uint32_t release_threshold = 1;
  std::vector<const PrivateKey*> roots;
  std::vector<const PrivateKey*> releases;
  std::vector<std::string> revoked;
  std::string floor = {};  ///< inside of the object: `"sensor":3`
  std::string pins = {};   ///< inside of the object
  std::string more = {};   ///< further members, each with a comma before it
  [[nodiscard]] std::string json() const;
};

/// What a manifest says.
struct ManifestText {
  std::uint32_t fmt = 1;
  std::string release = "01JD8Z6T9K3M5Q7S9V1X3Z5B7D";
  std::string product = "sensor";
  std::string hardware = R"(["esp32s3-8mb"])";  ///< empty: the member is left out
  std::string chip = "esp32s3";
  std::string version = "1.4.0";
  std::string build = "4f1c2a9b7d3e8056";
  std::uint32_t size = 922809;
  std::string sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  std::uint32_t security_counter = 3;
  std::uint32_t issued = 1790000000;
  std::uint32_t expires = 1821536000;
  std::uint32_t keys = 1;
  std::string more = {};
  [[nodiscard]] std::string json() const;
};

/// A signed file: the first signer's line holds the payload.
std::string signed_file(std::string_view type,
                        const std::string& payload,
                        const std::vector<PrivateKey*>& signers);

}  // namespace otaria::contract::testing
