#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace otaria::contract {

/// Writes JSON into memory of the caller. What does not fit makes it overflow once and for all:
/// finish() is then 0.
class JsonWriter {
 public:
  explicit JsonWriter(std::span<char> out) : out_{out} {}

  void begin_object();
  void end_object();
  void name(std::string_view name);
  /// Quotes, backslashes and control characters are escaped; a byte that is no UTF-8 becomes `?`.
  void string(std::string_view text);
  void number(std::uint32_t value);
  void boolean(bool value);
  void empty_array();

  void member(std::string_view key, std::string_view value) {
    name(key);
    string(value);
  }
  void member(std::string_view key, std::uint32_t value) {
    name(key);
    number(value);
  }
  void member(std::string_view key, bool value) {
    name(key);
    boolean(value);
  }
  // A string literal would rather become a bool than a string_view.
  void member(std::string_view key, const char* value) { member(key, std::string_view{value}); }

  /// Bytes written, or 0 when it did not fit.
  [[nodiscard]] std::size_t finish() const { return overflow_ ? 0 : written_; }

 private:
  void put(std::string_view text);
  void put_control(unsigned char c);

  std::span<char> out_;
  std::size_t written_ = 0;
  bool first_ = true;
  bool overflow_ = false;
};

}  // namespace otaria::contract
