#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "device/verify/image_format.hpp"
#include "device/verify/sha256.hpp"

/// For tests: the 416-byte application image that esptool v4.8.1 and v5.3.1 report as valid, and
/// the means to spoil it.
namespace otaria::device {

using Bytes = std::vector<std::uint8_t>;

inline void put_text(Bytes& bytes, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Puts checksum and appended SHA-256 right again after a change; `digest_at`: offset of the
/// digest.
inline void reseal(Bytes& image, std::size_t digest_at) {
  std::uint8_t checksum = checksum_start;
  std::size_t at = image_header_bytes;
  for (int i = 0; i < image[1] && at + segment_header_bytes <= digest_at; ++i) {
    const std::size_t length = read_segment(&image[at]).bytes;
    at += segment_header_bytes;
    for (std::size_t end = std::min(at + length, digest_at); at < end; ++at) checksum ^= image[at];
  }
  image[digest_at - 1] = checksum;
  image.resize(digest_at);
  const contract::Digest digest = sha256_of(image);
  image.insert(image.end(), digest.bytes.begin(), digest.bytes.end());
}

inline constexpr std::size_t golden_digest_at = 0x180;
inline constexpr std::size_t golden_second_segment = 0x150;

inline Bytes golden_image() {
  Bytes image(golden_digest_at, 0);
  constexpr std::uint8_t header[] = {0xE9, 2, 0x02, 0x2F, 0x00, 0x40, 0x37, 0x40, 0xEE, 0, 0, 0,
                                     9,    0, 0,    0,    0,    99,   0,    0,    0,    0, 0, 1};
  std::copy(std::begin(header), std::end(header), image.begin());
  write_u32(&image[0x18], 0x3C000020);
  write_u32(&image[0x1C], 0x130);
  write_u32(&image[0x20], descriptor_magic);
  put_text(image, 0x20 + 16, "1.2.3");
  put_text(image, 0x20 + 48, "fleet-agent");
  put_text(image, 0x20 + 80, "12:34:56");
  put_text(image, 0x20 + 96, "Jan  1 2026");
  put_text(image, 0x20 + 112, "v5.5.5");
  for (std::uint8_t i = 0; i < 32; ++i) image[0x20 + 144 + i] = i;
  write_u16(&image[0x20 + 178], 199);
  image[0x20 + 180] = 16;
  for (std::size_t i = 0; i < 4; ++i) put_text(image, 0x120 + 12 * i, "hello world!");
  write_u32(&image[golden_second_segment], 0x40374000);
  write_u32(&image[golden_second_segment + 4], 0x20);
  constexpr std::uint8_t code[] = {0x36, 0x41, 0x00, 0x1D, 0xF0};
  std::copy(std::begin(code), std::end(code), image.begin() + golden_second_segment + 8);
  reseal(image, golden_digest_at);
  return image;
}

/// The golden image, padded and followed by a sector as Secure Boot v2 signing leaves it.
inline Bytes signed_golden_image() {
  Bytes image = golden_image();
  image.resize(signature_sector_bytes, 0xFF);
  image.resize(std::size_t{2} * signature_sector_bytes, 0xFF);
  image[signature_sector_bytes] = signature_sector_magic;
  image[signature_sector_bytes + 1] = 2;
  return image;
}

}  // namespace otaria::device
