#include "device/verify/image_in_flash.hpp"

#include <algorithm>
#include <array>

namespace otaria::device {

Result<ImageIdentity> image_length_in_flash(Flash& flash, std::uint32_t base, std::uint32_t limit) {
  if (limit < image_header_bytes) return Error{Fault::too_large, image_header_bytes, limit};
  std::array<std::uint8_t, image_header_bytes> bytes;
  if (Status read = flash.read(base, bytes); !read) return read.error();
  const ImageHeader header = read_image_header(bytes);
  if (header.magic != image_magic) return Error{Fault::not_an_image, header.magic, image_magic};
  if (header.segment_count == 0 || header.segment_count > max_segments) {
    return Error{Fault::not_an_image, header.segment_count, max_segments};
  }
  if (!header.hash_appended) return Error{Fault::not_an_image, bytes[23], 1};
  std::uint64_t offset = image_header_bytes;
  for (std::uint32_t i = 0; i < header.segment_count; ++i) {
    if (offset + segment_header_bytes > limit) {
      return Error{
          Fault::too_large, static_cast<std::int64_t>(offset + segment_header_bytes), limit};
    }
    const auto into = std::span{bytes}.first(segment_header_bytes);
    if (Status read = flash.read(base + static_cast<std::uint32_t>(offset), into); !read) {
      return read.error();
    }
    const Segment segment = read_segment(into.data());
    if (segment.bytes % 4 != 0 || segment.bytes >= max_segment_bytes) {
      return Error{Fault::not_an_image, segment.bytes, max_segment_bytes};
    }
    offset += segment_header_bytes + segment.bytes;
  }
  const std::uint64_t digest_at = checksum_end(offset);
  const std::uint64_t end = digest_at + appended_hash_bytes;
  if (end > limit) return Error{Fault::too_large, static_cast<std::int64_t>(end), limit};
  ImageIdentity identity;
  identity.bytes = static_cast<std::uint32_t>(end);
  if (Status read =
          flash.read(base + static_cast<std::uint32_t>(digest_at), identity.appended_digest.bytes);
      !read) {
    return read.error();
  }
  return identity;
}

Status check_image_in_flash(Flash& flash,
                            std::uint32_t base,
                            std::uint32_t limit,
                            ImageChecker& checker) {
  std::array<std::uint8_t, 512> buffer;
  while (!checker.image_complete() && checker.position() < limit) {
    const std::uint32_t length = std::min(
        {static_cast<std::uint32_t>(buffer.size()), checker.wanted(), limit - checker.position()});
    const auto piece = std::span{buffer}.first(length);
    if (Status read = flash.read(base + checker.position(), piece); !read) return read;
    if (!checker.update(piece)) return status_of(checker.verdict());
  }
  return status_of(checker.finish());
}

}  // namespace otaria::device
