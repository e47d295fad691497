#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace otaria::simulator {

/// The device's serial console: one line per event, stamped with the seconds since the chip
/// started.
class EventLog {
 public:
  /// Appends to `file`; empty: standard output. Throws std::system_error.
  explicit EventLog(const std::filesystem::path& file, bool verbose = false);

  void chip_started() { started_ = std::chrono::steady_clock::now(); }
  /// `[   1.204] area: text`; control characters in the text are shown as dots.
  void line(std::string_view area, std::string_view text);
  /// The same, with --verbose only.
  void detail(std::string_view area, std::string_view text) {
    if (verbose_) line(area, text);
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdout) std::fclose(file);
    }
  };
  std::unique_ptr<std::FILE, Close> out_;
  bool verbose_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace otaria::simulator
