#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/registry/release.hpp"

namespace otaria::server {

/// A key list as it was published; the file is kept for ever, byte for byte.
struct StoredKeyList {
  std::uint32_t serial = 0;
  std::uint32_t epoch = 0;
  std::uint32_t issued = 0;   ///< Unix seconds
  std::uint32_t expires = 0;  ///< Unix seconds
  std::string payload_sha256 = {};
  std::string file = {};
  std::int64_t created_at = 0;  ///< Unix seconds, when it was published here
};

/// A release manifest as it was uploaded; the file is kept for ever, byte for byte.
struct StoredManifest {
  ReleaseManifest said = {};
  std::string release = {};  ///< id of the release it is about
  std::string product = {};
  std::uint32_t epoch = 0;  ///< of the key list that judged it
  std::string payload_sha256 = {};
  std::string file = {};
  std::int64_t created_at = 0;  ///< Unix seconds
};

}  // namespace otaria::server
