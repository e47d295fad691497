#include "contract/json_text.hpp"

#include "contract/digest.hpp"
#include "contract/slice.hpp"

namespace otaria::contract {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr int any_case_hex_value(char c) {
  return hex_value(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
}

/// The four hex digits at the start of `text`, or -1.
std::int32_t code_unit(std::string_view text) {
  if (text.size() < 4) return -1;
  std::int32_t value = 0;
  for (char c : slice(text, 0, 4)) {
    const int digit = any_case_hex_value(c);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

constexpr bool is_high_surrogate(std::int32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
constexpr bool is_low_surrogate(std::int32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

/// One escape or one UTF-8 sequence of a JSON string.
struct Character {
  std::size_t length = 0;  ///< bytes read; 0: the grammar is broken here
  Defect defect = Defect::none;
  std::uint32_t code_point = 0;  ///< of an escape
  bool escaped = false;
};

Character read_unicode_escape(std::string_view text) {
  const std::int32_t first = code_unit(slice(text, 2));
  if (first < 0) return {};
  if (first == 0) return {.length = 6, .defect = Defect::bad_value, .escaped = true};
  if (is_low_surrogate(first)) return {.length = 6, .defect = Defect::bad_utf8, .escaped = true};
  if (!is_high_surrogate(first)) {
    return {.length = 6, .code_point = static_cast<std::uint32_t>(first), .escaped = true};
  }
  const std::int32_t second = slice(text, 6, 2) == "\\u" ? code_unit(slice(text, 8)) : -1;
  if (!is_low_surrogate(second)) return {.length = 6, .defect = Defect::bad_utf8, .escaped = true};
  return {.length = 12,
          .code_point =
              static_cast<std::uint32_t>(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)),
          .escaped = true};
}

Character read_escape(std::string_view text) {
  constexpr std::string_view names = "\"\\/bfnrt";
  constexpr std::string_view values = "\"\\/\b\f\n\r\t";
  if (text.size() < 2) return {};
  if (text[1] == 'u') return read_unicode_escape(text);
  const std::size_t which = names.find(text[1]);
  if (which == std::string_view::npos) return {};
  return {.length = 2, .code_point = static_cast<std::uint32_t>(values[which]), .escaped = true};
}

/// `text` is not empty and does not begin with the closing quote.
Character read_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x20) return {};
  if (first == '\\') return read_escape(text);
  const std::size_t length = utf8_sequence_bytes(text);
  if (length == 0) return {.length = 1, .defect = Defect::bad_utf8};
  return {.length = length};
}

std::size_t encode_utf8(std::uint32_t code_point, char (&out)[4]) {
  const auto tail = [code_point](unsigned shift) {
    return static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU));
  };
  if (code_point < 0x80) {
    out[0] = static_cast<char>(code_point);
    return 1;
  }
  if (code_point < 0x800) {
    out[0] = static_cast<char>(0xC0U | (code_point >> 6));
    out[1] = tail(0);
    return 2;
  }
  if (code_point < 0x10000) {
    out[0] = static_cast<char>(0xE0U | (code_point >> 12));
    out[1] = tail(6);
    out[2] = tail(0);
    return 3;
  }
  out[0] = static_cast<char>(0xF0U | (code_point >> 18));
  out[1] = tail(12);
  out[2] = tail(6);
  out[3] = tail(0);
  return 4;
}

/// A recursive-descent reader of RFC 8259's grammar. Its functions return false once the grammar is
/// broken.
class Checker {
 public:
  explicit Checker(std::string_view text) : rest_{text} {}

  JsonCheck run() {
    skip_space();
    const bool read = value(1);
    if (read) skip_space();
    if (!read || !rest_.empty()) {
      found_.defect = too_deep_ ? Defect::too_deep : Defect::not_json;
      found_.member = read ? std::string_view{} : member_;
      return found_;
    }
    found_.grammatical = true;
    return found_;
  }

 private:
  void note(Defect defect) {
    if (found_.defect != Defect::none) return;
    found_.defect = defect;
    found_.member = member_;
  }

  [[nodiscard]] bool at(char c) const { return !rest_.empty() && rest_.front() == c; }

  bool take(char c) {
    if (!at(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_space() {
    while (at(' ') || at('\t') || at('\n') || at('\r')) rest_.remove_prefix(1);
  }

  bool value(std::size_t depth) {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{':
        return enter(depth) && object(depth);
      case '[':
        return enter(depth) && array(depth);
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool enter(std::size_t depth) {
    rest_.remove_prefix(1);
    too_deep_ = depth > max_json_depth;
    skip_space();
    return !too_deep_;
  }

  bool object(std::size_t depth) {
    if (take('}')) return true;
    do {
      skip_space();
      const std::string_view begin = rest_;
      if (!string()) return false;
      if (depth == 1) member_ = slice(begin, 1, begin.size() - rest_.size() - 2);
      skip_space();
      if (!take(':')) return false;
      skip_space();
      if (!value(depth + 1)) return false;
      skip_space();
    } while (take(','));
    if (depth == 1) member_ = {};
    return take('}');
  }

  bool array(std::size_t depth) {
    if (take(']')) return true;
    do {
      skip_space();
      if (!value(depth + 1)) return false;
      skip_space();
    } while (take(','));
    return take(']');
  }

  bool string() {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      if (take('"')) return true;
      const Character character = read_character(rest_);
      if (character.length == 0) return false;
      if (character.defect != Defect::none) note(character.defect);
      rest_.remove_prefix(character.length);
    }
    return false;
  }

  bool literal(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string_view digits() {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    const std::string_view taken = slice(rest_, 0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  bool number() {
    const std::size_t before = rest_.size();
    take('-');
    const std::string_view whole = digits();
    if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) return false;
    if (take('.') && digits().empty()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      std::string_view exponent = digits();
      if (exponent.empty()) return false;
      while (exponent.starts_with('0')) exponent.remove_prefix(1);
      if (exponent.size() > 2) note(Defect::out_of_range);
    }
    if (before - rest_.size() > max_json_number_bytes) note(Defect::out_of_range);
    return true;
  }

  std::string_view rest_;
  std::string_view member_;
  bool too_deep_ = false;
  JsonCheck found_;
};
static_assert(max_json_exponent == 99, "number() counts the exponent's digits");

}  // namespace

JsonCheck check_json(std::string_view text) {
  return Checker{text}.run();
}

std::size_t utf8_sequence_bytes(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto is_tail = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return is_tail(1) && is_tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return is_tail(1) && is_tail(2) && is_tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

Defect decode_json_string(std::string_view raw, std::span<char> out, std::size_t& written) {
  written = 0;
  while (!raw.empty()) {
    const Character character = read_character(raw);
    if (character.length == 0) return Defect::not_json;
    if (character.defect != Defect::none) return character.defect;
    char encoded[4];
    std::string_view bytes = slice(raw, 0, character.length);
    if (character.escaped) bytes = {encoded, encode_utf8(character.code_point, encoded)};
    if (bytes.size() > out.size() - written) return Defect::too_long;
    for (char c : bytes) out[written++] = c;
    raw.remove_prefix(character.length);
  }
  return Defect::none;
}

}  // namespace otaria::contract
