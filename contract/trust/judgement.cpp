#include "contract/trust/judgement.hpp"

#include <array>

namespace otaria::contract {
namespace {

/// Which keys have verified, each once.
class DistinctKeys {
 public:
  void add(std::string_view key) {
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (keys_[i] == key) return;
    }
    if (count_ < keys_.size()) keys_[count_++].assign(key);
  }
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  std::array<KeyId, 4> keys_{};
  std::uint32_t count_ = 0;
};

/// One line against one list.
enum class LineStanding : std::uint8_t { passed_over, revoked, valid, invalid };

class LineJudge {
 public:
  LineJudge(KeyRing& ring, KeyRole role, SignatureVerifier& verifier)
      : ring_{ring}, role_{role}, verifier_{verifier} {}

  LineStanding judge(const SignatureLine& line) {
    ListedKey key;
    const KeyStanding standing = ring_.find(line.key.view(), public_key_, key);
    if (standing == KeyStanding::revoked) return LineStanding::revoked;
    if (standing == KeyStanding::unknown || key.role != role_) return LineStanding::passed_over;
    // The key says its algorithm; the header must agree (RFC 8725, section 3.1).
    if (key.algorithm != line.algorithm) return LineStanding::invalid;
    if (!verifier_.supports(key.algorithm)) return LineStanding::passed_over;
    if (!verifier_.verify(key.algorithm, key.public_key, line.digest, line.signature)) {
      return LineStanding::invalid;
    }
    valid_.add(line.key.view());
    return LineStanding::valid;
  }
  [[nodiscard]] std::uint32_t valid() const { return valid_.count(); }
  [[nodiscard]] std::uint32_t needed() const { return ring_.head().threshold_of(role_); }
  /// A ring that was not opened has the threshold 0, which nothing satisfies.
  [[nodiscard]] bool satisfied() const { return needed() != 0 && valid() >= needed(); }

 private:
  KeyRing& ring_;
  KeyRole role_;
  SignatureVerifier& verifier_;
  std::array<std::uint8_t, largest_public_key_bytes> public_key_{};
  DistinctKeys valid_;
};

class ManifestLines final : public SignatureVisitor {
 public:
  ManifestLines(KeyRing& ring, SignatureVerifier& verifier)
      : judge_{ring, KeyRole::release, verifier} {}

  bool on_signature(const SignatureLine& line) override {
    const LineStanding standing = judge_.judge(line);
    if (standing == LineStanding::valid) return true;
    if (standing == LineStanding::invalid) {
      verdict_.fault = Fault::bad_signature;
      verdict_.key = line.key;
      return false;
    }
    const bool revoked = standing == LineStanding::revoked;
    if (objection_ == Fault::none || (revoked && objection_ == Fault::unknown_key)) {
      objection_ = revoked ? Fault::revoked_key : Fault::unknown_key;
      verdict_.key = line.key;
    }
    return true;
  }

  SignatureVerdict finish() {
    verdict_.valid = judge_.valid();
    verdict_.needed = judge_.needed();
    if (verdict_.fault != Fault::none) return verdict_;
    if (!judge_.satisfied()) {
      // Too few, and nobody to object to: the operator signed with too few keys.
      verdict_.fault = objection_ == Fault::none ? Fault::bad_signature : objection_;
      return verdict_;
    }
    verdict_.key.clear();
    return verdict_;
  }

 private:
  LineJudge judge_;
  SignatureVerdict verdict_;
  Fault objection_ = Fault::none;
};

class KeyListLines final : public SignatureVisitor {
 public:
  KeyListLines(KeyRing* current, KeyRing& candidate, SignatureVerifier& verifier)
      : old_{current == nullptr ? candidate : *current, KeyRole::root, verifier},
        new_{candidate, KeyRole::root, verifier},
        has_old_{current != nullptr} {}

  bool on_signature(const SignatureLine& line) override {
    const bool bad_for_old = has_old_ && old_.judge(line) == LineStanding::invalid;
    invalid_ = bad_for_old || new_.judge(line) == LineStanding::invalid;
    return !invalid_;
  }

  void finish(KeyListVerdict& verdict) const {
    if (invalid_) {
      verdict.refusal = KeyListRefusal::bad_signature;
      return;
    }
    const bool old_failed = has_old_ && !old_.satisfied();
    if (!old_failed && new_.satisfied()) return;
    const LineJudge& failed = old_failed ? old_ : new_;
    verdict.refusal = old_failed ? KeyListRefusal::old_threshold : KeyListRefusal::new_threshold;
    verdict.valid = failed.valid();
    verdict.needed = failed.needed();
  }

 private:
  LineJudge old_;
  LineJudge new_;
  bool has_old_;
  bool invalid_ = false;
};

}  // namespace

std::string_view name_of(KeyListRefusal refusal) {
  constexpr std::array<std::string_view, 9> names{"none",
                                                  "malformed",
                                                  "not_newer",
                                                  "same_serial",
                                                  "too_far",
                                                  "old_threshold",
                                                  "new_threshold",
                                                  "bad_signature",
                                                  "expired"};
  return names[static_cast<std::size_t>(refusal)];
}

SignatureVerdict judge_manifest_signatures(FileSource& file,
                                           KeyRing& ring,
                                           Hasher& hasher,
                                           SignatureVerifier& verifier,
                                           PayloadPlace& payload) {
  std::array<std::uint8_t, largest_signature_bytes> signature{};
  ManifestLines lines{ring, verifier};
  const SignedDefect defect =
      read_signed_file(manifest_kind, file, hasher, signature, lines, payload);
  SignatureVerdict verdict = lines.finish();
  if (defect != SignedDefect::none) {
    verdict.fault = Fault::bad_signature;
    verdict.defect = defect;
  }
  return verdict;
}

KeyListVerdict judge_key_list(FileSource& candidate,
                              KeyRing* current,
                              std::uint32_t time_floor,
                              Hasher& hasher,
                              SignatureVerifier& verifier) {
  KeyListVerdict verdict;
  KeyRing next{candidate, hasher};
  if (!next.open()) {
    verdict.refusal = KeyListRefusal::malformed;
    verdict.signed_defect = next.signed_defect();
    verdict.defect = next.defect();
    return verdict;
  }
  verdict.head = next.head();
  if (current != nullptr) {
    const std::uint32_t held = current->head().serial;
    if (next.head().serial == held) {
      verdict.refusal = next.payload_digest() == current->payload_digest()
                            ? KeyListRefusal::not_newer
                            : KeyListRefusal::same_serial;
      return verdict;
    }
    if (next.head().serial < held) {
      verdict.refusal = KeyListRefusal::not_newer;
      return verdict;
    }
    if (next.head().serial - held > max_serial_step) {
      verdict.refusal = KeyListRefusal::too_far;
      return verdict;
    }
  }
  std::array<std::uint8_t, largest_signature_bytes> signature{};
  KeyListLines lines{current, next, verifier};
  PayloadPlace payload;
  verdict.signed_defect =
      read_signed_file(key_list_kind, candidate, hasher, signature, lines, payload);
  if (verdict.signed_defect != SignedDefect::none) {
    verdict.refusal = KeyListRefusal::malformed;
    return verdict;
  }
  lines.finish(verdict);
  if (verdict.ok() && time_floor > verdict.head.expires) verdict.refusal = KeyListRefusal::expired;
  return verdict;
}

}  // namespace otaria::contract
