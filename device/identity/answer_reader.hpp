#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace otaria::device {

/// Text that grows by characters as they arrive.
template <std::size_t Capacity>
class GrowingText {
 public:
  bool put(char c) {
    if (size_ == Capacity) return false;
    bytes_[size_++] = c;
    return true;
  }
  void clear() { size_ = 0; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, Capacity> bytes_{};
  std::uint16_t size_ = 0;
};

/// Receives what AnswerReader was told to look for.
class AnswerSink {
 public:
  /// A string member begins, its characters follow; false: refused.
  virtual bool on_text_begin(std::size_t member) = 0;
  virtual bool on_text(std::size_t member, char c) = 0;
  virtual bool on_number(std::size_t member, std::uint32_t value) = 0;

 protected:
  ~AnswerSink() = default;
};

/// A member that counts; all others are passed over.
struct AnswerMember {
  std::string_view name;
  bool is_text = true;  ///< else an integer of 32 bits without sign, fraction or exponent
};

/// Reads the JSON object that a server answers with while it arrives, so that no buffer has to hold
/// it. Of the members that count: each once, of its type, strings without escapes. What they say is
/// the sink's to judge; nothing counts before finish() is true.
///
/// Use     begin(), feed() for each piece, finish() at the end. A refusal stays.
/// Bounds  nesting of other members 16 deep; at most 16 members that count.
/// Memory  the object (48 bytes); no heap.
/// Source  RFC 8259.
class AnswerReader {
 public:
  /// `members` outlives the reading. None: whatever comes is passed over, and finish() is false.
  void begin(std::span<const AnswerMember> members);
  void feed(std::span<const std::uint8_t> piece, AnswerSink& sink);
  [[nodiscard]] bool finish() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t {
    start,
    first_name,  ///< or the end of the object
    name,        ///< a quote
    in_name,     ///< its characters
    colon,
    value,
    in_text,    ///< of a member that counts
    in_number,  ///< the same
    other_text,
    other_escape,
    other_scalar,
    nested,
    nested_text,
    nested_escape,
    after_value,
    done,
    refused,
  };
  static constexpr std::size_t longest_name = 15;  ///< a longer one is none that counts
  static constexpr std::size_t none = 0xFF;
  static constexpr std::uint8_t deepest = 16;

  State next(char c, AnswerSink& sink);
  State in_name(char c);
  State begin_value(char c, AnswerSink& sink);
  State in_number(char c, AnswerSink& sink);
  State in_nested(char c);
  [[nodiscard]] std::size_t member_named(std::string_view name) const;
  static State after_value(char c);

  std::span<const AnswerMember> members_;
  std::uint32_t number_ = 0;
  State state_ = State::refused;
  std::uint8_t member_ = 0;  ///< being read
  std::uint8_t depth_ = 0;
  std::uint16_t seen_ = 0;  ///< a bit per member
  GrowingText<longest_name> name_;
  bool name_too_long_ = false;
};

}  // namespace otaria::device
