#include "operator/image/image_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "contract/development_marker.hpp"

namespace otaria::image {
namespace {

struct Closer {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

File open_file(const std::string& path, const char* mode) {
  return File{std::fopen(path.c_str(), mode)};
}

Unreadable last_error() {
  return {std::strerror(errno)};
}

bool read_at(std::FILE* file, std::uint64_t offset, std::span<std::uint8_t> into) {
  return std::fseek(file, static_cast<long>(offset), SEEK_SET) == 0 &&
         std::fread(into.data(), 1, into.size(), file) == into.size();
}

/// Walks the segment headers again: the checker keeps none of them.
std::vector<SegmentReport> read_segments(std::FILE* file, const ImageReport& report) {
  std::vector<SegmentReport> segments;
  std::uint64_t offset = device::image_header_bytes;
  for (int i = 0; i < report.header->segment_count; ++i) {
    std::array<std::uint8_t, device::segment_header_bytes> bytes;
    if (!read_at(file, offset, bytes)) break;
    const device::Segment segment = device::read_segment(bytes.data());
    offset += device::segment_header_bytes;
    segments.push_back({static_cast<std::uint32_t>(offset),
                        segment.load_address,
                        segment.bytes,
                        device::segment_kind(report.header->chip_id, segment.load_address)});
    offset += segment.bytes;
    if (offset > report.file_bytes) break;
  }
  return segments;
}

void read_head(std::FILE* file, ImageReport& report) {
  std::array<std::uint8_t, device::image_header_bytes> header;
  if (!read_at(file, 0, header) || header[0] != device::image_magic) return;
  report.header = device::read_image_header(header);
  report.segments = read_segments(file, report);
  std::array<std::uint8_t, device::descriptor_bytes> descriptor;
  if (!read_at(file, device::descriptor_offset, descriptor)) return;
  if (device::read_u32(descriptor.data()) != device::descriptor_magic) return;
  report.descriptor = device::read_app_descriptor(descriptor);
}

void read_trailer(std::FILE* file, const device::ImageChecker& checker, ImageReport& report) {
  report.image_bytes = checker.image_bytes();
  report.appended_sha256 = checker.appended_digest();
  report.signature_sector = checker.has_signature_sector();
  std::array<std::uint8_t, 1> checksum;
  if (read_at(file, report.image_bytes - device::appended_hash_bytes - 1, checksum)) {
    report.checksum = checksum[0];
  }
}

/// Looks for contract::development_marker in bytes that arrive in pieces.
class MarkerFinder {
 public:
  void update(std::span<const std::uint8_t> piece) {
    window_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    found_ = found_ || window_.find(contract::development_marker) != std::string::npos;
    constexpr std::size_t kept = contract::development_marker.size() - 1;
    if (window_.size() > kept) window_.erase(0, window_.size() - kept);
  }
  [[nodiscard]] bool found() const { return found_; }

 private:
  std::string window_;
  bool found_ = false;
};

}  // namespace

std::variant<ImageReport, Unreadable> inspect_file(const std::string& path,
                                                   const device::ImagePolicy& policy) {
  if (std::filesystem::is_directory(path)) return Unreadable{"Is a directory"};
  const File file = open_file(path, "rb");
  if (!file) return last_error();
  ImageReport report;
  report.path = path;
  device::Sha256 hash;
  device::ImageChecker checker{policy};
  std::vector<std::uint8_t> buffer(std::size_t{64} * 1024);
  MarkerFinder marker;
  while (const std::size_t length = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    const auto piece = std::span{buffer}.first(length);
    marker.update(piece);
    hash.update(piece);
    checker.update(piece);
    report.file_bytes += length;
  }
  if (std::ferror(file.get()) != 0) return last_error();
  report.file_sha256 = hash.finish();
  report.verdict = checker.finish();
  report.for_development = marker.found();
  read_head(file.get(), report);
  if (report.verdict) read_trailer(file.get(), checker, report);
  if (report.header) {
    report.load_ranges_checked = device::load_ranges_known(report.header->chip_id);
    report.congruence_checked = device::mapped_ranges_known(report.header->chip_id);
  }
  return report;
}

std::variant<std::vector<std::uint8_t>, Unreadable> read_file(const std::string& path,
                                                              std::uint64_t limit) {
  if (std::filesystem::is_directory(path)) return Unreadable{"Is a directory"};
  const File file = open_file(path, "rb");
  if (!file) return last_error();
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 4096> buffer;
  while (const std::size_t length = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(length));
    if (bytes.size() > limit) return Unreadable{"larger than " + std::to_string(limit) + " bytes"};
  }
  if (std::ferror(file.get()) != 0) return last_error();
  return bytes;
}

std::string write_file(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  const std::string temporary = path + ".part";
  File file = open_file(temporary, "wb");
  if (!file) return last_error().reason;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  const bool flushed = std::fclose(file.release()) == 0;
  if (written && flushed && std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  std::string reason = last_error().reason;
  (void)std::remove(temporary.c_str());
  return reason;
}

}  // namespace otaria::image
