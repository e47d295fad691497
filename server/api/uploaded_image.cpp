#include "server/api/uploaded_image.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "device/verify/image_checker.hpp"
#include "device/verify/sha256.hpp"
#include "server/api/handlers.hpp"
#include "server/broker/limited_log.hpp"

namespace otaria::server {
namespace {

std::span<const std::uint8_t> bytes_of(const char* data, std::size_t size) {
  return {reinterpret_cast<const std::uint8_t*>(data), size};
}

/// The checks and the digest of the whole file, in one reading.
struct Inspection {
  device::ImageInspector checker{{.require_chip = device::chip::esp32s3}};
  device::Sha256 hash;

  bool update(std::span<const std::uint8_t> bytes) {
    hash.update(bytes);
    return checker.update(bytes);
  }
};

void feed_file(Inspection& inspection, const OpenFile& file) {
  std::array<char, 65536> buffer;
  for (std::uint64_t offset = 0; offset < file.size;) {
    const ssize_t got =
        pread(file.descriptor, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::system_error{errno, std::generic_category(), "reading an upload"};
    if (!inspection.update(bytes_of(buffer.data(), static_cast<std::size_t>(got)))) return;
    offset += static_cast<std::uint64_t>(got);
  }
}

std::string hint_for(device::ImageDefect defect) {
  switch (defect) {
    case device::ImageDefect::wrong_chip:
      return "build the firmware for the ESP32-S3";
    case device::ImageDefect::bad_magic:
      return "send the application image, e.g. .pio/build/<env>/firmware.bin, not a merged or ELF "
             "file";
    case device::ImageDefect::truncated:
    case device::ImageDefect::bad_checksum:
    case device::ImageDefect::bad_hash:
      return "the file is damaged or cut short: build or copy it again";
    default:
      return "look at it with: otaria image inspect FILE";
  }
}

Refusal refusal_of(const device::ImageVerdict& verdict) {
  return {std::string{contract::name_of(device::fault_of(verdict.defect))},
          std::string{device::name_of(verdict.defect)} + " at byte " +
              std::to_string(verdict.offset) + ": found " + std::to_string(verdict.found) +
              ", expected " + std::to_string(verdict.expected),
          hint_for(verdict.defect)};
}

}  // namespace

Outcome<Release> inspect_upload(const Request& request) {
  const std::uint64_t size = request.body_size();
  if (size == 0)
    return Refusal{"bad_request", "the request has no body", "send the image as the body"};
  if (size > largest_image_bytes) {
    return Refusal{"image_too_large",
                   "the image has more than " + std::to_string(largest_image_bytes) + " bytes",
                   "no ESP32-S3 slot holds that much"};
  }
  Inspection inspection;
  device::ImageInspector& checker = inspection.checker;
  if (request.body_file) {
    feed_file(inspection, *request.body_file);
  } else {
    inspection.update(bytes_of(request.body.data(), request.body.size()));
  }
  if (const device::ImageVerdict verdict = checker.finish(); !verdict) return refusal_of(verdict);

  const device::ImageHead head = checker.head();
  const std::array<char, 64> digest = contract::hex_of(inspection.hash.finish());
  const std::array<char, 64> elf = contract::hex_of(head.descriptor.app_elf_sha256);
  Release release;
  release.chip = device::chip_name(head.header.chip_id);
  release.size = static_cast<std::uint32_t>(size);
  release.sha256.assign(digest.data(), digest.size());
  release.build.assign(elf.data(), contract::build_text_bytes);
  release.project = printable(head.descriptor.project_name.view());
  release.descriptor_version = printable(head.descriptor.version.view());
  release.idf_version = printable(head.descriptor.idf_version.view());
  return release;
}

}  // namespace otaria::server
