#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "contract/digest.hpp"
#include "device/verify/image_format.hpp"

namespace otaria::image {

/// An application image that has everything but a program in it: for demonstrations and tests.
struct MakeOptions {
  std::string version = "1.0.0";  ///< at most 31 characters, as the next two
  std::string project = "sensor";
  std::string idf_version = "v5.5.1";
  std::string date;  ///< at most 15 characters; empty, as a reproducible build leaves it
  std::string time;
  std::uint32_t bytes = 256 * 1024;            ///< of the file, a multiple of 16
  std::uint16_t chip = device::chip::esp32s3;  ///< esp32, esp32s2, esp32c3 or esp32s3
  std::uint32_t secure_version = 0;
  std::optional<contract::Digest> elf_sha256;  ///< none: derived from project, version and seed
  /// Two images of one seed are alike: of every 1000 blocks of 64 bytes `changed_per_mille` are the
  /// version's own.
  std::uint64_t seed = 1;
  std::uint32_t changed_per_mille = 20;
};

inline constexpr std::uint32_t smallest_made_image = 384;
inline constexpr std::uint32_t largest_made_image = 16 * 1024 * 1024 - 16;

/// Header, segments, checksum and appended SHA-256 as esptool lays them: DROM with the descriptor,
/// DRAM, padding up to the next page, IROM, IRAM; below 256 KiB only DROM and IRAM. The same
/// options give the same bytes. Throws   std::invalid_argument, with a sentence for the user, for
/// options that make no image. Expects  device::init_crypto() to have been called.
std::vector<std::uint8_t> make_image(const MakeOptions& options);

}  // namespace otaria::image
