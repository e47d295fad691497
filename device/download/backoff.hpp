#pragma once

#include <algorithm>
#include <cstdint>

#include "device/ports/clock.hpp"

namespace otaria::device {

/// Exponential back-off with jitter: the n-th wait lies between half and all of min(limit, first *
/// 2^n), so that a fleet cut off in one second does not come back in one second.
class Backoff {
 public:
  Backoff(std::uint32_t first_ms, std::uint32_t limit_ms)
      : first_ms_{first_ms}, limit_ms_{limit_ms} {}

  void reset() { failures_ = 0; }
  [[nodiscard]] std::uint32_t failures() const { return failures_; }
  /// Counts a failure and says how long to wait, in milliseconds.
  std::uint32_t next(Random& random) {
    const std::uint32_t doublings = std::min<std::uint32_t>(failures_++, 20);
    const auto full = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(limit_ms_, std::uint64_t{first_ms_} << doublings));
    const std::uint32_t half = full / 2;
    return half + random.next() % (full - half + 1);
  }

 private:
  std::uint32_t first_ms_;
  std::uint32_t limit_ms_;
  std::uint32_t failures_ = 0;
};

}  // namespace otaria::device
