#include "contract/trust/strict_json.hpp"

#include <limits>

#include "contract/json_text.hpp"

namespace otaria::contract {
namespace {

constexpr std::uint32_t fnv_start = 2166136261U;  // FNV-1a, 32 bits
constexpr std::uint32_t fnv_prime = 16777619U;

bool is_space(int c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(int c) {
  return c >= '0' && c <= '9';
}

bool is_name(std::string_view name, bool data) {
  if (name.empty() || (!data && name.size() > StrictJson::longest_name)) return false;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
    const bool of_data = (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
    if (!plain && !(data && of_data)) return false;
  }
  return true;
}

}  // namespace

int StrictJson::peek() {
  if (ahead_ == unread) ahead_ = source_->next();
  return ahead_;
}

int StrictJson::take() {
  const int c = peek();
  if (c >= 0) ahead_ = unread;
  return c;
}

int StrictJson::peek_past_space() {
  while (is_space(peek())) take();
  return peek();
}

StrictJson::Event StrictJson::refuse(Defect defect) {
  if (defect_ == Defect::none) defect_ = defect;
  return Event::defect;
}

StrictJson::Event StrictJson::next() {
  if (defect_ != Defect::none) return Event::defect;
  const int c = peek_past_space();
  if (!begun_) {
    begun_ = true;
    if (c != '{') return refuse(c < 0 ? Defect::not_json : Defect::not_an_object);
    return open(true);
  }
  if (depth_ == 0) return c == ByteSource::end ? Event::end : refuse(Defect::not_json);
  if (after_name_) {
    after_name_ = false;
    return value();
  }
  Level& level = levels_[depth_ - 1];
  if (c == (level.object ? '}' : ']')) return close();
  if (!level.empty) {
    if (c != ',') return refuse(Defect::not_json);
    take();
    peek_past_space();
  }
  level.empty = false;
  return level.object ? member() : value();
}

StrictJson::Event StrictJson::value() {
  const int c = peek_past_space();
  if (c == '{') return open(true);
  if (c == '[') return open(false);
  if (c == '"') return string() ? Event::string : Event::defect;
  if (c == 't') return word("true", true);
  if (c == 'f') return word("false", false);
  if (is_digit(c)) return number();
  if (c == '-') return refuse(Defect::out_of_range);
  return refuse(c == 'n' ? Defect::bad_value : Defect::not_json);
}

StrictJson::Event StrictJson::open(bool object) {
  if (depth_ == max_depth) return refuse(Defect::too_deep);
  take();
  levels_[depth_++] = Level{object, false, true, 0};
  return object ? Event::object_begin : Event::array_begin;
}

StrictJson::Event StrictJson::close() {
  take();
  const Level& level = levels_[--depth_];
  open_names_ -= level.names;
  return level.object ? Event::object_end : Event::array_end;
}

StrictJson::Event StrictJson::member() {
  if (peek() != '"') return refuse(Defect::not_json);
  if (!string()) return Event::defect;
  if (text_length_ > longest_data_name || text_too_long_) return refuse(Defect::too_long);
  if (!is_name(text(), levels_[depth_ - 1].data_names)) return refuse(Defect::bad_value);
  if (!remember_name()) return Event::defect;
  if (peek_past_space() != ':') return refuse(Defect::not_json);
  take();
  after_name_ = true;
  return Event::member;
}

bool StrictJson::remember_name() {
  Level& level = levels_[depth_ - 1];
  for (std::size_t i = open_names_ - level.names; i < open_names_; ++i) {
    if (names_[i] == name_hash_) {
      refuse(Defect::duplicate_member);
      return false;
    }
  }
  if (open_names_ == max_open_names) {
    refuse(Defect::too_many_values);
    return false;
  }
  names_[open_names_++] = name_hash_;
  ++level.names;
  return true;
}

StrictJson::Event StrictJson::word(std::string_view rest, bool meaning) {
  for (const char c : rest) {
    if (take() != c) return refuse(Defect::not_json);
  }
  integer_ = meaning ? 1 : 0;
  return Event::boolean;
}

StrictJson::Event StrictJson::number() {
  std::uint64_t number = 0;
  const bool leading_zero = peek() == '0';
  std::size_t digits = 0;
  while (is_digit(peek())) {
    number = number * 10 + static_cast<std::uint64_t>(take() - '0');
    if (++digits > 10) return refuse(Defect::out_of_range);
  }
  if (leading_zero && digits > 1) return refuse(Defect::not_json);
  if (peek() == '.' || peek() == 'e' || peek() == 'E') return refuse(Defect::out_of_range);
  if (number > std::numeric_limits<std::uint32_t>::max()) return refuse(Defect::out_of_range);
  integer_ = static_cast<std::uint32_t>(number);
  return Event::integer;
}

bool StrictJson::put(int c) {
  name_hash_ = (name_hash_ ^ static_cast<std::uint32_t>(c)) * fnv_prime;
  ++text_length_;
  if (text_bytes_ == text_.size()) {
    text_too_long_ = true;
  } else {
    text_[text_bytes_++] = static_cast<char>(c);
  }
  return true;
}

// A sequence goes into four bytes and is judged by the one reader of UTF-8.
bool StrictJson::utf8(int lead) {
  if (lead < 0xC2 || lead > 0xF4) {
    refuse(Defect::bad_utf8);
    return false;
  }
  std::array<char, 4> bytes{static_cast<char>(lead)};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  for (std::size_t i = 1; i < length; ++i) {
    const int c = take();
    if (c < 0) {
      refuse(Defect::not_json);
      return false;
    }
    bytes[i] = static_cast<char>(c);
  }
  if (utf8_sequence_bytes({bytes.data(), length}) != length) {
    refuse(Defect::bad_utf8);
    return false;
  }
  for (std::size_t i = 0; i < length; ++i) put(static_cast<std::uint8_t>(bytes[i]));
  return true;
}

bool StrictJson::string() {
  text_bytes_ = 0;
  text_length_ = 0;
  text_too_long_ = false;
  name_hash_ = fnv_start;
  take();  // the opening quote
  for (;;) {
    int c = take();
    if (c == '"') break;
    if (c < 0) {
      refuse(Defect::not_json);
      return false;
    }
    if (c < 0x20 || c == 0x7F) {
      refuse(Defect::bad_value);
      return false;
    }
    if (c >= 0x80) {
      if (!utf8(c)) return false;
      continue;
    }
    if (c == '\\') {
      c = take();
      if (c != '"' && c != '\\') {
        refuse(Defect::bad_value);
        return false;
      }
    }
    put(c);
  }
  if (text_too_long_) text_bytes_ = 0;
  return true;
}

bool StrictJson::skip() {
  const std::size_t outside = depth_;
  do {
    if (next() == Event::defect) return false;
  } while (depth_ > outside || after_name_);
  return true;
}

}  // namespace otaria::contract
