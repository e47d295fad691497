#include "server/app/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace otaria::server {
namespace {

std::string holder(int lock) {
  char text[32] = {};
  const ssize_t length = pread(lock, text, sizeof text - 1, 0);
  return length > 0 ? "process " + std::string{text, static_cast<std::size_t>(length)}
                    : "another process";
}

}  // namespace

DataDirectory::DataDirectory(const std::filesystem::path& path) : path_{path} {
  std::error_code error;
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), error);
  if (mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw std::runtime_error{"cannot create the data directory " + path_.string() + ": " +
                             std::strerror(errno)};
  }
  const std::string file = path_ / "otariad.lock";
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) {
    throw std::runtime_error{"cannot write to the data directory " + path_.string() + ": " +
                             std::strerror(errno)};
  }
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const std::string who = holder(lock_);
    close(lock_);
    throw std::runtime_error{"another otariad (" + who + ") works in " + path_.string() +
                             ": stop it, or choose another --data"};
  }
  const std::string id = std::to_string(getpid());
  if (ftruncate(lock_, 0) != 0 || pwrite(lock_, id.data(), id.size(), 0) < 0) {
    close(lock_);
    throw std::runtime_error{"cannot write to " + file + ": " + std::strerror(errno)};
  }
}

DataDirectory::~DataDirectory() {
  close(lock_);
}

}  // namespace otaria::server
