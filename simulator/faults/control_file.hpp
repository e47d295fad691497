#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace otaria::simulator {

/// A text file in which a test or a person writes, line by line, what shall happen to a running
/// device.
///
/// Lines    each counts once, when its newline is there; lines present at the start count too.
/// Changes  appending gives the new lines; anything else (truncated, replaced, rewritten) gives all
/// lines of the new
///          content. A file that is not there has no lines.
/// Source   docs/spec/virtual-device.md, "Control file".
class ControlFile {
 public:
  explicit ControlFile(std::filesystem::path file) : file_{std::move(file)} {}
  /// The lines that came since the last call, blank ones and `#` comments left out.
  std::vector<std::string> new_lines();

 private:
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t changed_ns = -1;
    std::int64_t bytes = -1;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] Stamp stamp() const;

  std::filesystem::path file_;
  Stamp seen_;
  std::string consumed_;  ///< what was read, up to the last newline
};

}  // namespace otaria::simulator
