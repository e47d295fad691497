#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "device/ports/flash.hpp"
#include "device/result/result.hpp"

namespace otaria::device {

/// Writes a file that arrives in pieces into a stretch of flash, from its first byte on.
///
/// Use      begin(), prepare() until it says true, append() for each piece, finish().
/// Bound    prepare() erases one sector per call; append() erases nothing and writes no more than it is given.
/// Cells    of 32 bytes, each programmed once (Flash).
/// Cut      nothing is remembered: whoever needs the file fetches it again.
/// Errors   flash_failed; too_large (`found` = what would have been reached, `expected` = the limit) leaves the
///          staging idle, nothing beyond the limit is written.
/// Memory   one cell.
class Staging {
 public:
  static constexpr std::uint32_t cell_bytes = 32;

  /// Forgets what was being written. `limit` is the largest file, at most the sectors' bytes.
  void begin(std::uint32_t address, std::uint32_t limit);
  void abandon() { *this = {}; }
  [[nodiscard]] bool active() const { return limit_ != 0; }

  /// True once every sector the limit needs is erased.
  Result<bool> prepare(Flash& flash);
  Status append(Flash& flash, std::span<const std::uint8_t> bytes);
  /// Writes the last cell, padded with FF; the length of the file. Idle afterwards.
  Result<std::uint32_t> finish(Flash& flash);
  [[nodiscard]] std::uint32_t bytes() const { return bytes_; }

 private:
  std::uint32_t address_ = 0;
  std::uint32_t limit_ = 0;  ///< 0: idle
  std::uint32_t erased_ = 0;
  std::uint32_t bytes_ = 0;  ///< so far, those in `cell_` included
  std::array<std::uint8_t, cell_bytes> cell_{};
};

}  // namespace otaria::device
