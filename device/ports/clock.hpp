#pragma once

#include <cstdint>
#include <optional>

namespace otaria::device {

/// Time as the agent sees it.
class Clock {
 public:
  /// Milliseconds since boot; never goes back.
  [[nodiscard]] virtual std::uint64_t monotonic_ms() const = 0;
  /// Unix seconds while the clock is set by SNTP; a hint only, never trusted for security.
  [[nodiscard]] virtual std::optional<std::uint32_t> unix_s() const = 0;

 protected:
  ~Clock() = default;
};

/// Random numbers for jitter and first session numbers. Seeded per device: a fleet that powers up
/// in one second must not retry in one second.
class Random {
 public:
  virtual std::uint32_t next() = 0;

 protected:
  ~Random() = default;
};

}  // namespace otaria::device
