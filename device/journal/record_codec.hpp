#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/messages.hpp"
#include "device/journal/journal.hpp"

namespace otaria::device {

/// Builds a record's payload, little-endian, texts as one length byte pair and their bytes.
/// Overflow is remembered.
class RecordWriter {
 public:
  void u8(std::uint8_t value) { bytes({&value, 1}); }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value));
    u8(static_cast<std::uint8_t>(value >> 8));
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value));
    u16(static_cast<std::uint16_t>(value >> 16));
  }
  void i64(std::int64_t value) {
    u32(static_cast<std::uint32_t>(value));
    u32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32));
  }
  void text(std::string_view text) {
    u16(static_cast<std::uint16_t>(text.size()));
    bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  void optional_u32(const std::optional<std::uint32_t>& value) {
    u8(value.has_value() ? 1 : 0);
    u32(value.value_or(0));
  }
  void bytes(std::span<const std::uint8_t> from) {
    if (size_ + from.size() > buffer_.size()) {
      overflow_ = true;
      return;
    }
    std::ranges::copy(from, buffer_.begin() + size_);
    size_ += from.size();
  }
  /// Ready for another record.
  void clear() {
    size_ = 0;
    overflow_ = false;
  }
  [[nodiscard]] std::span<const std::uint8_t> payload() const {
    return std::span{buffer_}.first(size_);
  }
  [[nodiscard]] bool overflow() const { return overflow_; }

 private:
  std::array<std::uint8_t, Journal::max_payload> buffer_{};
  std::size_t size_ = 0;
  bool overflow_ = false;
};

/// Reads what RecordWriter wrote. Reading past the end gives zeros and good() turns false.
class RecordReader {
 public:
  explicit RecordReader(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}

  std::uint8_t u8() {
    std::uint8_t value = 0;
    bytes({&value, 1});
    return value;
  }
  std::uint16_t u16() {
    const std::uint16_t low = u8();
    return static_cast<std::uint16_t>(low | u8() << 8);
  }
  std::uint32_t u32() {
    const std::uint32_t low = u16();
    return low | static_cast<std::uint32_t>(u16()) << 16;
  }
  std::int64_t i64() {
    const std::uint64_t low = u32();
    return static_cast<std::int64_t>(low | static_cast<std::uint64_t>(u32()) << 32);
  }
  template <std::size_t Capacity>
  void text(contract::Text<Capacity>& into) {
    const std::size_t length = u16();
    if (length > bytes_.size() ||
        !into.assign({reinterpret_cast<const char*>(bytes_.data()), length})) {
      good_ = false;
      return;
    }
    bytes_ = bytes_.subspan(length);
  }
  std::optional<std::uint32_t> optional_u32() {
    const bool present = u8() != 0;
    const std::uint32_t value = u32();
    return present ? std::optional{value} : std::nullopt;
  }
  void bytes(std::span<std::uint8_t> into) {
    if (into.size() > bytes_.size()) {
      good_ = false;
      std::ranges::fill(into, std::uint8_t{0});
      bytes_ = {};
      return;
    }
    std::ranges::copy(bytes_.first(into.size()), into.begin());
    bytes_ = bytes_.subspan(into.size());
  }
  [[nodiscard]] bool good() const { return good_; }
  /// Nothing is left: what was added to this kind later is not there.
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  std::span<const std::uint8_t> bytes_;
  bool good_ = true;
};

}  // namespace otaria::device
