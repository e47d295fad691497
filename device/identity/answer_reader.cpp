#include "device/identity/answer_reader.hpp"

namespace otaria::device {
namespace {

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20;
}
/// Of numbers, true, false and null that nobody looks at.
constexpr bool is_scalar(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' || c == '.';
}

}  // namespace

void AnswerReader::begin(std::span<const AnswerMember> members) {
  members_ = members;
  state_ = members.empty() || members.size() > 16 ? State::refused : State::start;
  seen_ = 0;
}

void AnswerReader::feed(std::span<const std::uint8_t> piece, AnswerSink& sink) {
  for (const std::uint8_t byte : piece) {
    if (state_ == State::refused) return;
    state_ = next(static_cast<char>(byte), sink);
  }
}

AnswerReader::State AnswerReader::next(char c, AnswerSink& sink) {
  switch (state_) {
    case State::start:
      if (is_blank(c)) return State::start;
      return c == '{' ? State::first_name : State::refused;
    case State::first_name:
      if (c == '}') return State::done;
      [[fallthrough]];
    case State::name:
      if (is_blank(c)) return state_;
      name_.clear();
      name_too_long_ = false;
      return c == '"' ? State::in_name : State::refused;
    case State::in_name:
      return in_name(c);
    case State::colon:
      if (is_blank(c)) return State::colon;
      return c == ':' ? State::value : State::refused;
    case State::value:
      return is_blank(c) ? State::value : begin_value(c, sink);
    case State::in_text:
      if (c == '"') return State::after_value;
      if (c == '\\' || is_control(c)) return State::refused;
      return sink.on_text(member_, c) ? State::in_text : State::refused;
    case State::in_number:
      return in_number(c, sink);
    case State::other_text:
      if (c == '"') return State::after_value;
      if (is_control(c)) return State::refused;
      return c == '\\' ? State::other_escape : State::other_text;
    case State::other_escape:
      return State::other_text;
    case State::other_scalar:
      return is_scalar(c) ? State::other_scalar : after_value(c);
    case State::nested:
    case State::nested_text:
    case State::nested_escape:
      return in_nested(c);
    case State::after_value:
      return after_value(c);
    case State::done:
      return is_blank(c) ? State::done : State::refused;
    case State::refused:
      break;
  }
  return State::refused;
}

// A name with an escape is none that counts, but it could be written so to hide one: refused.
AnswerReader::State AnswerReader::in_name(char c) {
  if (c == '\\' || is_control(c)) return State::refused;
  if (c != '"') {
    name_too_long_ = !name_.put(c) || name_too_long_;
    return State::in_name;
  }
  const std::size_t member = name_too_long_ ? none : member_named(name_.view());
  member_ = static_cast<std::uint8_t>(member);
  if (member == none) return State::colon;
  const auto bit = static_cast<std::uint16_t>(1U << member);
  if ((seen_ & bit) != 0) return State::refused;
  seen_ = static_cast<std::uint16_t>(seen_ | bit);
  return State::colon;
}

std::size_t AnswerReader::member_named(std::string_view name) const {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].name == name) return i;
  }
  return none;
}

AnswerReader::State AnswerReader::begin_value(char c, AnswerSink& sink) {
  if (member_ != none) {
    if (members_[member_].is_text) {
      return c == '"' && sink.on_text_begin(member_) ? State::in_text : State::refused;
    }
    number_ = static_cast<std::uint32_t>(c - '0');
    return is_digit(c) ? State::in_number : State::refused;
  }
  if (c == '"') return State::other_text;
  if (c == '{' || c == '[') {
    depth_ = 1;
    return State::nested;
  }
  return is_scalar(c) ? State::other_scalar : State::refused;
}

AnswerReader::State AnswerReader::in_number(char c, AnswerSink& sink) {
  if (!is_digit(c)) return sink.on_number(member_, number_) ? after_value(c) : State::refused;
  const std::uint64_t longer = std::uint64_t{number_} * 10 + static_cast<std::uint32_t>(c - '0');
  if (number_ == 0 || longer > 0xFFFFFFFF) return State::refused;  // a leading zero, or too much
  number_ = static_cast<std::uint32_t>(longer);
  return State::in_number;
}

AnswerReader::State AnswerReader::in_nested(char c) {
  if (state_ == State::nested_escape) return State::nested_text;
  if (state_ == State::nested_text) {
    if (is_control(c)) return State::refused;
    return c == '"' ? State::nested : c == '\\' ? State::nested_escape : State::nested_text;
  }
  if (c == '"') return State::nested_text;
  if ((c == '{' || c == '[') && ++depth_ > deepest) return State::refused;
  if ((c == '}' || c == ']') && --depth_ == 0) return State::after_value;
  return State::nested;
}

AnswerReader::State AnswerReader::after_value(char c) {
  if (is_blank(c)) return State::after_value;
  if (c == ',') return State::name;
  return c == '}' ? State::done : State::refused;
}

}  // namespace otaria::device
