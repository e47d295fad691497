// Lines of an exported audit log and of its checkpoints, perhaps by whoever has something to hide:
// a row that is read is written to the same bytes, no invented row starts a chain unless its hash
// fits, and no checkpoint is good without the key.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/audit/checkpoint.hpp"
#include "contract/fuzz/claim.hpp"

using namespace otaria::contract;

namespace {

void read_row(std::string_view line) {
  const auto row = audit_row_from(line);
  if (!row) return;
  claim(audit_json(*row) == line);
  AuditChain chain;
  if (!chain.append(*row)) claim(row->seq == 1 && audit_hash(*row) == row->hash);
  // The event put into a chain of our own is a row that everybody reads.
  const AuditRow ours = chained(*row, 1, std::string{no_audit_hash});
  const auto again = audit_row_from(audit_json(ours));
  claim(again && audit_json(*again) == audit_json(ours));
  AuditChain fresh;
  claim(!fresh.append(ours));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static otaria::crypto::PrivateKey key = otaria::crypto::PrivateKey::generate(Algorithm::es256);
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string_view line = text.substr(0, text.find('\n'));
  read_row(line);
  // Any text becomes a row: what clients send must be logged.
  const AuditRow row =
      chained({.actor = std::string{line}, .verb = "x", .detail = std::string{line}},
              1,
              std::string{no_audit_hash});
  claim(audit_row_from(audit_json(row)).has_value());

  std::string why;
  claim(!checkpoint_from(line, key.public_key(), why) && !why.empty());
  AuditVerifier verifier{text, key.public_key()};
  (void)verifier.append_line(line);
  const auto verdict = verifier.verdict();
  claim(verdict.rows <= 1 && verdict.checkpoints == 0);
  return 0;
}
