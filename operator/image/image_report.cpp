#include "operator/image/image_report.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

namespace otaria::image {
namespace {

using device::ImageDefect;

template <class... Figures>
std::string text(const char* format, Figures... figures) {
  char buffer[200];
  (void)std::snprintf(buffer, sizeof buffer, format, figures...);
  return buffer;
}

std::string chip_text(std::uint32_t id) {
  return std::string{device::chip_name(static_cast<std::uint16_t>(id))} + " (" +
         std::to_string(id) + ")";
}

std::string defect_detail(const device::ImageVerdict& v) {
  switch (v.defect) {
    case ImageDefect::none:
      return "the image is sound";
    case ImageDefect::bad_magic:
      return text(
          "the first byte is 0x%02X, an application image begins with 0x%02X", v.found, v.expected);
    case ImageDefect::wrong_chip:
      return "the image is for " + chip_text(v.found) + ", expected was " + chip_text(v.expected);
    case ImageDefect::bad_segment_count:
      return text("the header names %u segments, 1 to %u are possible", v.found, v.expected);
    case ImageDefect::no_appended_hash:
      return text("hash_appended is %u: nothing but a one-byte checksum would protect this image",
                  v.found);
    case ImageDefect::bad_segment_length:
      return text("a segment of %u bytes at offset 0x%X: not a multiple of 4, or 16 MiB and more",
                  v.found,
                  v.offset);
    case ImageDefect::bad_load_address:
      return text(
          "load address 0x%08X at offset 0x%X lies in no memory of this chip", v.found, v.offset);
    case ImageDefect::bad_congruence:
      return text(
          "mapped segment at offset 0x%X: load address 0x%X within its 64 KiB page, its data 0x%X",
          v.offset,
          v.found,
          v.expected);
    case ImageDefect::no_descriptor:
      return text("no application descriptor at offset 0x20: found 0x%X, expected 0x%X",
                  v.found,
                  v.expected);
    case ImageDefect::truncated:
      return text("the file ends after %u bytes, at least %u are needed", v.found, v.expected);
    case ImageDefect::bad_checksum:
      return text("the checksum byte at offset 0x%X is 0x%02X, computed 0x%02X",
                  v.offset,
                  v.found,
                  v.expected);
    case ImageDefect::bad_hash:
      if (v.found == v.expected) {
        return text("the appended SHA-256 at offset 0x%X differs behind its first four bytes",
                    v.offset);
      }
      return text("the appended SHA-256 at offset 0x%X begins %08x, computed %08x",
                  v.offset,
                  v.found,
                  v.expected);
    case ImageDefect::trailing_bytes:
      return text("byte 0x%02X at offset 0x%X, where the image has ended", v.found, v.offset);
    case ImageDefect::too_large:
      return text("the image needs %u bytes, %u are allowed", v.found, v.expected);
  }
  return {};
}

std::string defect_hint(ImageDefect defect) {
  switch (defect) {
    case ImageDefect::bad_magic:
    case ImageDefect::no_descriptor:
      return "take the application image of the build (build/<project>.bin), not the ELF file, the "
             "bootloader or a "
             "merged factory image";
    case ImageDefect::no_appended_hash:
      return "build with the appended SHA-256 (esptool elf2image without --dont-append-digest)";
    case ImageDefect::wrong_chip:
      return "build for the chip of the devices";
    case ImageDefect::too_large:
      return "make the image smaller or the slots larger";
    case ImageDefect::truncated:
    case ImageDefect::bad_checksum:
    case ImageDefect::bad_hash:
      return "the file is damaged: copy it again from the build";
    default:
      return "the file is no ESP application image, or damaged: copy it again from the build";
  }
}

std::string revision(std::uint16_t value) {
  if (value == 0 || value == 65535) return "not set";
  return text("%u.%u", value / 100U, value % 100U);
}

constexpr const char* spi_modes[] = {"QIO", "QOUT", "DIO", "DOUT", "FAST", "SLOW"};

std::string spi_text(const device::ImageHeader& header) {
  const std::string mode =
      header.spi_mode < std::size(spi_modes) ? spi_modes[header.spi_mode] : "mode ?";
  const char* speed = "? MHz";
  switch (header.spi_speed) {
    case 0x0:
      speed = "40 MHz";
      break;
    case 0x1:
      speed = "26 MHz";
      break;
    case 0x2:
      speed = "20 MHz";
      break;
    case 0xF:
      speed = "80 MHz";
      break;
    default:
      break;
  }
  const std::string size = header.flash_size < 8 ? text("%u MB", 1U << header.flash_size) : "? MB";
  return mode + ", " + speed + ", " + size;
}

void row(std::ostream& out, std::string_view name, std::string_view value) {
  out << "  " << name << std::string(name.size() < 18 ? 18 - name.size() : 1, ' ') << value << '\n';
}

void print_header(const device::ImageHeader& header, std::ostream& out) {
  out << "Header\n";
  row(out, "chip", chip_text(header.chip_id));
  row(out, "flash", spi_text(header));
  row(out, "entry", text("0x%08X", header.entry_address));
  row(out,
      "chip revision",
      "min " + revision(header.min_chip_revision) + ", max " + revision(header.max_chip_revision));
}

void print_segments(const std::vector<SegmentReport>& segments, std::ostream& out) {
  out << "Segments\n   #  kind      load address   offset        bytes\n";
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const SegmentReport& s = segments[i];
    out << text("  %2zu  %-8s  0x%08X     0x%-8X  %8u\n",
                i,
                std::string{name_of(s.kind)}.c_str(),
                s.load_address,
                s.data_offset,
                s.bytes);
  }
}

void print_descriptor(const device::AppDescriptor& d, std::ostream& out) {
  out << "Descriptor\n";
  row(out, "version", printable(d.version.view()));
  row(out, "project", printable(d.project_name.view()));
  row(out, "ESP-IDF", printable(d.idf_version.view()));
  const std::string built = printable(d.date.view()) + " " + printable(d.time.view());
  row(out, "built", built == " " ? "not recorded (reproducible build)" : built);
  row(out, "secure version", std::to_string(d.secure_version));
  row(out, "ELF SHA-256", hex_text(d.app_elf_sha256));
  row(out,
      "eFuse block",
      "min " + revision(d.min_efuse_block_revision) + ", max " +
          revision(d.max_efuse_block_revision));
  row(out,
      "MMU page",
      d.mmu_page_log2 == 0 ? "not recorded" : text("%u KiB", 1U << (d.mmu_page_log2 % 32) >> 10));
}

void print_checks(const ImageReport& report, std::ostream& out) {
  out << "Checks\n";
  if (!report.verdict) {
    row(out,
        "FAILED",
        std::string{name_of(report.verdict.defect)} + ": " + defect_detail(report.verdict));
    return;
  }
  row(out,
      "passed",
      "header, segment lengths, descriptor, checksum, appended SHA-256, end of file");
  row(out,
      "load ranges",
      report.load_ranges_checked ? "passed" : "not checked: known for esp32s3 only");
  row(out,
      "64 KiB pages",
      report.congruence_checked ? "passed" : "not checked: flash windows of this chip not known");
}

nlohmann::json descriptor_json(const device::AppDescriptor& d) {
  return {{"version", d.version.view()},
          {"project", d.project_name.view()},
          {"idf", d.idf_version.view()},
          {"date", d.date.view()},
          {"time", d.time.view()},
          {"secure_version", d.secure_version},
          {"elf_sha256", hex_text(d.app_elf_sha256)},
          {"min_efuse_block_revision", d.min_efuse_block_revision},
          {"max_efuse_block_revision", d.max_efuse_block_revision},
          {"mmu_page_log2", d.mmu_page_log2}};
}

nlohmann::json segments_json(const std::vector<SegmentReport>& segments) {
  auto list = nlohmann::json::array();
  for (const SegmentReport& s : segments) {
    list.push_back({{"kind", name_of(s.kind)},
                    {"load_address", s.load_address},
                    {"offset", s.data_offset},
                    {"bytes", s.bytes}});
  }
  return list;
}

// Texts come from the file and need not be UTF-8.
std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string hex_text(const contract::Digest& digest) {
  const auto hex = contract::hex_of(digest);
  return {hex.data(), hex.size()};
}

std::string printable(std::string_view raw) {
  std::string safe{raw};
  for (char& c : safe) {
    if (c < ' ' || c > '~') c = '?';
  }
  return safe;
}

Problem problem_of(const ImageReport& report) {
  const ImageDefect defect = report.verdict.defect;
  return {std::string{name_of(defect)},
          printable(report.path) + ": " + defect_detail(report.verdict),
          defect_hint(defect)};
}

void print_report(const ImageReport& report, std::ostream& out) {
  out << "File\n";
  row(out, "name", printable(report.path));
  row(out, "bytes", std::to_string(report.file_bytes));
  row(out, "SHA-256", hex_text(report.file_sha256));
  if (report.header) {
    print_header(*report.header, out);
    print_segments(report.segments, out);
  }
  if (report.descriptor) print_descriptor(*report.descriptor, out);
  if (report.verdict) {
    out << "Trailer\n";
    row(out, "checksum", text("0x%02x", report.checksum));
    row(out, "appended SHA-256", hex_text(report.appended_sha256));
    row(out, "image bytes", std::to_string(report.image_bytes));
    row(out,
        "signature sector",
        report.signature_sector ? "present, its contents not checked" : "none");
  }
  print_checks(report, out);
}

void print_report_json(const ImageReport& report, std::ostream& out) {
  nlohmann::json json{{"file", report.path},
                      {"bytes", report.file_bytes},
                      {"sha256", hex_text(report.file_sha256)},
                      {"image_bytes", report.image_bytes},
                      {"checksum", report.checksum},
                      {"appended_sha256", hex_text(report.appended_sha256)},
                      {"signature_sector", report.signature_sector},
                      {"development", report.for_development},
                      {"segments", segments_json(report.segments)},
                      {"checks",
                       {{"format", true},
                        {"load_ranges", report.load_ranges_checked},
                        {"congruence", report.congruence_checked}}}};
  if (report.header) {
    const device::ImageHeader& h = *report.header;
    json["chip"] = device::chip_name(h.chip_id);
    json["chip_id"] = h.chip_id;
    json["entry"] = h.entry_address;
    json["flash"] = spi_text(h);
    json["min_chip_revision"] = h.min_chip_revision;
    json["max_chip_revision"] = h.max_chip_revision;
  }
  if (report.descriptor) json["descriptor"] = descriptor_json(*report.descriptor);
  out << dump(json) << '\n';
}

void print_problem_json(const Problem& problem, std::ostream& out) {
  out << dump({{"error",
                {{"code", problem.code}, {"detail", problem.detail}, {"hint", problem.hint}}}})
      << '\n';
}

void print_problem(const Problem& problem, std::ostream& err) {
  err << "error: " << problem.code << ": " << problem.detail << '\n';
  if (!problem.hint.empty()) err << "hint: " << problem.hint << '\n';
}

}  // namespace otaria::image
