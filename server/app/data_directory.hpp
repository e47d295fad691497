#pragma once

#include <filesystem>

namespace otaria::server {

/// The directory that belongs to one running server.
///
/// Creates it (0700) when it is not there, and holds a lock on `otariad.lock` inside for as long as
/// the object lives; the lock ends with the process, however that ends. Errors  std::runtime_error:
/// cannot be created or written, or another server works in it.
class DataDirectory {
 public:
  explicit DataDirectory(const std::filesystem::path& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  [[nodiscard]] std::filesystem::path database() const { return path_ / "otaria.db"; }
  [[nodiscard]] std::filesystem::path artifacts() const { return path_ / "artifacts"; }
  [[nodiscard]] std::filesystem::path bootstrap_token() const { return path_ / "bootstrap-token"; }
  [[nodiscard]] std::filesystem::path keys() const { return path_ / "keys"; }
  [[nodiscard]] std::filesystem::path download_secret() const { return keys() / "download-secret"; }
  /// What the token issuer writes and the broker's plugin reads.
  [[nodiscard]] std::filesystem::path key_set() const { return path_ / "broker" / "jwks.json"; }
  [[nodiscard]] std::filesystem::path denylist() const { return path_ / "broker" / "denied"; }
  [[nodiscard]] std::filesystem::path audit_checkpoints() const {
    return path_ / "audit-checkpoints.jws";
  }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace otaria::server
