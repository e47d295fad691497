#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace otaria::server {

/// Who failed to authenticate too often is not listened to until a minute has passed.
///
/// A secret of 256 bits needs no such help; the limit keeps failures from filling log and audit,
/// and holds guessing down should a token ever be weaker. Without entry in the table nothing is
/// locked: when it is full of sources that still count, the one with the fewest failures makes
/// room.
/// Threads  any.
class Lockout {
 public:
  static constexpr unsigned failures_allowed = 10;  ///< in one window; one more locks
  static constexpr std::int64_t window_s = 60;
  static constexpr std::size_t most_sources = 4096;

  /// Seconds until the source is listened to again; nothing: it is not locked. Times in Unix
  /// seconds.
  std::optional<std::int64_t> locked_for(const std::string& source, std::int64_t now);
  void failed(const std::string& source, std::int64_t now);
  [[nodiscard]] std::size_t sources();

 private:
  struct Window {
    std::int64_t began = 0;
    unsigned failures = 0;
  };
  void make_room(std::int64_t now);

  std::mutex mutex_;
  std::map<std::string, Window> windows_;
};

}  // namespace otaria::server
