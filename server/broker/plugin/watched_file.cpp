#include "server/broker/plugin/watched_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace otaria::broker_plugin {
namespace {

// File systems keep times in steps of milliseconds to 2 s.
constexpr std::int64_t time_step_s = 2;

class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_{descriptor} {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// False: it failed, or there is more than `max_bytes`.
bool read_all(int file, std::size_t max_bytes, std::string& text) {
  char piece[16384];
  for (;;) {
    const ssize_t bytes = ::read(file, piece, sizeof piece);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return false;
    if (bytes == 0) return true;
    text.append(piece, static_cast<std::size_t>(bytes));
    if (text.size() > max_bytes) {
      errno = EFBIG;
      return false;
    }
  }
}

}  // namespace

WatchedFile::Look WatchedFile::fail(const char* what) {
  error_ = std::string{what} + ": " + std::generic_category().message(errno);
  seen_.reset();
  return Look::unreadable;
}

WatchedFile::Look WatchedFile::look(std::int64_t now_s) {
  // O_NONBLOCK: a FIFO in its place must not stop the broker.
  const OpenFile file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.get() < 0) {
    if (errno != ENOENT) return fail("it cannot be opened");
    seen_.reset();
    return Look::missing;
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail("it cannot be examined");
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return fail("it is no regular file");
  }
  const Identity identity{
      status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  if (seen_ == identity) return Look::unchanged;
  return read(file.get(), identity, now_s);
}

WatchedFile::Look WatchedFile::read(int file, Identity identity, std::int64_t now_s) {
  std::string text;
  if (!read_all(file, max_bytes_, text)) return fail("it cannot be read");
  seen_.reset();
  if (identity.modified_s + time_step_s < now_s) seen_ = identity;
  if (text == text_ && error_.empty()) return Look::unchanged;
  text_ = std::move(text);
  error_.clear();
  return Look::changed;
}

}  // namespace otaria::broker_plugin
