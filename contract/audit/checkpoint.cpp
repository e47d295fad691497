#include "contract/audit/checkpoint.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "contract/json_text.hpp"
#include "contract/trust/signed_file.hpp"

namespace otaria::contract {
namespace {

using Json = nlohmann::json;  // sorted members: RFC 8785, as in audit_row.cpp

std::string payload_of(const Checkpoint& checkpoint) {
  return Json{{"first", checkpoint.first},
              {"last", checkpoint.last},
              {"hash", checkpoint.hash},
              {"at", checkpoint.at},
              {"prev_checkpoint", checkpoint.prev_checkpoint}}
      .dump();
}

std::string hex(const Digest& digest) {
  const auto text = hex_of(digest);
  return {text.data(), text.size()};
}

/// Holds the one signature of a line against the one key.
class OneKey final : public SignatureVisitor {
 public:
  explicit OneKey(const crypto::PublicKey& key) : key_{key} {}
  bool on_signature(const SignatureLine& line) override {
    crypto::OpenSslVerifier verifier;
    known_ = line.key.view() == key_.key_id() && line.algorithm == key_.algorithm;
    fits_ = known_ && verifier.verify(key_.algorithm, key_.bytes, line.digest, line.signature);
    return true;
  }
  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] bool fits() const { return fits_; }

 private:
  const crypto::PublicKey& key_;
  bool known_ = false, fits_ = false;
};

std::optional<Checkpoint> from_payload(const std::string& payload) {
  if (check_json(payload).defect != Defect::none) return std::nullopt;
  const Json json = Json::parse(payload, nullptr, false);
  const auto number = [&](const char* name) -> std::int64_t {
    const auto found = json.is_object() ? json.find(name) : json.end();
    return found != json.end() && found->is_number_unsigned() ? found->get<std::int64_t>() : -1;
  };
  const auto text = [&](const char* name) -> std::string {
    const auto found = json.is_object() ? json.find(name) : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  Checkpoint checkpoint;
  checkpoint.first = number("first");
  checkpoint.last = number("last");
  checkpoint.hash = text("hash");
  checkpoint.at = number("at");
  checkpoint.prev_checkpoint = text("prev_checkpoint");
  // Whoever signs writes exactly this text; another is none of ours.
  if (payload_of(checkpoint) != payload || checkpoint.last < checkpoint.first) return std::nullopt;
  return checkpoint;
}

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

std::string Checkpoint::identity() const {
  return hex(crypto::sha256(payload_of(*this)));
}

std::string signed_checkpoint(const Checkpoint& checkpoint, crypto::Signer& signer) {
  return crypto::compact_jws(audit_kind.type, payload_of(checkpoint), signer);
}

std::optional<Checkpoint> checkpoint_from(std::string_view line,
                                          const crypto::PublicKey& key,
                                          std::string& why) {
  MemoryFile file{line};
  crypto::Sha256Hasher hasher;
  std::array<std::uint8_t, largest_signature_bytes> signature{};
  OneKey visitor{key};
  PayloadPlace place;
  const SignedDefect defect = read_signed_file(audit_kind, file, hasher, signature, visitor, place);
  if (defect != SignedDefect::none) {
    why = "is no signed checkpoint (" + std::string{name_of(defect)} + ")";
    return std::nullopt;
  }
  if (!visitor.known()) {
    why = "is signed by another key than " + key.key_id();
    return std::nullopt;
  }
  if (!visitor.fits()) {
    why = "was changed: its signature does not fit what it says";
    return std::nullopt;
  }
  const auto payload = crypto::from_base64url(line.substr(place.offset, place.characters));
  auto checkpoint = payload ? from_payload(*payload) : std::nullopt;
  if (!checkpoint) why = "holds no checkpoint";
  return checkpoint;
}

AuditVerifier::AuditVerifier(std::string_view text, const crypto::PublicKey& key) {
  read_checkpoints(text, key);
}

void AuditVerifier::read_checkpoints(std::string_view text, const crypto::PublicKey& key) {
  std::string prev{no_audit_hash};
  std::int64_t last = 0;
  for (int number = 1; !text.empty(); ++number) {
    std::string why;
    const auto checkpoint = checkpoint_from(next_line(text), key, why);
    if (!checkpoint) {
      defect_ = "checkpoint " + std::to_string(number) + " " + why;
      return;
    }
    if (checkpoint->prev_checkpoint != prev || checkpoint->first != last + 1) {
      defect_ = "checkpoint " + std::to_string(number) +
                " does not follow the one before it: one is missing, or two were exchanged";
      return;
    }
    prev = checkpoint->identity();
    last = checkpoint->last;
    checkpoints_.push_back(*checkpoint);
  }
}

bool AuditVerifier::fail(std::int64_t seq, std::string why) {
  if (!defect_.empty()) return false;
  first_bad_ = seq;
  defect_ = std::move(why);
  return false;
}

bool AuditVerifier::append(const AuditRow& row) {
  if (!defect_.empty()) return false;
  if (auto why = chain_.append(row)) return fail(chain_.last() + 1, std::move(*why));
  if (fitting_ == checkpoints_.size() || checkpoints_[fitting_].last != row.seq) return true;
  if (checkpoints_[fitting_].hash != row.hash) {
    return fail(checkpoints_[fitting_].first,
                "the rows " + std::to_string(checkpoints_[fitting_].first) + " to " +
                    std::to_string(row.seq) + " were written anew: checkpoint " +
                    std::to_string(fitting_ + 1) + " has another hash");
  }
  ++fitting_;
  return true;
}

bool AuditVerifier::append_line(std::string_view line) {
  if (!defect_.empty()) return false;
  const auto row = audit_row_from(line);
  if (row) return append(*row);
  const std::int64_t seq = chain_.last() + 1;
  return fail(seq, "row " + std::to_string(seq) + " is no row of an audit log");
}

AuditVerifier::Verdict AuditVerifier::verdict() const {
  Verdict verdict{chain_.last(), fitting_, first_bad_, defect_};
  if (defect_.empty() && fitting_ < checkpoints_.size()) {
    verdict.first_bad = chain_.last() + 1;
    verdict.defect = "the log ends with row " + std::to_string(chain_.last()) +
                     ", but checkpoint " + std::to_string(checkpoints_.size()) + " tells of row " +
                     std::to_string(checkpoints_.back().last) + ": its tail was cut";
  }
  return verdict;
}

}  // namespace otaria::contract
