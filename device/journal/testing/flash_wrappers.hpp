#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "device/ports/fake_flash.hpp"

/// Kinds of trouble that FakeFlash does not have, each as a flash around one. For tests on the
/// host.
namespace otaria::device::testing {

/// Bits of the write in which the power failed are readable until the next start and gone after it,
/// unless they were programmed once more meanwhile: what a cell does whose charge lies near the
/// threshold. Source  reference esp32-flash-formats section 7.
class MarginalFlash final : public Flash {
 public:
  explicit MarginalFlash(std::uint32_t bytes) : cells_{bytes}, marginal_(bytes, 0) {}

  Status read(std::uint32_t address, std::span<std::uint8_t> into) override {
    return powered_ ? cells_.read(address, into)
                    : Status{flash_failed(FakeFlash::code_no_power, address)};
  }
  Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) override {
    if (!powered_) return flash_failed(FakeFlash::code_no_power, address);
    const std::vector<std::uint8_t> before = cells_.cells();
    if (auto done = cells_.write(address, bytes); !done) return done;
    const bool cut = cut_at_ == address;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto programmed = static_cast<std::uint8_t>(~bytes[i]);
      std::uint8_t& weak = marginal_[address + i];
      weak = static_cast<std::uint8_t>(weak & ~programmed);
      if (cut) weak = static_cast<std::uint8_t>(weak | (before[address + i] & programmed));
    }
    if (!cut) return {};
    powered_ = false;
    return flash_failed(FakeFlash::code_no_power, address);
  }
  Status erase_sector(std::uint32_t address) override {
    if (!powered_) return flash_failed(FakeFlash::code_no_power, address);
    std::fill_n(marginal_.begin() + address, sector_bytes, std::uint8_t{0});
    return cells_.erase_sector(address);
  }
  [[nodiscard]] std::uint32_t size() const override { return cells_.size(); }

  /// The power fails at the very end of the next write to `address`: all its bits are programmed,
  /// and weakly.
  void cut_in_write_at(std::uint32_t address) { cut_at_ = address; }
  void power_on() {
    powered_ = true;
    cut_at_.reset();
  }
  /// A day later: what was weak and not firmed is lost.
  void age() {
    for (std::size_t i = 0; i < marginal_.size(); ++i) {
      cells_.cells()[i] = static_cast<std::uint8_t>(cells_.cells()[i] | marginal_[i]);
      marginal_[i] = 0;
    }
  }

 private:
  FakeFlash cells_;
  std::vector<std::uint8_t> marginal_;
  std::optional<std::uint32_t> cut_at_;
  bool powered_ = true;
};

/// Cells that can no longer be programmed: writes succeed, and the bytes stay as they were.
class WornFlash final : public Flash {
 public:
  explicit WornFlash(std::uint32_t bytes) : cells_{bytes} {}

  Status read(std::uint32_t address, std::span<std::uint8_t> into) override {
    return cells_.read(address, into);
  }
  Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) override {
    if (address < worn_to && address + bytes.size() > worn_from) return {};
    return cells_.write(address, bytes);
  }
  Status erase_sector(std::uint32_t address) override { return cells_.erase_sector(address); }
  [[nodiscard]] std::uint32_t size() const override { return cells_.size(); }

  std::uint32_t worn_from = 0;
  std::uint32_t worn_to = 0;

 private:
  FakeFlash cells_;
};

}  // namespace otaria::device::testing
