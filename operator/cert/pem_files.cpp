#include "operator/cert/pem_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

namespace otaria::cert {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

CertError not_written(const std::filesystem::path& path, int error) {
  return {"not_written",
          path.string() + " cannot be written: " + std::strerror(error) + ".",
          "Check the folder, who may write to it and its free space."};
}

CertError file_exists(const std::filesystem::path& path) {
  return {"file_exists",
          path.string() + " is there already; it is left as it is.",
          "Choose another --out, or move the old file away: a key that was replaced cannot come "
          "back."};
}

bool write_whole(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return fsync(descriptor) == 0;
}

// Written under a name of its own and then linked: link(2) never replaces, and shows the whole file
// or none.
void write_new_file(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  const std::string draft = path.string() + "." + std::to_string(getpid()) + ".new";
  int error = 0;
  {
    const Descriptor file{open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (file.get() < 0) throw not_written(path, errno);
    if (!write_whole(file.get(), text) || fchmod(file.get(), mode) != 0) error = errno;
  }
  if (error == 0 && link(draft.c_str(), path.c_str()) != 0) error = errno;
  unlink(draft.c_str());
  if (error == EEXIST) throw file_exists(path);
  if (error != 0) throw not_written(path, error);
}

std::string read_file(const std::filesystem::path& path, bool secret) {
  const auto refused = [&](const std::string& why) {
    return CertError{"no_such_file",
                     path.string() + " cannot be read: " + why + ".",
                     "Check the path and who may read it."};
  };
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0) throw refused(std::strerror(errno));
  if (!S_ISREG(about.st_mode)) throw refused("it is no file");
  if (secret && (about.st_mode & 077U) != 0) {
    throw CertError{"key_exposed",
                    "Others than its owner may use " + path.string() + ".",
                    "chmod 600 " + path.string()};
  }
  std::string text(largest_file + 1, '\0');
  std::size_t held = 0;
  while (held < text.size()) {
    const ssize_t count = read(file.get(), text.data() + held, text.size() - held);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw refused(std::strerror(errno));
    if (count == 0) break;
    held += static_cast<std::size_t>(count);
  }
  if (held > largest_file) throw refused("it is longer than 1 MiB");
  text.resize(held);
  return text;
}

}  // namespace

IdentityFiles identity_files(const std::filesystem::path& directory, const std::string& name) {
  return {directory / (name + ".pem"), directory / (name + ".key")};
}

void write_identity(const IdentityFiles& files, const Identity& identity) {
  const std::filesystem::path folder = files.key.parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::exists(folder, error)) {
    if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) throw not_written(folder, errno);
  }
  // Looked at before anything is made, so that a refusal leaves nothing behind.
  for (const auto& path : {files.certificate, files.key}) {
    if (std::filesystem::exists(path, error)) throw file_exists(path);
  }
  write_new_file(files.key, identity.key, 0600);
  try {
    write_new_file(files.certificate, identity.certificate, 0644);
  } catch (...) {
    unlink(files.key.c_str());
    throw;
  }
}

Identity read_identity(const IdentityFiles& files) {
  return {read_file(files.certificate, false), read_file(files.key, true)};
}

std::string read_pem(const std::filesystem::path& path) {
  return read_file(path, false);
}

}  // namespace otaria::cert
