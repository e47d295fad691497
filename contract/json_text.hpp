#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "contract/defect.hpp"
#include "contract/text.hpp"

/// What both codecs ask of a JSON text before they read it, and the reading of its strings. No
/// heap.
///
/// Source  RFC 8259; RFC 3629 for UTF-8.
namespace otaria::contract {

/// Containers inside each other, the outermost counted.
inline constexpr std::size_t max_json_depth = 8;
/// Characters of a number, and its largest exponent: within these a double holds it, so no reader
/// trips over it.
inline constexpr std::size_t max_json_number_bytes = 64;
inline constexpr unsigned max_json_exponent = 99;

/// The first thing wrong with a text, and the outermost object's member it stands in.
struct JsonCheck {
  Defect defect = Defect::none;
  /// The text follows the grammar, so its members can be told apart. With it false: not_json or
  /// too_deep. With it true the defect, if any, is inside one value: bad_utf8, bad_value (\u0000)
  /// or out_of_range.
  bool grammatical = false;
  std::string_view member;  ///< as written, between the quotes, escapes and all; empty: none
};

/// Reads all of `text` once. Stack: at most max_json_depth small frames.
JsonCheck check_json(std::string_view text);

/// Length in bytes of the UTF-8 sequence at the start of `text`; 0 when there is none (overlong,
/// surrogate, above U+10FFFF, cut short).
std::size_t utf8_sequence_bytes(std::string_view text);

/// Decodes what stands between the quotes of a grammatical JSON string into `out`. `written` is the
/// number of bytes. Errors  too_long (does not fit), bad_value (NUL), bad_utf8 (lone surrogate or
/// bytes that are no UTF-8).
Defect decode_json_string(std::string_view raw, std::span<char> out, std::size_t& written);

/// The same into a Text, which is left empty on an error.
template <std::size_t Capacity>
Defect decode_json_string(std::string_view raw, Text<Capacity>& out) {
  char buffer[Capacity];
  std::size_t written = 0;
  out.clear();
  const Defect defect = decode_json_string(raw, buffer, written);
  if (defect == Defect::none) out.assign({buffer, written});
  return defect;
}

}  // namespace otaria::contract
