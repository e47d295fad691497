#include "device/verify/image_checker.hpp"

#include <algorithm>

namespace otaria::device {
namespace {

constexpr std::string_view defect_names[] = {"none",
                                             "bad_magic",
                                             "wrong_chip",
                                             "bad_segment_count",
                                             "no_appended_hash",
                                             "bad_segment_length",
                                             "bad_load_address",
                                             "bad_congruence",
                                             "no_descriptor",
                                             "truncated",
                                             "bad_checksum",
                                             "bad_hash",
                                             "trailing_bytes",
                                             "too_large"};
static_assert(std::size(defect_names) == static_cast<std::size_t>(ImageDefect::too_large) + 1);

std::uint32_t first_four(std::span<const std::uint8_t> digest) {
  return static_cast<std::uint32_t>(digest[0]) << 24 | digest[1] << 16 | digest[2] << 8 | digest[3];
}

constexpr std::uint32_t smallest_image =
    image_head_bytes + checksum_alignment + appended_hash_bytes;

}  // namespace

std::string_view name_of(ImageDefect defect) {
  return defect_names[static_cast<std::size_t>(defect)];
}

contract::Fault fault_of(ImageDefect defect) {
  switch (defect) {
    case ImageDefect::none:
      return contract::Fault::none;
    case ImageDefect::wrong_chip:
      return contract::Fault::wrong_chip;
    case ImageDefect::too_large:
      return contract::Fault::too_large;
    case ImageDefect::truncated:
    case ImageDefect::bad_checksum:
    case ImageDefect::bad_hash:
      return contract::Fault::digest_mismatch;
    default:
      return contract::Fault::not_an_image;
  }
}

Status status_of(const ImageVerdict& verdict) {
  return Error{fault_of(verdict.defect), verdict.found, verdict.expected};
}

void ImageChecker::reset(ImagePolicy policy) {
  policy_ = policy;
  verdict_ = {};
  hash_.reset();
  appended_ = {};
  position_ = 0;
  image_bytes_ = 0;
  segments_left_ = 0;
  checksum_ = checksum_start;
  enter(Phase::header, image_header_bytes);
}

std::uint32_t ImageChecker::wanted() const {
  return image_complete() ? 0 : part_start_ + part_bytes_ - position_;
}

bool ImageChecker::update(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && verdict_.defect == ImageDefect::none) {
    if (phase_ == Phase::done) {
      fail(ImageDefect::trailing_bytes, position_, bytes[0], 0);
      break;
    }
    if (position_ >= policy_.max_bytes) {
      fail(ImageDefect::too_large, position_, position_ + 1, policy_.max_bytes);
      break;
    }
    const std::size_t left = std::min(part_start_ + part_bytes_, policy_.max_bytes) - position_;
    const auto piece = bytes.first(std::min(bytes.size(), left));
    take(piece);
    bytes = bytes.subspan(piece.size());
  }
  hash_.update(bytes);  // behind a defect: nothing but the file's digest
  return verdict_.defect == ImageDefect::none;
}

/// A piece that lies wholly inside the current part.
void ImageChecker::take(std::span<const std::uint8_t> piece) {
  const std::uint32_t before = position_;
  if (before < head_.size()) {
    const std::size_t length = std::min<std::size_t>(piece.size(), head_.size() - before);
    std::copy_n(piece.begin(), length, head_.begin() + before);
  }
  hash_.update(piece);
  take_part(piece);
  if (verdict_.defect != ImageDefect::none) return;
  last_byte_ = piece.back();
  position_ = static_cast<std::uint32_t>(before + piece.size());
  constexpr std::uint32_t magic_end = descriptor_offset + 4;
  if (before < magic_end && position_ >= magic_end) check_descriptor_magic();
  if (verdict_.defect == ImageDefect::none && position_ == part_start_ + part_bytes_) end_of_part();
}

