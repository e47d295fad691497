#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "device/ports/flash.hpp"

namespace otaria::device {

/// NOR flash in memory, for tests on the host (it allocates).
///
/// Rules   an erase sets a sector to FF; a write only clears bits: one that would set a bit is
/// refused, changes
///         nothing and is remembered in rule_broken().
/// Cut     cut_after(n): n more operations (writes and erases) succeed, the next one does not
/// happen, and then every
///         call fails until power_on(). With tear(seed) the next one happens in part: of the bits
///         it would change a random subset changes.
class FakeFlash final : public Flash {
 public:
  static constexpr std::int64_t code_out_of_range = -1;
  static constexpr std::int64_t code_sets_bits = -2;
  static constexpr std::int64_t code_no_power = -3;
  static constexpr std::int64_t code_injected = -4;

  explicit FakeFlash(std::uint32_t bytes) : bytes_(bytes, 0xFF) {}

  Status read(std::uint32_t address, std::span<std::uint8_t> into) override {
    if (!powered_) return flash_failed(code_no_power, address);
    if (!inside(address, into.size())) return flash_failed(code_out_of_range, address);
    if (fail_reads_) return flash_failed(code_injected, address);
    std::copy_n(bytes_.begin() + address, into.size(), into.begin());
    bytes_read_ += into.size();
    return {};
  }

  Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) override {
    if (!powered_) return flash_failed(code_no_power, address);
    if (!inside(address, bytes.size())) return flash_failed(code_out_of_range, address);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if ((bytes[i] & ~bytes_[address + i]) == 0) continue;
      rule_broken_ = true;
      return flash_failed(code_sets_bits, address + static_cast<std::uint32_t>(i));
    }
    const bool whole = spend();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::uint8_t& cell = bytes_[address + i];
      const auto changing = static_cast<std::uint8_t>(cell & ~bytes[i]);
      cell = static_cast<std::uint8_t>(cell & ~(whole ? changing : changing & torn_bits()));
    }
    return whole ? Status{} : Status{flash_failed(code_no_power, address)};
  }

  Status erase_sector(std::uint32_t address) override {
    if (!powered_) return flash_failed(code_no_power, address);
    if (address % sector_bytes != 0 || !inside(address, sector_bytes)) {
      return flash_failed(code_out_of_range, address);
    }
    const bool whole = spend();
    ++erases_;
    for (std::uint32_t i = 0; i < sector_bytes; ++i) {
      std::uint8_t& cell = bytes_[address + i];
      cell = static_cast<std::uint8_t>(whole ? 0xFF : cell | torn_bits());
    }
    return whole ? Status{} : Status{flash_failed(code_no_power, address)};
  }

  [[nodiscard]] std::uint32_t size() const override {
    return static_cast<std::uint32_t>(bytes_.size());
  }

  void cut_after(std::uint64_t operations) { operations_left_ = operations; }
  void tear(std::uint32_t seed) {
    torn_ = true;
    random_.seed(seed);
  }
  void power_on() {
    powered_ = true;
    torn_ = false;
    operations_left_ = unlimited;
  }
  void fail_reads(bool fail) { fail_reads_ = fail; }

  [[nodiscard]] bool rule_broken() const { return rule_broken_; }
  [[nodiscard]] bool powered() const { return powered_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] std::uint64_t erases() const { return erases_; }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  /// The cells themselves, past every rule: for arranging and inspecting.
  [[nodiscard]] std::vector<std::uint8_t>& cells() { return bytes_; }

 private:
  static constexpr std::uint64_t unlimited = ~std::uint64_t{0};

  [[nodiscard]] bool inside(std::uint32_t address, std::size_t length) const {
    return std::uint64_t{address} + length <= bytes_.size();
  }
  /// False: the power goes during this operation.
  bool spend() {
    if (operations_left_ == 0) {
      powered_ = false;
      return false;
    }
    if (operations_left_ != unlimited) --operations_left_;
    ++operations_;
    return true;
  }
  std::uint8_t torn_bits() {
    return torn_ ? static_cast<std::uint8_t>(random_() & 0xFF) : std::uint8_t{0};
  }

  std::vector<std::uint8_t> bytes_;
  std::mt19937 random_;
  std::uint64_t operations_left_ = unlimited;
  std::uint64_t operations_ = 0;
  std::uint64_t erases_ = 0;
  std::uint64_t bytes_read_ = 0;
  bool powered_ = true;
  bool torn_ = false;
  bool rule_broken_ = false;
  bool fail_reads_ = false;
};

}  // namespace otaria::device
