#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "contract/openssl/crypto.hpp"

/// Signs key lists and manifests for tests, with keys made for the occasion: what an operator does
/// at his desk, and what somebody does who has stolen a key.
namespace otaria::device::testing {

/// What a manifest shall say; the defaults fit the bench device. Members are written in the order
/// of RFC 8785.
struct ManifestWish {
  std::string release = "01JD8Z6T9K3M5Q7S9V1X3Z5B7D";
  std::string product = "sensor";
  std::vector<std::string> hardware{"esp32s3-8mb"};
  std::string chip = "esp32s3";
  std::string version = "1.4.0";
  std::string build{};     ///< empty: taken from the image
  std::string sha256{};    ///< empty: the image's
  std::uint32_t size = 0;  ///< 0: the image's
  std::uint32_t security_counter = 1;
  std::uint32_t issued = 1790000000;
  std::uint32_t expires = 1821536000;
  std::uint32_t keys = 1;
  std::uint32_t format = 1;
  std::string min_version{};
  std::string channel{};
  std::string more{};  ///< further members, `"name":value,`, in front of the others
  std::vector<std::size_t> signed_by{0};  ///< places in SigningDesk::release
};

/// What a key list shall say.
struct KeyListWish {
  std::uint32_t serial = 1;
  std::uint32_t epoch = 0;
  std::uint32_t issued = 1789000000;
  std::uint32_t expires = 1853072000;
  std::uint32_t root_threshold = 1;
  std::uint32_t release_threshold = 1;
  std::vector<std::size_t> roots{0, 1, 2};
  std::vector<std::size_t> releases{0};
  std::vector<std::size_t> revoked{};  ///< places in SigningDesk::release
  std::map<std::string, std::uint32_t> floor{};
  std::map<std::string, std::vector<std::string>> pins{};
  std::vector<std::size_t> signed_by{0};  ///< places in SigningDesk::root
};

class SigningDesk {
 public:
  SigningDesk();

  /// The signed file, a line per signature.
  std::string key_list(const KeyListWish& wish);
  /// The signed file for `image`.
  std::string manifest(const ManifestWish& wish, const std::vector<std::uint8_t>& image);
  /// A signed file of any content.
  static std::string sign(std::string_view type,
                          const std::string& payload,
                          const std::vector<crypto::PrivateKey*>& keys);

  std::vector<crypto::PrivateKey> root;     ///< four
  std::vector<crypto::PrivateKey> release;  ///< three
};

}  // namespace otaria::device::testing
