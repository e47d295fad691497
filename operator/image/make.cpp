#include "operator/image/make.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "device/verify/sha256.hpp"

namespace otaria::image {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// Where the linker scripts of ESP-IDF put things.
struct MemoryMap {
  std::uint16_t chip;
  std::uint32_t drom;
  std::uint32_t dram;
  std::uint32_t irom;
  std::uint32_t iram;
};
constexpr MemoryMap memory_maps[] = {
    {device::chip::esp32s3, 0x3C000000, 0x3FC98000, 0x42000000, 0x40374000},
    {device::chip::esp32, 0x3F400000, 0x3FFB0000, 0x400D0000, 0x40080000},
    {device::chip::esp32s2, 0x3F000000, 0x3FFC0000, 0x40080000, 0x40024000},
    {device::chip::esp32c3, 0x3C000000, 0x3FC90000, 0x42000000, 0x40380000},
};

/// splitmix64 (Steele, Lea, Flood 2014): the same bytes on every machine.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
  value = (value ^ value >> 27) * 0x94D049BB133111EB;
  return value ^ value >> 31;
}

std::uint64_t mix(std::uint64_t seed, std::string_view text) {
  for (unsigned char c : text) seed = mix(seed ^ c);
  return seed;
}

class Payload {
 public:
  explicit Payload(const MakeOptions& options)
      : common_{mix(options.seed)},
        own_{mix(mix(options.seed), options.version)},
        changed_per_mille_{options.changed_per_mille} {}

  /// Fills the range; equal offsets of two versions get equal bytes but in the version's own
  /// blocks.
  void fill(Bytes& image, std::size_t begin, std::size_t end) const {
    for (std::size_t at = begin; at < end;) {
      const std::uint64_t block = at / block_bytes;
      const bool changed = mix(own_ ^ block) % 1000 < changed_per_mille_;
      const std::size_t block_end = std::min<std::size_t>((block + 1) * block_bytes, end);
      for (; at < block_end; ++at) image[at] = byte_at(changed ? own_ : common_, at);
    }
  }

 private:
  static constexpr std::size_t block_bytes = 64;

  static std::uint8_t byte_at(std::uint64_t seed, std::size_t at) {
    return static_cast<std::uint8_t>(mix(seed + at / 8) >> at % 8 * 8 & 0xFF);
  }

  std::uint64_t common_;
  std::uint64_t own_;
  std::uint64_t changed_per_mille_;
};

void require(bool holds, const std::string& sentence) {
  if (!holds) throw std::invalid_argument(sentence);
}

const MemoryMap& map_of(std::uint16_t chip) {
  const auto* found = std::find_if(std::begin(memory_maps),
                                   std::end(memory_maps),
                                   [chip](const MemoryMap& map) { return map.chip == chip; });
  require(found != std::end(memory_maps),
          "images can be made for esp32, esp32s2, esp32c3 and esp32s3");
  return *found;
}

void check(const MakeOptions& options) {
  const auto fits = [](const std::string& text, std::size_t limit) { return text.size() <= limit; };
  require(fits(options.version, 31), "a version has at most 31 characters in the descriptor");
  require(fits(options.project, 31), "a project name has at most 31 characters");
  require(fits(options.idf_version, 31), "an ESP-IDF version has at most 31 characters");
  require(fits(options.date, 15) && fits(options.time, 15),
          "date and time have at most 15 characters each");
  require(options.bytes % 16 == 0, "the size of an image is a multiple of 16");
  require(options.bytes >= smallest_made_image && options.bytes <= largest_made_image,
          "the size must be between " + std::to_string(smallest_made_image) + " and " +
              std::to_string(largest_made_image) + " bytes");
  require(options.changed_per_mille <= 1000, "at most 1000 of 1000 blocks can change");
}

void put_text(Bytes& image, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), image.begin() + static_cast<std::ptrdiff_t>(at));
}

void put_header(Bytes& image,
                const MakeOptions& options,
                std::uint8_t segment_count,
                std::uint32_t entry) {
  image[0] = device::image_magic;
  image[1] = segment_count;
  image[2] = 2;     // DIO
  image[3] = 0x3F;  // 8 MB, 80 MHz
  device::write_u32(&image[4], entry);
  image[8] = 0xEE;  // no write-protect pin
  device::write_u16(&image[12], options.chip);
  device::write_u16(&image[17], 99);
  image[23] = 1;
}

