#include "server/identity/broker_files.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace otaria::server {
namespace {

// Brokers take a token for this long after its end (clock leeway of the check, and a little more).
constexpr std::int64_t after_expiry_s = 60;

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw std::runtime_error{"cannot write " + path.string() +
                           " for the broker: " + std::generic_category().message(error)};
}

gid_t group_named(const std::string& name) {
  if (name.empty()) return static_cast<gid_t>(-1);
  group found{};
  group* result = nullptr;
  std::array<char, 16384> buffer{};
  if (getgrnam_r(name.c_str(), &found, buffer.data(), buffer.size(), &result) != 0 ||
      result == nullptr) {
    throw std::runtime_error{"broker.group: there is no group \"" + name + "\" on this machine"};
  }
  return found.gr_gid;
}

/// A new file beside its place; removed unless it was renamed.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& place)
      : place_{place}, name_{place.string() + ".XXXXXX"} {
    descriptor_ = mkostemp(name_.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail(place_, errno);
  }
  ~NewFile() {
    close(descriptor_);
    if (!renamed_) unlink(name_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void fill(std::string_view content, unsigned mode, gid_t group) {
    while (!content.empty()) {
      const ssize_t put = ::write(descriptor_, content.data(), content.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail(place_, errno);
      content.remove_prefix(static_cast<std::size_t>(put));
    }
    if (group != static_cast<gid_t>(-1) &&
        fchown(descriptor_, static_cast<uid_t>(-1), group) != 0) {
      fail(place_, errno);
    }
    if (fchmod(descriptor_, mode) != 0 || fsync(descriptor_) != 0) fail(place_, errno);
  }
  void take_its_place() {
    if (rename(name_.c_str(), place_.c_str()) != 0) fail(place_, errno);
    renamed_ = true;
  }

 private:
  const std::filesystem::path place_;
  std::string name_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace

std::string denylist_text(const std::vector<DeniedToken>& denied) {
  std::string text = "# Who is denied though the token is good. Written by otariad; do not edit.\n";
  for (const DeniedToken& token : denied) {
    text += (token.jti.empty() ? "sub:" + token.subject : "jti:" + token.jti) +
            " until:" + std::to_string(token.until + after_expiry_s) + "\n";
  }
  return text;
}

BrokerFiles::BrokerFiles(BrokerFilesConfig config)
    : config_{std::move(config)}, group_{group_named(config_.group)} {
  std::error_code error;
  std::filesystem::create_directories(config_.directory, error);
  if (error) fail(config_.directory, error.value());
  // Whoever may read the files must be let through to them.
  const unsigned readers = config_.file_mode & 0044U;
  const mode_t mode = 0700U | readers | readers >> 2;
  if (group_ != static_cast<gid_t>(-1) &&
      chown(config_.directory.c_str(), static_cast<uid_t>(-1), group_) != 0) {
    fail(config_.directory, errno);
  }
  if (chmod(config_.directory.c_str(), mode) != 0) fail(config_.directory, errno);
}

void BrokerFiles::put(const std::string& name, const std::string& content) {
  const std::scoped_lock lock{mutex_};
  const auto found = written_.find(name);
  if (found != written_.end() && found->second == content) return;
  write(name, content);
  written_[name] = content;
}

void BrokerFiles::write(const std::string& name, std::string_view content) const {
  NewFile file{path_of(name)};
  file.fill(content, config_.file_mode, group_);
  file.take_its_place();
}

}  // namespace otaria::server
