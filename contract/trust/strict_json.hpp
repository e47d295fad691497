#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "contract/defect.hpp"
#include "contract/trust/byte_source.hpp"

namespace otaria::contract {

/// The JSON profile of everything we sign, read token by token from bytes that need not lie in
/// memory: one object, depth 4 at most, integers of 32 bits without sign, fraction or exponent,
/// strings whose only escapes are \" and \\, no null, no member twice.
///
/// Use      call next() until `end` or `defect`; skip() passes over the value of a member that is
///          not known. A defect stays.
/// Memory   about 300 bytes and the caller's `text`; no heap.
/// Names    `[a-z0-9_]{1,24}`; in an object for which data_names() was called right after its
///          beginning `[A-Za-z0-9._-]{1,64}`.
/// Source   reference trust, section 5.3; RFC 8259.
class StrictJson {
 public:
  enum class Event : std::uint8_t {
    object_begin,
    object_end,
    array_begin,
    array_end,
    member,
    string,
    integer,
    boolean,
    end,
    defect,
  };
  static constexpr std::size_t max_depth = 4;
  /// Members of all objects that are open at one time; beyond: too_many_values.
  static constexpr std::size_t max_open_names = 64;
  static constexpr std::size_t longest_name = 24;
  static constexpr std::size_t longest_data_name = 64;

  /// `text` holds the name or string read last: at least 64 bytes.
  StrictJson(ByteSource& source, std::span<char> text) : source_{&source}, text_{text} {}

  Event next();
  /// Name of the member, or the string; valid until the next call. Empty when text_too_long().
  [[nodiscard]] std::string_view text() const { return {text_.data(), text_bytes_}; }
  /// The string is longer than the buffer: no value that we know, but none that we must refuse.
  [[nodiscard]] bool text_too_long() const { return text_too_long_; }
  [[nodiscard]] std::uint32_t integer() const { return integer_; }
  [[nodiscard]] bool boolean() const { return integer_ != 0; }
  [[nodiscard]] Defect defect() const { return defect_; }
  /// Containers that are open.
  [[nodiscard]] std::size_t depth() const { return depth_; }
  void data_names() { levels_[depth_ - 1].data_names = true; }
  /// Passes over the value that comes next. False: a defect.
  bool skip();
  /// What the reader of a payload objects to, in the place of a defect of the syntax.
  Event refuse(Defect defect);

 private:
  struct Level {
    bool object = false;
    bool data_names = false;
    bool empty = true;
    std::uint8_t names = 0;
  };

  int peek();
  int take();
  int peek_past_space();
  Event value();
  Event open(bool object);
  Event close();
  Event member();
  Event word(std::string_view rest, bool meaning);
  Event number();
  bool string();
  bool utf8(int lead);
  bool put(int c);
  bool remember_name();

  ByteSource* source_;
  std::span<char> text_;
  std::size_t text_bytes_ = 0;
  std::size_t text_length_ = 0;  ///< of the whole string
  bool text_too_long_ = false;
  std::uint32_t integer_ = 0;
  std::uint32_t name_hash_ = 0;
  int ahead_ = unread;
  bool begun_ = false;
  bool after_name_ = false;
  Defect defect_ = Defect::none;
  std::size_t depth_ = 0;
  std::size_t open_names_ = 0;
  std::array<Level, max_depth> levels_{};
  /// A hash for each name: two names of one hash are refused like one name twice.
  std::array<std::uint32_t, max_open_names> names_{};

  static constexpr int unread = -3;
};

}  // namespace otaria::contract
