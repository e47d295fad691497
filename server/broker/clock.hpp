#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace otaria::server {

/// Unix milliseconds; tests hand in their own.
using UnixClock = std::function<std::int64_t()>;

inline std::int64_t system_unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace otaria::server
