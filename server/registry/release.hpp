#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace otaria::server {

/// A published image. One version may have several builds, one per hardware; each is a release of
/// its own.
struct Release {
  std::string id;  ///< ULID
  std::string product;
  std::string version;                ///< semver
  std::vector<std::string> hardware;  ///< sorted; empty: any
  std::string channel;
  std::string chip;
  std::uint32_t size = 0;  ///< bytes of the image file
  std::string sha256;      ///< 64 lower-case hex digits
  std::string build;       ///< first 16 hex digits of app_elf_sha256
  std::string project;
  std::string descriptor_version;
  std::string idf_version;
  std::string notes;
  std::int64_t created_at = 0;  ///< Unix seconds
};

}  // namespace otaria::server
