#include "device/verify/image_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "contract/slice.hpp"

namespace otaria::device {
namespace {

struct ChipName {
  std::uint16_t id;
  std::string_view name;
};
constexpr ChipName chip_names[] = {
    {chip::esp32, "esp32"},
    {chip::esp32s2, "esp32s2"},
    {chip::esp32c3, "esp32c3"},
    {chip::esp32s3, "esp32s3"},
    {chip::esp32c2, "esp32c2"},
    {chip::esp32c6, "esp32c6"},
    {chip::esp32h2, "esp32h2"},
    {chip::esp32p4, "esp32p4"},
    {chip::esp32c61, "esp32c61"},
    {chip::esp32c5, "esp32c5"},
};

struct LoadRange {
  std::uint16_t chip_id;
  SegmentKind kind;
  std::uint32_t begin;
  std::uint32_t end;
};
// S3: ESP-IDF v5.5.5 esp_image_format.c and soc.h. Others: the flash windows of esptool v5
// targets/<chip>.py.
constexpr LoadRange load_ranges[] = {
    // clang-format off
    {chip::esp32s3, SegmentKind::drom,     0x3C000000, 0x3E000000},
    {chip::esp32s3, SegmentKind::irom,     0x42000000, 0x44000000},
    {chip::esp32s3, SegmentKind::iram,     0x40370000, 0x403E0000},
    {chip::esp32s3, SegmentKind::dram,     0x3FC88000, 0x3FD00000},
    {chip::esp32s3, SegmentKind::rtc_fast, 0x600FE000, 0x60100000},
    {chip::esp32s3, SegmentKind::rtc_slow, 0x50000000, 0x50002000},
    {chip::esp32,   SegmentKind::drom,     0x3F400000, 0x3F800000},
    {chip::esp32,   SegmentKind::irom,     0x400D0000, 0x40400000},
    {chip::esp32s2, SegmentKind::drom,     0x3F000000, 0x3F3F0000},
    {chip::esp32s2, SegmentKind::irom,     0x40080000, 0x40B80000},
    {chip::esp32c3, SegmentKind::drom,     0x3C000000, 0x3C800000},
    {chip::esp32c3, SegmentKind::irom,     0x42000000, 0x42800000},
    // clang-format on
};
constexpr std::uint32_t padding_below = 0x10000000;

template <std::size_t Size>
contract::Text<Size> read_text(const std::uint8_t* at) {
  const auto* characters = reinterpret_cast<const char*>(at);
  const auto* end = std::find(characters, characters + Size, '\0');
  contract::Text<Size> text;
  text.assign({characters, static_cast<std::size_t>(end - characters)});
  return text;
}

/// The number that the whole text is; 0 for what is none.
unsigned number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

}  // namespace

std::string_view chip_name(std::uint16_t id) {
  for (const ChipName& entry : chip_names) {
    if (entry.id == id) return entry.name;
  }
  return "unknown";
}

std::optional<std::uint16_t> chip_from(std::string_view name) {
  for (const ChipName& entry : chip_names) {
    if (entry.name == name) return entry.id;
  }
  return std::nullopt;
}

std::string_view name_of(SegmentKind kind) {
  constexpr std::string_view names[] = {
      "padding", "DROM", "IROM", "IRAM", "DRAM", "RTC fast", "RTC slow", "illegal", "unknown"};
  return names[static_cast<std::size_t>(kind)];
}

bool mapped_ranges_known(std::uint16_t chip_id) {
  return std::any_of(std::begin(load_ranges),
                     std::end(load_ranges),
                     [chip_id](const LoadRange& range) { return range.chip_id == chip_id; });
}

SegmentKind segment_kind(std::uint16_t chip_id, std::uint32_t load_address) {
  if (load_address < padding_below) return SegmentKind::padding;
  for (const LoadRange& range : load_ranges) {
    if (range.chip_id == chip_id && load_address >= range.begin && load_address < range.end) {
      return range.kind;
    }
  }
  return load_ranges_known(chip_id) ? SegmentKind::illegal : SegmentKind::unknown;
}

ImageHeader read_image_header(std::span<const std::uint8_t, image_header_bytes> bytes) {
  ImageHeader header;
  header.magic = bytes[0];
  header.segment_count = bytes[1];
  header.spi_mode = bytes[2];
  header.spi_speed = bytes[3] & 0x0F;
  header.flash_size = bytes[3] >> 4;
  header.entry_address = read_u32(&bytes[4]);
  header.chip_id = read_u16(&bytes[12]);
  header.min_chip_revision = read_u16(&bytes[15]);
  header.max_chip_revision = read_u16(&bytes[17]);
  header.hash_appended = bytes[23] == 1;
  return header;
}

AppDescriptor read_app_descriptor(std::span<const std::uint8_t, descriptor_bytes> bytes) {
  AppDescriptor descriptor;
  descriptor.secure_version = read_u32(&bytes[4]);
  descriptor.version = read_text<32>(&bytes[16]);
  descriptor.project_name = read_text<32>(&bytes[48]);
  descriptor.time = read_text<16>(&bytes[80]);
  descriptor.date = read_text<16>(&bytes[96]);
  descriptor.idf_version = read_text<32>(&bytes[112]);
  std::copy_n(
      &bytes[144], descriptor.app_elf_sha256.bytes.size(), descriptor.app_elf_sha256.bytes.begin());
  descriptor.min_efuse_block_revision = read_u16(&bytes[176]);
  descriptor.max_efuse_block_revision = read_u16(&bytes[178]);
  descriptor.mmu_page_log2 = bytes[180];
  return descriptor;
}

contract::Text<contract::build_text_bytes> build_of(const AppDescriptor& descriptor) {
  std::array<char, contract::build_text_bytes> hex{};
  contract::write_hex(
      std::span{descriptor.app_elf_sha256.bytes}.first<contract::build_text_bytes / 2>(),
      hex.data());
  contract::Text<contract::build_text_bytes> build;
  build.assign({hex.data(), hex.size()});
  return build;
}

std::uint32_t build_time_of(const AppDescriptor& descriptor) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::string_view date = descriptor.date.view();
  if (date.size() != 11 || date[3] != ' ' || date[6] != ' ') return 0;
  const std::size_t month = months.find(contract::slice(date, 0, 3));
  if (month == std::string_view::npos || month % 3 != 0) return 0;
  const std::size_t day_at = date[4] == ' ' ? 5 : 4;
  const unsigned day = number(contract::slice(date, day_at, 6 - day_at));
  const unsigned year = number(contract::slice(date, 7));
  const std::chrono::year_month_day built{std::chrono::year{static_cast<int>(year)},
                                          std::chrono::month{static_cast<unsigned>(month) / 3 + 1},
                                          std::chrono::day{day}};
  constexpr unsigned first_year = 2016;  // that of the first ESP32; before it a clock was not set
  constexpr unsigned last_year = 2100;   // 32 bits of seconds end in 2106
  if (!built.ok() || year < first_year || year > last_year) return 0;
  const auto days = std::chrono::sys_days{built}.time_since_epoch() - std::chrono::days{1};
  return static_cast<std::uint32_t>(std::chrono::seconds{days}.count());
}

}  // namespace otaria::device
