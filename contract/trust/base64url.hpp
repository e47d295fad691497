#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// base64url without padding, strictly: `=`, `+`, `/`, whitespace and left-over bits that are not
/// zero are refused, so that every byte string has exactly one text. No heap.
/// Source  RFC 4648, sections 5 and 3.5; RFC 7515, section 2.
namespace otaria::contract {

inline constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 0 to 63, or -1 for a character outside the alphabet.
constexpr int base64url_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

constexpr std::size_t base64url_characters(std::size_t bytes) {
  return (bytes * 4 + 2) / 3;
}

/// Text to bytes, character by character.
class Base64UrlDecoder {
 public:
  enum class Push : std::uint8_t { more, byte, bad };

  /// With `byte`, take_byte() is the next decoded one. `bad`: outside the alphabet.
  constexpr Push push(char c) {
    const int value = base64url_value(c);
    if (value < 0) return Push::bad;
    bits_ = (bits_ << 6 | static_cast<std::uint32_t>(value)) & 0xFFFF;
    held_ += 6;
    if (held_ < 8) return Push::more;
    held_ -= 8;
    byte_ = static_cast<std::uint8_t>(bits_ >> held_);
    return Push::byte;
  }
  [[nodiscard]] constexpr std::uint8_t take_byte() const { return byte_; }
  /// Whether the text may end here: no lone character, and left-over bits that are all zero.
  [[nodiscard]] constexpr bool may_end() const {
    return held_ < 6 && (bits_ & ((1U << held_) - 1)) == 0;
  }
  constexpr void reset() { *this = {}; }

 private:
  std::uint32_t bits_ = 0;
  unsigned held_ = 0;
  std::uint8_t byte_ = 0;
};

/// Number of bytes written; nothing when the text is malformed or does not fit.
constexpr std::optional<std::size_t> base64url_decode(std::string_view text,
                                                      std::span<std::uint8_t> out) {
  Base64UrlDecoder decoder;
  std::size_t written = 0;
  for (const char c : text) {
    const auto pushed = decoder.push(c);
    if (pushed == Base64UrlDecoder::Push::bad) return std::nullopt;
    if (pushed == Base64UrlDecoder::Push::more) continue;
    if (written == out.size()) return std::nullopt;
    out[written++] = decoder.take_byte();
  }
  if (!decoder.may_end()) return std::nullopt;
  return written;
}

/// Writes base64url_characters(bytes.size()) characters; `out` must hold them.
constexpr std::size_t base64url_encode(std::span<const std::uint8_t> bytes, char* out) {
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8 | byte) & 0xFFFF;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out[written++] = base64url_alphabet[bits >> held & 63];
    }
  }
  if (held > 0) out[written++] = base64url_alphabet[bits << (6 - held) & 63];
  return written;
}

}  // namespace otaria::contract
