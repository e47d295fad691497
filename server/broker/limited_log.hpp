#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace otaria::server {

/// Warnings that outsiders can cause, at most one per kind and interval; the next says how many
/// were left out. Threads  any.
class LimitedLog {
 public:
  explicit LimitedLog(std::chrono::steady_clock::duration interval = std::chrono::seconds{10})
      : interval_{interval} {}
  void warn(const std::string& kind, const std::string& text);

 private:
  struct Kind {
    std::chrono::steady_clock::time_point next;
    std::uint64_t left_out = 0;
  };
  std::chrono::steady_clock::duration interval_;
  std::mutex mutex_;
  std::map<std::string, Kind> kinds_;
};

/// Makes bytes from outside fit for a log line: control characters and bytes beyond ASCII as
/// `\xNN`, cut at `longest`.
std::string printable(std::string_view bytes, std::size_t longest = 120);

}  // namespace otaria::server
