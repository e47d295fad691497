#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/digest.hpp"
#include "device/result/result.hpp"
#include "device/verify/image_format.hpp"
#include "device/verify/sha256.hpp"

namespace otaria::device {

/// What is wrong with an image. The names are what `otaria image inspect` prints as the error's
/// code.
enum class ImageDefect : std::uint8_t {
  none,
  bad_magic,
  wrong_chip,
  bad_segment_count,
  no_appended_hash,
  bad_segment_length,
  bad_load_address,
  bad_congruence,
  no_descriptor,
  truncated,
  bad_checksum,
  bad_hash,
  trailing_bytes,
  too_large,
};
std::string_view name_of(ImageDefect defect);
/// What the device reports for it.
contract::Fault fault_of(ImageDefect defect);

/// The first defect found, where, and the figures: found and expected value (for too_large: needed
/// and allowed bytes; for bad_hash: the first four bytes of each digest, big-endian).
struct ImageVerdict {
  ImageDefect defect = ImageDefect::none;
  std::uint32_t offset = 0;
  std::uint32_t found = 0;
  std::uint32_t expected = 0;

  explicit operator bool() const { return defect == ImageDefect::none; }
};
Status status_of(const ImageVerdict& verdict);

struct ImagePolicy {
  std::optional<std::uint16_t> require_chip;  ///< none: any chip, as for `image inspect`
  std::uint32_t max_bytes = 0xFFFFFFFF;       ///< size of the slot
};

struct ImageHead {
  ImageHeader header;
  AppDescriptor descriptor;
};

/// Checks an ESP application image while it streams by, in pieces of any length.
///
/// Order    as ESP-IDF's esp_image_verify, but for hash_appended, which is judged with the header
/// so that a device
///          refuses such an image before it erases anything: magic, chip, segment count,
///          hash_appended; per segment length, load address (ESP32-S3), 64 KiB congruence (chips
///          whose flash windows are known); descriptor; checksum; SHA-256; end.
/// End      the digest, or after it 0xFF up to the next 4 KiB boundary and one Secure Boot v2
/// signature sector
///          (4096 bytes, first byte 0xE7; its contents are the bootloader's business and are not
///          looked at).
/// Not covered  nothing up to the digest; of a signature sector all but its first byte.
/// Hash     one for both digests: that of the file goes on where the image's own ends.
/// Memory   about 350 bytes, no heap.
/// Source   docs/spec/image.md.
class ImageChecker {
 public:
  explicit ImageChecker(ImagePolicy policy = {}) : policy_{policy} {}
  /// Forgets everything and starts with another image.
  void reset(ImagePolicy policy);

  /// False as soon as a defect is known; of the rest only file_digest() takes note.
  bool update(std::span<const std::uint8_t> bytes);
  /// The file ends here. Nothing may follow but reset().
  ImageVerdict finish();
  [[nodiscard]] const ImageVerdict& verdict() const { return verdict_; }

  /// Header and descriptor are in and sound, up to their own checks.
  [[nodiscard]] bool has_head() const {
    return verdict_.defect == ImageDefect::none && position_ >= image_head_bytes;
  }
  /// The image up to and including its appended SHA-256 is in, and right.
  [[nodiscard]] bool image_complete() const {
    return verdict_.defect == ImageDefect::none && phase_ >= Phase::sector_padding;
  }
  /// Length up to and including the appended SHA-256; only with image_complete().
  [[nodiscard]] std::uint32_t image_bytes() const { return image_bytes_; }
  [[nodiscard]] const contract::Digest& appended_digest() const { return appended_; }
  [[nodiscard]] bool has_signature_sector() const { return phase_ == Phase::done; }
  /// SHA-256 of all bytes so far, those behind a defect included: what a file is named by.
  [[nodiscard]] contract::Digest file_digest() const { return hash_.peek(); }
  /// Bytes seen so far.
  [[nodiscard]] std::uint32_t position() const { return position_; }
  /// How many bytes may be fed before the image can be complete: never 0 until it is.
  [[nodiscard]] std::uint32_t wanted() const;

 private:
  enum class Phase : std::uint8_t {
    header,
    segment_header,
    segment_data,
    checksum,
    digest,
    sector_padding,
    signature_sector,
    done,
  };

  void take(std::span<const std::uint8_t> piece);
  void take_part(std::span<const std::uint8_t> piece);
  void end_of_part();
  void enter(Phase phase, std::uint32_t bytes);
  void enter_after_segment();
  void check_header();
  void check_segment_header();
  void check_descriptor_magic();
  void check_checksum();
  void take_digest(std::span<const std::uint8_t> piece);
  void check_digest();
  void fail(ImageDefect defect, std::uint32_t offset, std::uint32_t found, std::uint32_t expected);
  bool fits(std::uint64_t end);

  ImagePolicy policy_;
  ImageVerdict verdict_;
  Sha256 hash_;
  /// What is judged of the head: the header, and the descriptor's magic behind it.
  std::array<std::uint8_t, descriptor_offset + 4> head_{};
  std::array<std::uint8_t, segment_header_bytes> part_{};  ///< of a segment's header or the digest
  contract::Digest appended_;  ///< what the appended digest must be; once it was right: that
  std::uint32_t position_ = 0;
  std::uint32_t part_start_ = 0;
  std::uint32_t part_bytes_ = image_header_bytes;
  std::uint32_t image_bytes_ = 0;
  Phase phase_ = Phase::header;
  std::uint8_t segments_left_ = 0;
  std::uint8_t checksum_ = checksum_start;
  std::uint8_t last_byte_ = 0;
  bool digest_differs_ = false;
};

/// The same, and it keeps header and descriptor for who wants to read them.
/// Memory   288 bytes more.
class ImageInspector final : public ImageChecker {
 public:
  using ImageChecker::ImageChecker;
  bool update(std::span<const std::uint8_t> bytes);
  /// Only with has_head().
  [[nodiscard]] ImageHead head() const;

 private:
  std::array<std::uint8_t, image_head_bytes> head_{};
};

}  // namespace otaria::device
