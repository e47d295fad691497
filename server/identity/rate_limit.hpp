#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace otaria::server {

struct Rate {
  std::int64_t burst = 1;        ///< as many at once
  std::int64_t interval_ms = 1;  ///< one more after each of these
};

/// Limits how often each of many keys (addresses, devices) may do something.
///
/// A bounded table: a key that has all of its burst left needs no entry; when the table is full of
/// others, the one nearest to that makes room, so that who hammers stays limited.
/// Threads  any. Times in Unix milliseconds.
/// Source   Generic Cell Rate Algorithm (ITU-T I.371).
class RateLimit {
 public:
  static constexpr std::size_t default_most_keys = 65'536;

  explicit RateLimit(Rate rate, std::size_t most_keys = default_most_keys)
      : rate_{rate}, most_keys_{most_keys} {}

  /// Nothing: go on. Else whole seconds until the next one is welcome, at least 1.
  std::optional<std::int64_t> take(const std::string& key, std::int64_t now_ms);
  [[nodiscard]] std::size_t keys();

 private:
  void make_room(std::int64_t now_ms);

  const Rate rate_;
  const std::size_t most_keys_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t>
      full_again_at_;  ///< Unix ms; before: part of the burst is spent
};

}  // namespace otaria::server
