#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace otaria::server {

/// What the manifest in force of a release says, beside what the release says anyway.
struct ReleaseManifest {
  std::string id = {};           ///< ULID in the manifest and in its URL
  std::string channel = {};      ///< empty: every channel
  std::string min_version = {};  ///< empty: from any version
  std::uint32_t security_counter = 0;
  std::uint32_t keys = 0;                   ///< serial of the oldest key list that may judge it
  std::uint32_t issued = 0;                 ///< Unix seconds
  std::uint32_t expires = 0;                ///< Unix seconds
  std::vector<std::string> signed_by = {};  ///< ids of the release keys whose signatures counted
};

/// A published image. One version may have several builds, one per hardware; each is a release of
/// its own.
struct Release {
  std::string id;  ///< ULID
  std::string product;
  std::string version;                ///< semver
  std::vector<std::string> hardware;  ///< sorted; empty: any
  std::string channel;                ///< empty: every channel
  std::string chip;
  std::uint32_t size = 0;  ///< bytes of the image file
  std::string sha256;      ///< 64 lower-case hex digits
  std::string build;       ///< first 16 hex digits of app_elf_sha256
  std::string project;
  std::string descriptor_version;
  std::string idf_version;
  std::string notes;
  std::int64_t created_at = 0;              ///< Unix seconds
  std::optional<ReleaseManifest> manifest;  ///< absent: a development release, signed by nobody
};

}  // namespace otaria::server
