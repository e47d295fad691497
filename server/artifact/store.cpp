#include "server/artifact/store.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <stdexcept>

namespace otaria::server {
namespace {

constexpr std::string_view temporary_prefix = ".incoming-";
constexpr std::string_view suffix = ".bin";
constexpr std::string_view firmware = "/firmware/";

std::string text_of(const contract::Digest& digest) {
  const auto hex = contract::hex_of(digest);
  return {hex.data(), hex.size()};
}

std::optional<contract::Digest> digest_of_name(std::string_view name) {
  if (!name.ends_with(suffix)) return std::nullopt;
  return contract::digest_from_hex(name.substr(0, name.size() - suffix.size()));
}

StoreError error_of(int code, const std::string& act, const std::filesystem::path& path) {
  // EFBIG: the process' or the file system's limit for one file, to the operator the same thing.
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return {full ? StoreFault::disk_full : StoreFault::io_failed,
          act + " " + path.string() + ": " + std::strerror(code)};
}

}  // namespace

std::optional<contract::Digest> digest_of_path(std::string_view path) {
  if (!path.starts_with(firmware)) return std::nullopt;
  return digest_of_name(path.substr(firmware.size()));
}

void set_immutable_headers(OpenFile& file,
                           const contract::Digest& digest,
                           std::string_view cache_control) {
  file.etag = "\"" + text_of(digest) + "\"";
  file.header_lines =
      "Content-Type: application/octet-stream\r\nCache-Control: " + std::string{cache_control} +
      "\r\n";
}

ArtifactStore::ArtifactStore(std::filesystem::path directory,
                             std::size_t max_open,
                             std::string cache_control)
    : directory_(std::move(directory)),
      max_open_(max_open),
      cache_control_(std::move(cache_control)) {
  std::filesystem::create_directories(directory_);
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    if (!entry.path().filename().string().starts_with(temporary_prefix)) continue;
    spdlog::info("removing {}, left by an interrupted upload", entry.path().string());
    std::filesystem::remove(entry.path());
  }
  directory_descriptor_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_descriptor_ < 0) {
    throw std::runtime_error(error_of(errno, "cannot open", directory_).detail);
  }
}

ArtifactStore::~ArtifactStore() {
  ::close(directory_descriptor_);
}

std::filesystem::path ArtifactStore::path_of(const contract::Digest& digest) const {
  return directory_ / (text_of(digest) + std::string(suffix));
}

bool ArtifactStore::sync_directory() const {
  return ::fsync(directory_descriptor_) == 0;
}

ArtifactStore::Writer::Writer(ArtifactStore& store) : store_(store) {
  temporary_ = store.directory_ / (std::string(temporary_prefix) + "XXXXXX");
  descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    temporary_ = store.directory_;
    fail("cannot create a file in");
    temporary_.clear();
  }
}

ArtifactStore::Writer::~Writer() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void ArtifactStore::Writer::fail(const char* act) {
  error_ = error_of(errno, act, temporary_);
}

bool ArtifactStore::Writer::append(std::string_view bytes) {
  if (error_.fault != StoreFault::none) return false;
  hash_.update(bytes);
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      fail("cannot write");
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
  return true;
}

ArtifactStore::Put ArtifactStore::Writer::finish(std::optional<contract::Digest> expected) {
  if (error_.fault == StoreFault::none && ::fsync(descriptor_) != 0) fail("cannot sync");
  if (error_.fault == StoreFault::none && ::fchmod(descriptor_, 0444) != 0) fail("cannot protect");
  if (error_.fault != StoreFault::none) return {std::nullopt, error_};
  const StoredArtifact artifact{hash_.finish(), size_};
  if (expected && *expected != artifact.digest) {
    return {std::nullopt,
            {StoreFault::digest_mismatch,
             "the " + std::to_string(size_) + " bytes received have the SHA-256 " +
                 text_of(artifact.digest) + ", not " + text_of(*expected)}};
  }
  Put put = store_.publish(temporary_, descriptor_, artifact);
  if (put && !put.already_there) temporary_.clear();  // it has its name now
  return put;
}

ArtifactStore::Put ArtifactStore::publish(const std::string& temporary,
                                          int descriptor,
                                          const StoredArtifact& artifact) {
  // A copy that is there already may have rotted: open() hashes it, and puts it aside if so.
  if (open(artifact.digest).file) return {artifact, {}, true};
  const auto path = path_of(artifact.digest);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return {std::nullopt, error_of(errno, "cannot rename an upload to", path)};
  }
  if (!sync_directory()) return {std::nullopt, error_of(errno, "cannot sync", directory_)};
  if (const auto identity = identity_of(descriptor)) {
    const std::unique_lock lock(mutex_);
    verified_[artifact.digest] = *identity;  // hashed while it was written
  }
  return {artifact, {}};
}

