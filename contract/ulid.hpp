#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Universally unique lexicographically sortable identifiers as text: what the server and our tools
/// name updates and releases by. Source  github.com/ulid/spec.
namespace otaria::contract {

/// Crockford's base 32: no I, L, O and U.
inline constexpr std::string_view ulid_alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
inline constexpr std::size_t ulid_characters = 26;

/// 128 bits, `high` before `low`, as 26 digits of five bits; the first holds three. The upper 48
/// bits of `high` are Unix milliseconds, the other 80 are chance.
constexpr std::array<char, ulid_characters> ulid_text(std::uint64_t high, std::uint64_t low) {
  std::array<char, ulid_characters> text{};
  for (std::size_t i = ulid_characters; i-- > 0;) {
    text[i] = ulid_alphabet[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return text;
}

/// The shape of one, in upper case as ours are written.
constexpr bool is_ulid(std::string_view text) {
  if (text.size() != ulid_characters || text.front() > '7') return false;
  for (const char c : text) {
    if (ulid_alphabet.find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace otaria::contract