void ImageChecker::take_part(std::span<const std::uint8_t> piece) {
  switch (phase_) {
    case Phase::segment_data:
      for (std::uint8_t byte : piece) checksum_ ^= byte;
      break;
    case Phase::segment_header:
      std::copy(piece.begin(), piece.end(), part_.begin() + (position_ - part_start_));
      break;
    case Phase::digest:
      take_digest(piece);
      break;
    case Phase::sector_padding:
      for (std::size_t i = 0; i < piece.size(); ++i) {
        if (piece[i] == 0xFF) continue;
        fail(
            ImageDefect::trailing_bytes, static_cast<std::uint32_t>(position_ + i), piece[i], 0xFF);
        return;
      }
      break;
    case Phase::signature_sector:
      if (position_ == part_start_ && piece[0] != signature_sector_magic) {
        fail(ImageDefect::trailing_bytes, position_, piece[0], signature_sector_magic);
      }
      break;
    default:
      break;  // the header is kept in head_, of the checksum's block only the last byte counts
  }
}

// Compared as it comes; its first bytes are kept for the report.
void ImageChecker::take_digest(std::span<const std::uint8_t> piece) {
  std::size_t at = position_ - part_start_;
  for (const std::uint8_t byte : piece) {
    if (at < part_.size()) part_[at] = byte;
    digest_differs_ = digest_differs_ || byte != appended_.bytes[at];
    ++at;
  }
}

void ImageChecker::end_of_part() {
  switch (phase_) {
    case Phase::header:
      check_header();
      break;
    case Phase::segment_header:
      check_segment_header();
      break;
    case Phase::segment_data:
      enter_after_segment();
      break;
    case Phase::checksum:
      check_checksum();
      break;
    case Phase::digest:
      check_digest();
      break;
    case Phase::sector_padding:
      enter(Phase::signature_sector, signature_sector_bytes);
      break;
    case Phase::signature_sector:
      enter(Phase::done, 0);
      break;
    case Phase::done:
      break;
  }
}

void ImageChecker::enter(Phase phase, std::uint32_t bytes) {
  phase_ = phase;
  part_start_ = position_;
  part_bytes_ = bytes;
}

void ImageChecker::enter_after_segment() {
  if (segments_left_ > 0) {
    enter(Phase::segment_header, segment_header_bytes);
    return;
  }
  const auto block_end = static_cast<std::uint32_t>(checksum_end(position_));
  enter(Phase::checksum, block_end - position_);
}

void ImageChecker::check_header() {
  const ImageHeader header = read_image_header(
      std::span<const std::uint8_t, descriptor_offset + 4>{head_}.first<image_header_bytes>());
  if (header.magic != image_magic)
    return fail(ImageDefect::bad_magic, 0, header.magic, image_magic);
  if (policy_.require_chip && header.chip_id != *policy_.require_chip) {
    return fail(ImageDefect::wrong_chip, 12, header.chip_id, *policy_.require_chip);
  }
  if (header.segment_count == 0 || header.segment_count > max_segments) {
    return fail(ImageDefect::bad_segment_count, 1, header.segment_count, max_segments);
  }
  if (!header.hash_appended) return fail(ImageDefect::no_appended_hash, 23, head_[23], 1);
  segments_left_ = header.segment_count;
  enter(Phase::segment_header, segment_header_bytes);
}

