#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "contract/audit/checkpoint.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// The audit key of a server: `audit.pem` in its key folder, mode 0600, made when it is not there;
/// `audit.pub.pem` beside it, for whoever verifies. Throws CryptoError.
crypto::PrivateKey audit_key(const std::filesystem::path& key_folder);

/// Signs what the audit log holds and appends it to a file that, best, nobody who can change the
/// database can change.
///
/// When     256 rows, or 5 minutes with a new row, after the checkpoint before; and at finish().
/// Cut      a line that the end of the power tore is cut off at the next start and made again.
/// Errors   a file that cannot be written is logged, and tried again at the next call; the
///          constructor throws std::runtime_error when it cannot be opened.
/// Threads  one at a time.
class CheckpointKeeper {
 public:
  static constexpr std::int64_t most_rows = 256;
  static constexpr std::int64_t most_seconds = 300;

  /// `to_syslog`: each line goes there too, facility authpriv, severity notice.
  CheckpointKeeper(Store& store,
                   crypto::PrivateKey key,
                   const std::filesystem::path& file,
                   bool to_syslog);
  ~CheckpointKeeper();
  CheckpointKeeper(const CheckpointKeeper&) = delete;
  CheckpointKeeper& operator=(const CheckpointKeeper&) = delete;

  /// Call every second or so. `now` in Unix seconds.
  void tick(std::int64_t now);
  /// A checkpoint of what is there, if anything is new.
  void finish(std::int64_t now);

 private:
  void take_up_file();
  void compare_with_log();
  void append(const contract::AuditRow& head, std::int64_t now);

  Store& store_;
  crypto::PrivateKey key_;
  const std::filesystem::path file_;
  const bool to_syslog_;
  int descriptor_ = -1;
  contract::Checkpoint newest_;                    ///< last = 0: none yet
  std::string identity_{contract::no_audit_hash};  ///< of the newest
  std::int64_t waiting_since_ = 0;  ///< when a new row was first seen; 0: there is none
};

}  // namespace otaria::server
