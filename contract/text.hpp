#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace otaria::contract {

/// A string of at most `Capacity` bytes held in place: no heap, trivially copyable.
/// assign() refuses what does not fit and leaves the text empty; nothing is ever cut short.
template <std::size_t Capacity>
class Text {
  static_assert(Capacity <= 65535);

 public:
  constexpr Text() = default;

  /// False, and empty, when `text` is longer than the capacity.
  constexpr bool assign(std::string_view text) {
    if (text.size() > Capacity) {
      size_ = 0;
      return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) bytes_[i] = text[i];
    size_ = static_cast<std::uint16_t>(text.size());
    return true;
  }
  constexpr void clear() { size_ = 0; }
  [[nodiscard]] constexpr std::string_view view() const { return {bytes_.data(), size_}; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  static constexpr std::size_t capacity() { return Capacity; }

  friend constexpr bool operator==(const Text& a, const Text& b) { return a.view() == b.view(); }
  friend constexpr bool operator==(const Text& a, std::string_view b) { return a.view() == b; }

 private:
  std::array<char, Capacity> bytes_{};
  std::uint16_t size_ = 0;
};

}  // namespace otaria::contract
