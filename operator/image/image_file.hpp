#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "contract/digest.hpp"
#include "device/verify/image_checker.hpp"

/// Application images and partition tables as files on the operator's machine.
namespace otaria::image {

struct SegmentReport {
  std::uint32_t data_offset = 0;  ///< in the file
  std::uint32_t load_address = 0;
  std::uint32_t bytes = 0;
  device::SegmentKind kind = device::SegmentKind::unknown;
};

/// Everything worth knowing about an image file, sound or not: what could be read is filled in.
struct ImageReport {
  std::string path;
  std::uint64_t file_bytes = 0;
  contract::Digest file_sha256;  ///< what the contract calls `signature` and `image`
  device::ImageVerdict verdict;
  std::optional<device::ImageHeader> header;  ///< the first byte is 0xE9
  std::optional<device::AppDescriptor> descriptor;
  std::vector<SegmentReport> segments;  ///< as far as they lie inside the file
  std::uint8_t checksum = 0;            ///< with a sound image only, as are the next three
  std::uint32_t image_bytes = 0;        ///< up to and including the appended SHA-256
  contract::Digest appended_sha256;
  bool signature_sector = false;
  bool load_ranges_checked = false;  ///< only the ESP32-S3's are known
  bool congruence_checked = false;
  bool for_development = false;  ///< holds contract::development_marker
};

struct Unreadable {
  std::string reason;  ///< the operating system's words
};

/// SHA-256 and checks in one pass; the file is not held in memory. Any chip is accepted.
/// Expects  device::init_crypto() to have been called.
std::variant<ImageReport, Unreadable> inspect_file(const std::string& path,
                                                   const device::ImagePolicy& policy = {});

/// The whole file; for partition tables and other small things. Refuses more than `limit` bytes.
std::variant<std::vector<std::uint8_t>, Unreadable> read_file(const std::string& path,
                                                              std::uint64_t limit);
/// Writes through a temporary name beside the target, so that a reader sees the old or the new
/// file. Empty: success.
std::string write_file(const std::string& path, const std::vector<std::uint8_t>& bytes);

}  // namespace otaria::image
