#include "server/artifact/named_files.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "server/artifact/sha256.hpp"
#include "server/artifact/store.hpp"

namespace otaria::server {
namespace {

constexpr std::string_view firmware = "/firmware/";

bool is_servable_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

/// The kernel itself refuses whatever leads out of the directory; O_NONBLOCK: opening a FIFO must
/// not hang.
int open_beneath(int directory, const std::string& name) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how));
}

}  // namespace

NamedFiles::NamedFiles(std::filesystem::path directory) : directory_(std::move(directory)) {
  directory_descriptor_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_descriptor_ < 0) {
    throw std::runtime_error("cannot open " + directory_.string() + ": " + std::strerror(errno));
  }
}

NamedFiles::~NamedFiles() {
  ::close(directory_descriptor_);
}

bool NamedFiles::is_unchanged(const std::string& name, const FileIdentity& identity) const {
  struct stat status {};
  return ::fstatat(directory_descriptor_, name.c_str(), &status, 0) == 0 &&
         identity_of(status) == identity;
}

std::optional<NamedFiles::Entry> NamedFiles::hash(const std::string& name) const {
  const int descriptor = open_beneath(directory_descriptor_, name);
  if (descriptor < 0) return std::nullopt;
  const auto identity = identity_of(descriptor);
  auto by_name = std::make_shared<OpenFile>(descriptor, identity ? identity->size : 0);
  if (!identity) return std::nullopt;
  const auto digest = digest_of_file(descriptor, identity->size);
  const int second = digest ? ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : -1;
  if (second < 0) return std::nullopt;
  auto by_digest = std::make_shared<OpenFile>(second, identity->size);
  set_immutable_headers(*by_digest, *digest);
  by_name->etag = by_digest->etag;
  by_name->header_lines =
      "Content-Type: application/octet-stream\r\n"
      "Cache-Control: no-cache\r\n";
  return Entry{*identity, *digest, std::move(by_name), std::move(by_digest)};
}

std::shared_ptr<const OpenFile> NamedFiles::open_name(const std::string& name) {
  if (!is_servable_name(name)) return nullptr;
  {
    const std::shared_lock lock(mutex_);
    const auto found = entries_.find(name);
    if (found != entries_.end() && is_unchanged(name, found->second.identity)) {
      return found->second.by_name;
    }
  }
  auto fresh = hash(name);
  const std::unique_lock lock(mutex_);
  const auto old = entries_.find(name);
  if (old != entries_.end()) {
    const auto owner = names_.find(old->second.digest);
    if (owner != names_.end() && owner->second == name) names_.erase(owner);
    entries_.erase(old);
  }
  if (!fresh) return nullptr;
  auto file = fresh->by_name;
  names_.insert_or_assign(fresh->digest, name);
  entries_.emplace(name, std::move(*fresh));
  return file;
}

std::vector<NamedFiles::Item> NamedFiles::scan() {
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    open_name(entry.path().filename().string());
  }
  std::vector<Item> items;
  const std::unique_lock lock(mutex_);
  std::erase_if(entries_, [this](const auto& entry) {
    return !is_unchanged(entry.first, entry.second.identity);
  });
  names_.clear();  // of two files with one digest, the one that is left must be found
  for (const auto& [name, entry] : entries_) {
    names_.insert_or_assign(entry.digest, name);
    items.push_back({name, entry.digest, entry.identity.size});
  }
  return items;
}

std::shared_ptr<const OpenFile> NamedFiles::find_open(std::string_view path) const {
  if (!path.starts_with(firmware)) return nullptr;
  const auto digest = digest_of_path(path);
  const std::shared_lock lock(mutex_);
  auto found = entries_.end();
  if (digest) {
    // Under a digest's URL only its bytes are served, whatever a file may be called.
    const auto name = names_.find(*digest);
    if (name != names_.end()) found = entries_.find(name->second);
  } else {
    found = entries_.find(path.substr(firmware.size()));
  }
  if (found == entries_.end() || !is_unchanged(found->first, found->second.identity)) {
    return nullptr;
  }
  return digest ? found->second.by_digest : found->second.by_name;
}

std::shared_ptr<const OpenFile> NamedFiles::open(std::string_view path) {
  if (auto file = find_open(path)) return file;
  if (!path.starts_with(firmware)) return nullptr;
  open_name(std::string(path.substr(firmware.size())));
  if (auto file = find_open(path)) return file;
  if (!digest_of_path(path)) return nullptr;
  scan();  // a digest says nothing of where it lies
  return find_open(path);
}

}  // namespace otaria::server