contract::Digest elf_digest(const MakeOptions& options) {
  if (options.elf_sha256) return *options.elf_sha256;
  const std::string name =
      options.project + '\n' + options.version + '\n' + std::to_string(options.seed);
  return device::sha256_of({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
}

void put_descriptor(Bytes& image, const MakeOptions& options) {
  constexpr std::size_t at = device::descriptor_offset;
  std::fill_n(image.begin() + at, device::descriptor_bytes, std::uint8_t{0});
  device::write_u32(&image[at], device::descriptor_magic);
  device::write_u32(&image[at + 4], options.secure_version);
  put_text(image, at + 16, options.version);
  put_text(image, at + 48, options.project);
  put_text(image, at + 80, options.time);
  put_text(image, at + 96, options.date);
  put_text(image, at + 112, options.idf_version);
  const contract::Digest elf = elf_digest(options);
  std::copy(elf.bytes.begin(), elf.bytes.end(), image.begin() + at + 144);
  device::write_u16(&image[at + 178], 199);
  image[at + 180] = 16;
}

/// Puts segments one behind the other.
class Segments {
 public:
  Segments(Bytes& image, const Payload& payload) : image_{image}, payload_{payload} {}

  [[nodiscard]] std::uint32_t next_data() const { return at_ + device::segment_header_bytes; }
  [[nodiscard]] std::uint8_t count() const { return count_; }
  void add(std::uint32_t load_address, std::uint32_t bytes, bool zeros = false) {
    device::write_u32(&image_[at_], load_address);
    device::write_u32(&image_[at_ + 4], bytes);
    const std::uint32_t data = next_data();
    if (!zeros) payload_.fill(image_, data, data + bytes);
    at_ = data + bytes;
    ++count_;
  }

 private:
  Bytes& image_;
  const Payload& payload_;
  std::uint32_t at_ = device::image_header_bytes;
  std::uint8_t count_ = 0;
};

constexpr std::uint32_t word_aligned(std::uint32_t bytes) {
  return bytes & ~std::uint32_t{3};
}

/// All segments up to `end`; every data offset of a mapped one is congruent to its load address.
std::uint8_t put_segments(Bytes& image,
                          const MemoryMap& map,
                          const Payload& payload,
                          std::uint32_t end) {
  constexpr std::uint32_t in_page = device::descriptor_offset;
  constexpr std::uint32_t smallest_mapped = 256 * 1024 - 48;
  Segments segments{image, payload};
  if (end < smallest_mapped) {
    const std::uint32_t room = end - in_page - device::segment_header_bytes;
    const std::uint32_t code =
        std::min<std::uint32_t>(0x8000, word_aligned((room - device::descriptor_bytes) / 4));
    segments.add(map.drom + in_page, room - code);
    segments.add(map.iram, code);
    return segments.count();
  }
  constexpr std::uint32_t data_bytes = 12 * 1024;
  constexpr std::uint32_t fast_code_bytes = 32 * 1024;
  segments.add(map.drom + in_page, word_aligned(end / 10 * 3));
  segments.add(map.dram, data_bytes);
  const std::uint32_t without_padding = segments.next_data() + device::segment_header_bytes;
  segments.add(0, (in_page - without_padding) % device::mapped_page_bytes, true);
  segments.add(map.irom + in_page,
               end - segments.next_data() - device::segment_header_bytes - fast_code_bytes);
  segments.add(map.iram, fast_code_bytes);
  return segments.count();
}

/// XOR of all segment data.
std::uint8_t checksum_of(const Bytes& image) {
  std::uint8_t checksum = device::checksum_start;
  std::size_t at = device::image_header_bytes;
  for (int i = 0; i < image[1]; ++i) {
    const std::size_t length = device::read_segment(&image[at]).bytes;
    at += device::segment_header_bytes;
    for (std::size_t data_end = at + length; at < data_end; ++at) checksum ^= image[at];
  }
  return checksum;
}

}  // namespace

std::vector<std::uint8_t> make_image(const MakeOptions& options) {
  check(options);
  const MemoryMap& map = map_of(options.chip);
  const std::uint32_t digest_at = options.bytes - device::appended_hash_bytes;
  Bytes image(digest_at, 0);
  const std::uint32_t segments_end = digest_at - device::checksum_alignment;
  const std::uint8_t count = put_segments(image, map, Payload{options}, segments_end);
  put_header(image, options, count, map.iram);
  put_descriptor(image, options);
  image[digest_at - 1] = checksum_of(image);
  const contract::Digest digest = device::sha256_of(image);
  image.insert(image.end(), digest.bytes.begin(), digest.bytes.end());
  return image;
}

}  // namespace otaria::image
