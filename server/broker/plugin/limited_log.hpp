#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace otaria::broker_plugin {

enum class Severity : std::uint8_t { info, notice, warning, error };

/// Takes one line without line break.
using LogSink = std::function<void(Severity, const std::string&)>;

/// At most max_lines_per_second lines about clients: whoever knocks thousands of times must not
/// fill the disk. What was left out is counted in the next line that is written.
class LimitedLog {
 public:
  static constexpr unsigned max_lines_per_second = 10;

  explicit LimitedLog(LogSink sink) : sink_{std::move(sink)} {}

  void about_client(const std::string& line, std::int64_t now_s) {
    if (now_s != second_) {
      if (left_out_ > 0) {
        sink_(Severity::notice, std::to_string(left_out_) + " more refusals were not written");
      }
      second_ = now_s;
      written_ = 0;
      left_out_ = 0;
    }
    if (written_ == max_lines_per_second) {
      ++left_out_;
      return;
    }
    ++written_;
    sink_(Severity::notice, line);
  }
  void about_us(Severity severity, const std::string& line) { sink_(severity, line); }

 private:
  LogSink sink_;
  std::int64_t second_ = 0;
  unsigned written_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace otaria::broker_plugin
