#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace otaria::broker_plugin {

/// A small file that another program replaces now and then.
///
/// Changed  when its size, time or inode differ, or when it was written so recently that a second
///          write could hide behind the same time.
/// Thread   the caller's; a look is one stat().
class WatchedFile {
 public:
  WatchedFile(std::filesystem::path path, std::size_t max_bytes)
      : path_{std::move(path)}, max_bytes_{max_bytes} {}

  enum class Look : std::uint8_t {
    unchanged,   ///< the same text as at the last `changed`
    changed,     ///< text() is the whole of it
    missing,     ///< no such file
    unreadable,  ///< error() says why
  };
  Look look(std::int64_t now_s);

  [[nodiscard]] const std::string& text() const { return *text_; }  ///< after `changed`
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t bytes = 0;
    std::int64_t modified_s = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Identity&) const = default;
  };

  Look read(int file, Identity identity, std::int64_t now_s);
  Look fail(const char* what);

  std::filesystem::path path_;
  std::size_t max_bytes_;
  std::optional<Identity> seen_;  ///< nothing: read it again
  std::optional<std::string> text_;
  std::string error_;
};

}  // namespace otaria::broker_plugin
