#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "contract/digest.hpp"
#include "server/artifact/file_identity.hpp"
#include "server/artifact/sha256.hpp"
#include "server/http/message.hpp"

namespace otaria::server {

enum class StoreFault { none, not_found, digest_mismatch, corrupt, disk_full, io_failed };

struct StoreError {
  StoreFault fault = StoreFault::none;
  std::string detail;  ///< a sentence for the operator, with path and reason
};

/// Cache-Control of what everybody may fetch and that never changes.
inline constexpr std::string_view public_for_ever = "public, max-age=31536000, immutable";

struct StoredArtifact {
  contract::Digest digest;
  std::uint64_t size = 0;  ///< bytes
};

/// Images and patches at rest, each named by the SHA-256 of its bytes: `<directory>/<sha256>.bin`.
///
/// Cut      an artifact is visible only when it is whole and on disk: it is written to a temporary
/// file beside its place, synced,
///          renamed, and the directory is synced. What a crash leaves of a temporary file the next
///          constructor removes.
/// Trust    no byte leaves that was not hashed since this process first saw the file: open() hashes
/// a file on its first use
///          and again when size, times or inode changed. A file that fails is renamed
///          `<sha256>.bin.corrupt` and logged.
/// Threads  any.
/// Errors   the constructor throws std::filesystem::filesystem_error or std::runtime_error when the
/// directory cannot be used.
class ArtifactStore {
 public:
  /// `max_open`: artifacts kept open for find_open(), a descriptor each. `cache_control`: what HTTP
  /// says of each.
  explicit ArtifactStore(std::filesystem::path directory,
                         std::size_t max_open = 512,
                         std::string cache_control = std::string{public_for_ever});
  ~ArtifactStore();

  struct Put {
    std::optional<StoredArtifact> artifact;  ///< empty: see error
    StoreError error;                        ///< digest_mismatch, disk_full, io_failed
    bool already_there = false;
    explicit operator bool() const { return artifact.has_value(); }
  };
  struct Opened {
    std::shared_ptr<const OpenFile> file;  ///< null: see error
    StoreError error;                      ///< not_found, corrupt, io_failed
  };

  /// Takes an artifact piece by piece. What is not finished leaves nothing behind.
  class Writer {
   public:
    explicit Writer(ArtifactStore& store);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    bool append(std::string_view bytes);  ///< false: it failed, and finish() says why
    /// Refuses with digest_mismatch when `expected` is given and is not what was written.
    Put finish(std::optional<contract::Digest> expected = {});

   private:
    void fail(const char* act);

    ArtifactStore& store_;
    std::string temporary_;
    int descriptor_ = -1;
    Sha256 hash_;
    std::uint64_t size_ = 0;
    StoreError error_;
  };

  Put put(std::string_view bytes, std::optional<contract::Digest> expected = {});
  /// All bytes of a file, read by pread: an upload's Request::body_file.
  Put put(const OpenFile& source, std::optional<contract::Digest> expected = {});

  /// May hash the whole file: for the worker pool. The file carries the headers of an immutable
  /// artifact.
  Opened open(const contract::Digest& digest);
  /// What open() opened before and is unchanged, else null. Does not block: for HttpServer's
  /// FileLookup.
  std::shared_ptr<const OpenFile> find_open(const contract::Digest& digest) const;

  std::vector<StoredArtifact> list() const;     ///< by name; not hashed
  bool remove(const contract::Digest& digest);  ///< downloads under way finish; false: not there
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  struct Open {
    std::shared_ptr<const OpenFile> file;
    FileIdentity identity;
  };

  [[nodiscard]] std::filesystem::path path_of(const contract::Digest& digest) const;
  Put publish(const std::string& temporary, int descriptor, const StoredArtifact& artifact);
  Opened verify(const contract::Digest& digest, int descriptor, const FileIdentity& identity);
  void remember(const contract::Digest& digest, Open open);
  bool sync_directory() const;

  std::filesystem::path directory_;
  std::size_t max_open_;
  std::string cache_control_;
  int directory_descriptor_ = -1;
  mutable std::shared_mutex mutex_;  // of the three below
  std::map<contract::Digest, FileIdentity> verified_;
  std::map<contract::Digest, Open> open_;
  std::deque<contract::Digest> opened_order_;  // oldest first; bounds the descriptors in use
};

/// `<sha256>` of a path `/firmware/<sha256>.bin`.
std::optional<contract::Digest> digest_of_path(std::string_view path);

/// Makes `file` an immutable artifact to HTTP: ETag, type, and by default a year in every cache.
void set_immutable_headers(OpenFile& file,
                           const contract::Digest& digest,
                           std::string_view cache_control = public_for_ever);

}  // namespace otaria::server
