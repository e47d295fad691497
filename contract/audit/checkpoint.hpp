#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/audit/audit_row.hpp"
#include "contract/openssl/crypto.hpp"

/// Signed statements about the audit log, kept where nobody who can change the log can change them.
/// Each says which rows were there and the hash of the last of them, so a log that was cut or
/// written anew no longer fits.
/// Source  docs/spec/audit.md; reference trust, section 15.
namespace otaria::contract {

struct Checkpoint {
  std::int64_t first = 1;  ///< the row behind the checkpoint before
  std::int64_t last = 0;   ///< the row that `hash` is of
  std::string hash = {};
  std::int64_t at = 0;                         ///< Unix seconds
  std::string prev_checkpoint{no_audit_hash};  ///< identity of the one before; of the first: zeroes

  /// SHA-256 of the payload, 64 hex digits. (Not of the signature: ECDSA has many for one text.)
  [[nodiscard]] std::string identity() const;
};

/// One line, without line feed: compact JWS, `typ` otaria-audit+jws. Throws CryptoError.
std::string signed_checkpoint(const Checkpoint& checkpoint, crypto::Signer& signer);

/// A checkpoint from its line. Nothing, with `why` filled: another form, another key, or a
/// signature that does not fit.
std::optional<Checkpoint> checkpoint_from(std::string_view line,
                                          const crypto::PublicKey& key,
                                          std::string& why);

/// Follows a log from its first row beside its checkpoints.
class AuditVerifier {
 public:
  AuditVerifier() = default;
  /// With checkpoints: one per line of `text`, signed by `key`, each following the one before.
  /// Errors are told by verdict(), whatever rows come.
  AuditVerifier(std::string_view text, const crypto::PublicKey& key);

  /// False: the row, or what came before it, is bad, and the rest need not be read.
  bool append(const AuditRow& row);
  /// As append(), for a line of an export.
  bool append_line(std::string_view line);

  struct Verdict {
    std::int64_t rows = 0;        ///< that hold
    std::size_t checkpoints = 0;  ///< that fit
    std::int64_t first_bad = 0;   ///< seq; 0: no row is bad
    std::string defect = {};      ///< a sentence; empty: nothing was changed
  };
  /// Once all rows were appended.
  [[nodiscard]] Verdict verdict() const;

 private:
  void read_checkpoints(std::string_view text, const crypto::PublicKey& key);
  bool fail(std::int64_t seq, std::string why);

  AuditChain chain_;
  std::vector<Checkpoint> checkpoints_;
  std::size_t fitting_ = 0;
  std::int64_t first_bad_ = 0;
  std::string defect_;
};

}  // namespace otaria::contract
