#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

/// The audit log's rows as the server writes them and anybody can verify them.
///
/// Each row holds the hash of the row before it: a changed, missing or moved row shows. What the
/// chain alone cannot show, a cut tail, the checkpoints show (checkpoint.hpp).
/// Source  docs/spec/audit.md; JSON Canonicalization Scheme: RFC 8785.
namespace otaria::contract {

/// What happened: a row without its place in the chain.
struct AuditEvent {
  std::int64_t at = 0;       ///< Unix seconds
  std::string actor = {};    ///< `ota_<token id>`, `oidc:<subject>`, `otariad`, `open`, `anonymous`
  std::string source = {};   ///< address of the client; empty: the server itself
  std::string verb = {};     ///< `update.send`, `token.revoke`, …
  std::string subject = {};  ///< id of what it was done to
  std::string outcome =
      {};  ///< `done`, `refused` (the request could not be met), `denied` (no right)
  std::string detail = "{}";  ///< a JSON object of texts, whole numbers and booleans
};

struct AuditRow : AuditEvent {
  std::int64_t seq = 0;   ///< from 1, without gaps
  std::string prev = {};  ///< hash of the row before, 64 hex digits; of the first: zeroes
  std::string hash = {};  ///< SHA-256(prev's 32 bytes, then the JCS text of the row without `hash`)
};

/// `prev` of the first row.
inline constexpr std::string_view no_audit_hash =
    "0000000000000000000000000000000000000000000000000000000000000000";

using AuditValue = std::variant<std::string, std::int64_t, bool>;
/// The members of a detail as JSON; bytes that are no UTF-8 become U+FFFD.
std::string audit_detail(std::initializer_list<std::pair<std::string_view, AuditValue>> members);

/// The event as row number `seq` behind the row with hash `prev`. Texts are made UTF-8 and cut to
/// 512 bytes, so that whatever a client sent can be hashed and kept; a detail that is no JSON
/// object becomes `{}`.
AuditRow chained(const AuditEvent& event, std::int64_t seq, const std::string& prev);

/// The row on one line, in RFC 8785 form, hash included.
std::string audit_json(const AuditRow& row);

/// A row from such a line, byte for byte: white space, another order of members or another spelling
/// of the same values is refused, since nobody who exports writes it. Hashes are not checked here.
std::optional<AuditRow> audit_row_from(std::string_view line);

/// What `hash` must be.
std::string audit_hash(const AuditRow& row);

/// Follows a chain from its first row.
class AuditChain {
 public:
  /// Why the row cannot be the next one; nothing: it is, and the chain has grown by it.
  std::optional<std::string> append(const AuditRow& row);
  [[nodiscard]] std::int64_t last() const { return last_; }  ///< 0: no row yet
  [[nodiscard]] const std::string& hash() const { return hash_; }

 private:
  std::int64_t last_ = 0;
  std::string hash_{no_audit_hash};
};

}  // namespace otaria::contract
