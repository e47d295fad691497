#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace otaria::server {

/// Makes ULIDs: 26 characters of Crockford's base 32, 48 bits of milliseconds, 80 bits of chance.
/// Rising within one generator even when several fall into one millisecond or the clock goes back,
/// so that their order is the order of the decisions they name. Threads  any. Source
/// github.com/ulid/spec
class UlidGenerator {
 public:
  explicit UlidGenerator(std::uint64_t seed);
  std::string next(std::uint64_t unix_ms);

 private:
  std::mutex mutex_;
  std::mt19937_64 random_;
  std::uint64_t last_ms_ = 0;
  std::uint64_t high_ = 0;  ///< upper 16 of the 80 bits
  std::uint64_t low_ = 0;   ///< lower 64
};

}  // namespace otaria::server
