#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "contract/slice.hpp"

/// An Error's figures where they are no numbers: short texts and names of cases, so that a refusal
/// says after a restart too which value was expected and which was found.
namespace otaria::device {

/// `expected` of a digest_mismatch that is about the whole file against the notice (`found`: its
/// bytes), not about what the image says of itself.
inline constexpr std::int64_t whole_file = -1;
/// `expected` of a bad_signature by one listed key (`found`: its id).
inline constexpr std::int64_t by_one_key = -1;
/// `expected` of a bad_signature for a file that is none (`found`: contract::SignedDefect).
inline constexpr std::int64_t not_a_signed_file = -2;
/// `expected` of a bad_notice that is about the manifest (`found`: contract::Defect).
inline constexpr std::int64_t of_the_manifest = -2;

/// `expected` of a bad_notice whose URLs are http, for a device that takes https only (`found`:
/// contract::Defect::bad_value).
inline constexpr std::int64_t plain_http_url = -3;

/// Stands for what did not fit; told as "...".
inline constexpr char figure_cut = '\x01';
inline constexpr std::size_t short_figure_characters = 7;

/// Up to 7 characters and a tag of 0 to 127 as one figure, > 0 unless both are empty.
constexpr std::int64_t short_figure(std::string_view text, std::uint8_t tag = 0) {
  const bool cut = text.size() > short_figure_characters;
  std::uint64_t packed = tag & 0x7F;
  for (std::size_t i = 0; i < short_figure_characters; ++i) {
    const bool last = i + 1 == short_figure_characters;
    const char c = cut && last ? figure_cut : i < text.size() ? text[i] : '\0';
    packed = packed << 8 | static_cast<std::uint8_t>(c);
  }
  return static_cast<std::int64_t>(packed);
}

constexpr std::uint8_t tag_of(std::int64_t figure) {
  return static_cast<std::uint8_t>(static_cast<std::uint64_t>(figure) >> 56);
}

/// Characters of a figure; 0 where there are none.
constexpr std::array<char, short_figure_characters> characters_of(std::int64_t figure) {
  std::array<char, short_figure_characters> text{};
  for (std::size_t i = text.size(); i-- > 0;) {
    text[i] = static_cast<char>(figure & 0xFF);
    figure >>= 8;
  }
  return text;
}

/// What `found` and `expected` of one error hold together: up to 14 characters.
struct LongFigure {
  std::int64_t found = 0;
  std::int64_t expected = 0;
};
constexpr LongFigure long_figure(std::string_view text) {
  if (text.size() <= short_figure_characters) return {short_figure(text), 0};
  const std::string_view rest = contract::slice(text, short_figure_characters);
  return {short_figure(contract::slice(text, 0, short_figure_characters)), short_figure(rest)};
}

/// Members in which notice and manifest differ: the tag of a manifest_mismatch's `found`.
enum class Member : std::uint8_t { none, version, digest, size, release, build };

/// The first 7 bytes of a build (14 of its 16 hex digits) and a tag as one figure.
constexpr std::int64_t build_figure(std::span<const std::uint8_t, 8> build, std::uint8_t tag = 0) {
  std::uint64_t packed = tag & 0x7F;
  for (const std::uint8_t byte : build.first<short_figure_characters>())
    packed = packed << 8 | byte;
  return static_cast<std::int64_t>(packed);
}

/// A key id (16 hex digits) as a figure.
constexpr std::int64_t key_figure(std::string_view key_id) {
  std::uint64_t packed = 0;
  for (const char c : key_id) {
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    packed = packed << 4 | (static_cast<std::uint64_t>(digit) & 15);
  }
  return static_cast<std::int64_t>(packed);
}

}  // namespace otaria::device
