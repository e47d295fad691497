#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/digest.hpp"
#include "contract/text.hpp"
#include "contract/vocabulary.hpp"

/// The ESP application image as it lies in a file or a slot.
/// Units   offsets from the start of the image, bytes; integers little-endian.
/// Source  docs/spec/image.md; ESP-IDF esp_app_format.h, esp_image_format.c, esp_app_desc.h.
namespace otaria::device {

inline constexpr std::uint8_t image_magic = 0xE9;
inline constexpr std::uint32_t image_header_bytes = 24;
inline constexpr std::uint32_t segment_header_bytes = 8;
inline constexpr std::uint32_t max_segments = 16;
inline constexpr std::uint32_t max_segment_bytes = 0x1000000;  ///< a segment is shorter than this
inline constexpr std::uint32_t descriptor_offset = image_header_bytes + segment_header_bytes;
inline constexpr std::uint32_t descriptor_bytes = 256;
inline constexpr std::uint32_t descriptor_magic = 0xABCD5432;
/// Everything an updater needs to judge an image stands in its first 288 bytes.
inline constexpr std::uint32_t image_head_bytes = descriptor_offset + descriptor_bytes;
inline constexpr std::uint8_t checksum_start = 0xEF;
inline constexpr std::uint32_t checksum_alignment = 16;
inline constexpr std::uint32_t appended_hash_bytes = 32;
inline constexpr std::uint32_t mapped_page_bytes = 0x10000;
inline constexpr std::uint32_t signature_sector_bytes = 4096;
inline constexpr std::uint8_t signature_sector_magic = 0xE7;

constexpr std::uint16_t read_u16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] | at[1] << 8);
}
constexpr std::uint32_t read_u32(const std::uint8_t* at) {
  return read_u16(at) | static_cast<std::uint32_t>(read_u16(at + 2)) << 16;
}
constexpr void write_u16(std::uint8_t* at, std::uint16_t value) {
  at[0] = static_cast<std::uint8_t>(value & 0xFF);
  at[1] = static_cast<std::uint8_t>(value >> 8);
}
constexpr void write_u32(std::uint8_t* at, std::uint32_t value) {
  write_u16(at, static_cast<std::uint16_t>(value & 0xFFFF));
  write_u16(at + 2, static_cast<std::uint16_t>(value >> 16));
}

/// `chip_id` of the header. Values not named here exist; chip_name() then says so.
namespace chip {
inline constexpr std::uint16_t esp32 = 0;
inline constexpr std::uint16_t esp32s2 = 2;
inline constexpr std::uint16_t esp32c3 = 5;
inline constexpr std::uint16_t esp32s3 = 9;
inline constexpr std::uint16_t esp32c2 = 0x0C;
inline constexpr std::uint16_t esp32c6 = 0x0D;
inline constexpr std::uint16_t esp32h2 = 0x10;
inline constexpr std::uint16_t esp32p4 = 0x12;
inline constexpr std::uint16_t esp32c61 = 0x14;
inline constexpr std::uint16_t esp32c5 = 0x17;
}  // namespace chip

/// "esp32s3" for 9; "unknown" for an id without a name.
std::string_view chip_name(std::uint16_t id);
std::optional<std::uint16_t> chip_from(std::string_view name);

/// What a load address means for the second-stage bootloader.
enum class SegmentKind : std::uint8_t {
  padding,  ///< below 0x10000000: skipped, but counted in checksum and hash
  drom,     ///< mapped read-only data, not copied
  irom,     ///< mapped code, not copied
  iram,
  dram,
  rtc_fast,
  rtc_slow,
  illegal,  ///< no legal load range of the ESP32-S3
  unknown,  ///< a chip whose load ranges are not known here
};
std::string_view name_of(SegmentKind kind);

/// Mapped and padding segments are told apart on ESP32, S2, S3 and C3; all load ranges are known
/// for the S3 alone.
SegmentKind segment_kind(std::uint16_t chip_id, std::uint32_t load_address);
constexpr bool is_mapped(SegmentKind kind) {
  return kind == SegmentKind::drom || kind == SegmentKind::irom;
}
constexpr bool load_ranges_known(std::uint16_t chip_id) {
  return chip_id == chip::esp32s3;
}
bool mapped_ranges_known(std::uint16_t chip_id);

struct Segment {
  std::uint32_t load_address = 0;
  std::uint32_t bytes = 0;
};
constexpr Segment read_segment(const std::uint8_t* at) {
  return {read_u32(at), read_u32(at + 4)};
}

struct ImageHeader {
  std::uint8_t magic = 0;
  std::uint8_t segment_count = 0;
  std::uint8_t spi_mode = 0;
  std::uint8_t spi_speed = 0;   ///< low nibble of byte 3
  std::uint8_t flash_size = 0;  ///< high nibble of byte 3: 1 MB << value
  std::uint32_t entry_address = 0;
  std::uint16_t chip_id = 0;
  std::uint16_t min_chip_revision = 0;  ///< major * 100 + minor
  std::uint16_t max_chip_revision = 0;  ///< 0 and 65535: not set
  bool hash_appended = false;
};
ImageHeader read_image_header(std::span<const std::uint8_t, image_header_bytes> bytes);

/// esp_app_desc_t. Texts end at their first NUL, or fill their field; any byte may stand in them.
struct AppDescriptor {
  std::uint32_t secure_version = 0;
  contract::Text<32> version;
  contract::Text<32> project_name;
  contract::Text<16> time;
  contract::Text<16> date;
  contract::Text<32> idf_version;
  contract::Digest app_elf_sha256;
  std::uint16_t min_efuse_block_revision = 0;
  std::uint16_t max_efuse_block_revision = 0;
  std::uint8_t mmu_page_log2 = 0;  ///< 0 in images of before ESP-IDF 5.4
};
AppDescriptor read_app_descriptor(std::span<const std::uint8_t, descriptor_bytes> bytes);

/// What names a build: the first 16 hex digits of its app_elf_sha256.
contract::Text<contract::build_text_bytes> build_of(const AppDescriptor& descriptor);
/// A time that had certainly passed when it was built, Unix seconds: the day before its `date`
/// (`Nov 25 2026`, as __DATE__ writes it, in a time zone that nobody knows). 0: no such date, as in
/// reproducible builds.
std::uint32_t build_time_of(const AppDescriptor& descriptor);

/// Where the checksum byte's block ends for segments that end at `segments_end`: the hash begins
/// there.
constexpr std::uint64_t checksum_end(std::uint64_t segments_end) {
  return (segments_end / checksum_alignment + 1) * checksum_alignment;
}

}  // namespace otaria::device
