#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>

namespace otaria::server {

/// Tells whether a file is still the one whose content was hashed. Any write changes the times;
/// ctime cannot be set back.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Empty for what is no regular file and for a file without a name.
inline std::optional<FileIdentity> identity_of(const struct stat& status) {
  if (!S_ISREG(status.st_mode) || status.st_nlink == 0) return std::nullopt;
  const auto nanoseconds = [](const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  };
  return FileIdentity{status.st_dev,
                      status.st_ino,
                      static_cast<std::uint64_t>(status.st_size),
                      nanoseconds(status.st_mtim),
                      nanoseconds(status.st_ctim)};
}

/// Empty also when the descriptor cannot be asked.
inline std::optional<FileIdentity> identity_of(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return std::nullopt;
  return identity_of(status);
}

}  // namespace otaria::server