ArtifactStore::Put ArtifactStore::put(std::string_view bytes,
                                      std::optional<contract::Digest> expected) {
  Writer writer(*this);
  writer.append(bytes);
  return writer.finish(expected);
}

ArtifactStore::Put ArtifactStore::put(const OpenFile& source,
                                      std::optional<contract::Digest> expected) {
  Writer writer(*this);
  std::vector<char> buffer(std::size_t{128} * 1024);
  for (std::uint64_t offset = 0; offset < source.size;) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), source.size - offset);
    const ssize_t count =
        ::pread(source.descriptor, buffer.data(), wanted, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return {std::nullopt, error_of(count < 0 ? errno : EIO, "cannot read back", "an upload")};
    if (!writer.append({buffer.data(), static_cast<std::size_t>(count)})) break;
    offset += static_cast<std::uint64_t>(count);
  }
  return writer.finish(expected);
}

ArtifactStore::Opened ArtifactStore::open(const contract::Digest& digest) {
  if (auto file = find_open(digest)) return {std::move(file), {}};
  const auto path = path_of(digest);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT)
      return {nullptr, {StoreFault::not_found, "no artifact " + text_of(digest)}};
    return {nullptr, error_of(errno, "cannot open", path)};
  }
  const auto identity = identity_of(descriptor);
  if (!identity) {
    ::close(descriptor);
    return {nullptr, {StoreFault::not_found, path.string() + " is no regular file"}};
  }
  return verify(digest, descriptor, *identity);
}

ArtifactStore::Opened ArtifactStore::verify(const contract::Digest& digest,
                                            int descriptor,
                                            const FileIdentity& identity) {
  auto file = std::make_shared<OpenFile>(descriptor, identity.size);  // owns the descriptor
  set_immutable_headers(*file, digest, cache_control_);
  bool known = false;
  {
    const std::shared_lock lock(mutex_);
    const auto found = verified_.find(digest);
    known = found != verified_.end() && found->second == identity;
  }
  if (!known) {
    const auto actual = digest_of_file(descriptor, identity.size);
    if (!actual && errno != 0) return {nullptr, error_of(errno, "cannot read", path_of(digest))};
    if (actual != digest) {
      const auto path = path_of(digest);
      const std::string aside = path.string() + ".corrupt";
      ::rename(path.c_str(), aside.c_str());
      StoreError error{StoreFault::corrupt,
                       path.string() + " no longer has the SHA-256 of its name; moved to " + aside +
                           ". Publish the image again."};
      spdlog::error("{}", error.detail);
      return {nullptr, std::move(error)};
    }
  }
  remember(digest, {file, identity});
  return {file, {}};
}

void ArtifactStore::remember(const contract::Digest& digest, Open open) {
  const std::unique_lock lock(mutex_);
  verified_[digest] = open.identity;
  if (open_.insert_or_assign(digest, std::move(open)).second) opened_order_.push_back(digest);
  if (opened_order_.size() > max_open_) {
    open_.erase(opened_order_.front());
    opened_order_.pop_front();
  }
}

std::shared_ptr<const OpenFile> ArtifactStore::find_open(const contract::Digest& digest) const {
  const std::shared_lock lock(mutex_);
  const auto found = open_.find(digest);
  if (found == open_.end()) return nullptr;
  const auto now = identity_of(found->second.file->descriptor);
  return now == found->second.identity ? found->second.file : nullptr;
}

std::vector<StoredArtifact> ArtifactStore::list() const {
  std::vector<StoredArtifact> artifacts;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const auto digest = digest_of_name(entry.path().filename().string());
    std::error_code gone;
    if (!digest || !entry.is_regular_file(gone)) continue;
    const auto size = entry.file_size(gone);
    if (!gone) artifacts.push_back({*digest, size});
  }
  std::ranges::sort(artifacts, {}, &StoredArtifact::digest);
  return artifacts;
}

bool ArtifactStore::remove(const contract::Digest& digest) {
  const bool removed = ::unlink(path_of(digest).c_str()) == 0;
  sync_directory();
  const std::unique_lock lock(mutex_);
  verified_.erase(digest);
  open_.erase(digest);
  std::erase(opened_order_, digest);
  return removed;
}

}  // namespace otaria::server
