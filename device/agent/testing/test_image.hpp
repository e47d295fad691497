#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "contract/digest.hpp"
#include "device/verify/sha256.hpp"

namespace otaria::device::testing {

/// A valid ESP32-S3 application image of roughly `payload` bytes: descriptor segment and one IRAM
/// segment.
inline std::vector<std::uint8_t> make_test_image(std::string_view version,
                                                 std::uint32_t payload,
                                                 std::uint8_t seed,
                                                 std::uint8_t chip = 9) {
  std::vector<std::uint8_t> out(24, 0);
  const auto put = [&out](std::uint32_t value) {
    for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  out[0] = 0xE9;
  out[1] = 2;
  out[2] = 2;
  out[3] = 0x2F;
  out[5] = 0x40;
  out[6] = 0x37;
  out[7] = 0x40;
  out[8] = 0xEE;
  out[12] = chip;
  out[23] = 1;
  std::uint8_t checksum = 0xEF;
  std::vector<std::uint8_t> first(256, 0);
  first[0] = 0x32;
  first[1] = 0x54;
  first[2] = 0xCD;
  first[3] = 0xAB;
  for (std::size_t i = 0; i < version.size() && i < 31; ++i)
    first[16 + i] = static_cast<std::uint8_t>(version[i]);
  first[48] = 't';
  for (std::size_t i = 0; i < 32; ++i) first[144 + i] = static_cast<std::uint8_t>(seed + i);
  put(0x3C000020);
  put(static_cast<std::uint32_t>(first.size()));
  out.insert(out.end(), first.begin(), first.end());
  std::vector<std::uint8_t> second(std::size_t{payload / 4} * 4);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::uint8_t& byte : second) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  put(0x40374000);
  put(static_cast<std::uint32_t>(second.size()));
  out.insert(out.end(), second.begin(), second.end());
  for (std::uint8_t byte : first) checksum ^= byte;
  for (std::uint8_t byte : second) checksum ^= byte;
  while (out.size() % 16 != 15) out.push_back(0);
  out.push_back(checksum);
  const contract::Digest digest = sha256_of(out);
  out.insert(out.end(), digest.bytes.begin(), digest.bytes.end());
  return out;
}

inline std::string hex(const contract::Digest& digest) {
  const auto text = contract::hex_of(digest);
  return {text.begin(), text.end()};
}

}  // namespace otaria::device::testing
