#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace otaria::contract {

/// A SHA-256: 32 bytes. On the wire 64 lower-case hex digits (upper case is not accepted).
struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  // clang-tidy 14 takes the 0 inside a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend constexpr auto operator<=>(const Digest&, const Digest&) = default;
};

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

constexpr std::optional<Digest> digest_from_hex(std::string_view text) {
  if (text.size() != 64) return std::nullopt;
  Digest digest;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

/// Writes two lower-case hex digits per byte; `out` must hold 2 * bytes.size() characters.
constexpr void write_hex(std::span<const std::uint8_t> bytes, char* out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::uint8_t byte : bytes) {
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
}

constexpr std::array<char, 64> hex_of(const Digest& digest) {
  std::array<char, 64> text{};
  write_hex(digest.bytes, text.data());
  return text;
}

}  // namespace otaria::contract
