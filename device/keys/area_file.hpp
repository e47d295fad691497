#pragma once

#include <cstdint>
#include <span>

#include "contract/trust/byte_source.hpp"
#include "device/ports/flash.hpp"

namespace otaria::device {

/// A file as it lies in flash: `bytes` at `address`. Empty by default.
class AreaFile final : public contract::FileSource {
 public:
  AreaFile() = default;
  AreaFile(Flash& flash, std::uint32_t address, std::uint32_t bytes)
      : flash_{&flash}, address_{address}, bytes_{bytes} {}
  [[nodiscard]] std::uint32_t size() const override { return bytes_; }
  bool read(std::uint32_t offset, std::span<std::uint8_t> into) override {
    if (offset > bytes_ || into.size() > bytes_ - offset) return false;
    return into.empty() || static_cast<bool>(flash_->read(address_ + offset, into));
  }

 private:
  Flash* flash_ = nullptr;
  std::uint32_t address_ = 0;
  std::uint32_t bytes_ = 0;
};

}  // namespace otaria::device
