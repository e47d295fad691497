#pragma once

#include <cstdint>
#include <span>

#include "device/result/result.hpp"

namespace otaria::device {

/// NOR flash as the agent sees it; platform/ implements it, simulator/ fakes it.
///
/// Units    absolute addresses and lengths in bytes; erase in sectors of 4096 at multiples of 4096; writes of any
///          address and length (the driver splits pages). With flash encryption on the chip writes
///          must be 16-byte cells: the agent's own writes are 32-byte aligned and never program the
///          same 32 bytes twice, but for the one word of re-arming a boot record, which it does not
///          do on encrypted flash.
/// Rules    a write only clears bits; an erase sets a sector to FF; every call may be the last before the power goes.
/// Errors   flash_failed, `found` = the driver's own code, `expected` = the address.
/// Thread   called from the agent's task only; may block for hundreds of milliseconds.
class Flash {
 public:
  static constexpr std::uint32_t sector_bytes = 4096;

  virtual Status read(std::uint32_t address, std::span<std::uint8_t> into) = 0;
  virtual Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) = 0;
  virtual Status erase_sector(std::uint32_t address) = 0;
  /// Size of the chip in bytes.
  [[nodiscard]] virtual std::uint32_t size() const = 0;

 protected:
  ~Flash() = default;  // owned by the platform, never deleted through the port
};

}  // namespace otaria::device
