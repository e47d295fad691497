#pragma once

#include <cstdint>
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
#include "server/http/message.hpp"

namespace otaria::server {

/// The plain files of one directory under two kinds of URL: `/firmware/NAME` (may change, so no
/// cache keeps it) and
/// `/firmware/<sha256>.bin` (can never change). What firmware_server serves.
///
/// Names    one path segment; none that begin with a dot; links only as far as they stay inside the
/// directory. Changes  a file whose size, times or inode changed is hashed anew before it is served
/// again. Threads  any. Errors   the constructor throws std::runtime_error when the directory
/// cannot be read.
class NamedFiles {
 public:
  struct Item {
    std::string name;
    contract::Digest digest;
    std::uint64_t size = 0;  ///< bytes
  };

  explicit NamedFiles(std::filesystem::path directory);
  ~NamedFiles();
  NamedFiles(const NamedFiles&) = delete;
  NamedFiles& operator=(const NamedFiles&) = delete;

  /// Looks at the directory anew, hashing what is new or changed. By name.
  std::vector<Item> scan();
  /// The file of a URL's path, if it was hashed before and is unchanged, else null. One stat(2)
  /// call: for FileLookup.
  std::shared_ptr<const OpenFile> find_open(std::string_view path) const;
  /// As find_open(), but hashes what it must. Null: no such file.
  std::shared_ptr<const OpenFile> open(std::string_view path);
  /// An open file by name, for reading its head. Null: no such file.
  std::shared_ptr<const OpenFile> open_name(const std::string& name);

 private:
  struct Entry {
    FileIdentity identity;
    contract::Digest digest;
    std::shared_ptr<const OpenFile> by_name;
    std::shared_ptr<const OpenFile> by_digest;
  };

  [[nodiscard]] bool is_unchanged(const std::string& name, const FileIdentity& identity) const;
  std::optional<Entry> hash(const std::string& name) const;

  std::filesystem::path directory_;
  int directory_descriptor_ = -1;
  mutable std::shared_mutex mutex_;  // of the two below
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<contract::Digest, std::string> names_;
};

}  // namespace otaria::server
