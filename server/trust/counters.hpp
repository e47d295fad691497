#pragma once

#include <atomic>
#include <cstdint>

namespace otaria::server {

/// Counted since start; read at any time, by any thread.
struct TrustCounters {
  /// Uploads of a second key list under a published serial: somebody has signed twice.
  std::atomic<std::uint64_t> key_list_conflicts{0};
};

}  // namespace otaria::server