void ImageChecker::check_segment_header() {
  const Segment segment = read_segment(part_.data());
  const std::uint32_t at = part_start_;
  if (segment.bytes % 4 != 0 || segment.bytes >= max_segment_bytes) {
    return fail(ImageDefect::bad_segment_length, at + 4, segment.bytes, max_segment_bytes);
  }
  const std::uint16_t chip_id = read_u16(&head_[12]);
  const SegmentKind kind = segment_kind(chip_id, segment.load_address);
  const std::uint32_t data = at + segment_header_bytes;
  if (kind == SegmentKind::illegal) {
    return fail(ImageDefect::bad_load_address, at, segment.load_address, 0);
  }
  // The slot starts on a 64 KiB boundary, so the file offset stands for the flash offset.
  if (is_mapped(kind) && data % mapped_page_bytes != segment.load_address % mapped_page_bytes) {
    return fail(ImageDefect::bad_congruence,
                at,
                segment.load_address % mapped_page_bytes,
                data % mapped_page_bytes);
  }
  if (at == image_header_bytes && segment.bytes < descriptor_bytes) {
    return fail(ImageDefect::no_descriptor, at + 4, segment.bytes, descriptor_bytes);
  }
  if (!fits(checksum_end(std::uint64_t{data} + segment.bytes) + appended_hash_bytes)) return;
  --segments_left_;
  enter(Phase::segment_data, segment.bytes);
  if (segment.bytes == 0) enter_after_segment();
}

void ImageChecker::check_descriptor_magic() {
  const std::uint32_t magic = read_u32(&head_[descriptor_offset]);
  if (magic != descriptor_magic) {
    fail(ImageDefect::no_descriptor, descriptor_offset, magic, descriptor_magic);
  }
}

void ImageChecker::check_checksum() {
  if (last_byte_ != checksum_) {
    return fail(ImageDefect::bad_checksum, position_ - 1, last_byte_, checksum_);
  }
  appended_ = hash_.peek();
  digest_differs_ = false;
  enter(Phase::digest, appended_hash_bytes);
}

void ImageChecker::check_digest() {
  if (digest_differs_) {
    return fail(ImageDefect::bad_hash, part_start_, first_four(part_), first_four(appended_.bytes));
  }
  image_bytes_ = position_;
  const std::uint32_t over = position_ % signature_sector_bytes;
  if (over == 0) {
    enter(Phase::sector_padding, 0);
    phase_ = Phase::signature_sector;
    part_bytes_ = signature_sector_bytes;
  } else {
    enter(Phase::sector_padding, signature_sector_bytes - over);
  }
}

ImageVerdict ImageChecker::finish() {
  if (verdict_.defect != ImageDefect::none) return verdict_;
  if (phase_ == Phase::done || (image_complete() && position_ == image_bytes_)) return verdict_;
  // A web page shorter than the header: saying that it was cut short would lead astray.
  if (position_ > 0 && head_[0] != image_magic) {
    fail(ImageDefect::bad_magic, 0, head_[0], image_magic);
    return verdict_;
  }
  const std::uint32_t expected = std::max(part_start_ + part_bytes_, smallest_image);
  fail(ImageDefect::truncated, position_, position_, expected);
  return verdict_;
}

bool ImageChecker::fits(std::uint64_t end) {
  constexpr std::uint64_t largest = 0xFFFFFFFF;
  if (end <= policy_.max_bytes && end < largest) return true;
  fail(ImageDefect::too_large,
       position_,
       static_cast<std::uint32_t>(std::min(end, largest)),
       policy_.max_bytes);
  return false;
}

bool ImageInspector::update(std::span<const std::uint8_t> bytes) {
  const std::uint32_t before = position();
  if (before < head_.size() && verdict().defect == ImageDefect::none) {
    const std::size_t length = std::min<std::size_t>(bytes.size(), head_.size() - before);
    std::copy_n(bytes.begin(), length, head_.begin() + before);
  }
  return ImageChecker::update(bytes);
}

ImageHead ImageInspector::head() const {
  const std::span<const std::uint8_t, image_head_bytes> bytes{head_};
  return {read_image_header(bytes.first<image_header_bytes>()),
          read_app_descriptor(bytes.subspan<descriptor_offset, descriptor_bytes>())};
}

void ImageChecker::fail(ImageDefect defect,
                        std::uint32_t offset,
                        std::uint32_t found,
                        std::uint32_t expected) {
  verdict_ = {defect, offset, found, expected};
}

}  // namespace otaria::device
