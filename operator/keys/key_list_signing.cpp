#include "operator/keys/key_list_signing.hpp"

#include <fmt/format.h>

#include <array>

#include "operator/keys/signed_text.hpp"

namespace otaria::keys {
namespace {

using contract::KeyListRefusal;
using contract::KeyRole;

const DraftKey* root_in(const KeyListDraft& list, std::string_view key_id) {
  const DraftKey* found = list.find(key_id);
  return found != nullptr && found->role == KeyRole::root ? found : nullptr;
}

std::optional<KeyListDraft> draft_of_signed(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return view_of(read_key_list_text(text).payload);
}

const DraftKey* known_root(const KeyListDraft& list,
                           const std::optional<KeyListDraft>& before,
                           std::string_view key_id) {
  const DraftKey* root = root_in(list, key_id);
  return root == nullptr && before ? root_in(*before, key_id) : root;
}

SignatureStanding standing_of(const SignerLine& line, const DraftKey* root) {
  if (root == nullptr) return SignatureStanding::unknown;
  crypto::OpenSslVerifier verifier;
  const bool valid = root->key.algorithm == line.algorithm &&
                     verifier.verify(line.algorithm, root->key.bytes, line.digest, line.signature);
  return valid ? SignatureStanding::valid : SignatureStanding::invalid;
}

std::string detail_of(const contract::KeyListVerdict& verdict) {
  const std::uint32_t serial = verdict.head.serial;
  switch (verdict.refusal) {
    case KeyListRefusal::malformed:
      return fmt::format("It is no key list: {}.",
                         verdict.signed_defect != contract::SignedDefect::none
                             ? name_of(verdict.signed_defect)
                             : name_of(verdict.defect));
    case KeyListRefusal::not_newer:
      return fmt::format("List {} is not newer than the list in force.", serial);
    case KeyListRefusal::same_serial:
      return fmt::format("There are two different lists with serial {}: somebody signed twice.",
                         serial);
    case KeyListRefusal::too_far:
      return fmt::format(
          "List {} is more than {} above the list in force.", serial, contract::max_serial_step);
    case KeyListRefusal::old_threshold:
      return fmt::format("{} of the {} roots that the list in force asks for have signed.",
                         verdict.valid,
                         verdict.needed);
    case KeyListRefusal::new_threshold:
      return fmt::format("{} of the {} roots that the list itself asks for have signed.",
                         verdict.valid,
                         verdict.needed);
    case KeyListRefusal::bad_signature:
      return "A line names a root and does not verify.";
    case KeyListRefusal::expired:
      return fmt::format("List {} has certainly expired.", serial);
    case KeyListRefusal::none:
      break;
  }
  return "Accepted.";
}

const char* hint_of(KeyListRefusal refusal) {
  switch (refusal) {
    case KeyListRefusal::old_threshold:
    case KeyListRefusal::new_threshold:
      return "Let further roots sign: otaria keylist sign FILE --key REF";
    case KeyListRefusal::not_newer:
    case KeyListRefusal::too_far:
      return "Make the next one from the list in force: otaria keylist make --from LIST.";
    case KeyListRefusal::same_serial:
      return "Find out who signed the other one; then make a list with a higher serial.";
    case KeyListRefusal::expired:
      return "Make a new one: otaria keylist make --from LIST --expires DAYS.";
    default:
      return "Get the file again from whoever signed last; not one byte may change.";
  }
}

}  // namespace

std::vector<JudgedSignature> signatures_of(const std::string& text, const std::string& against) {
  const SignedText read = read_signed_text(contract::key_list_kind, text, "bad_key_list");
  const KeyListDraft list = view_of(read.payload);
  const auto before = draft_of_signed(against);
  std::vector<JudgedSignature> judged;
  for (const SignerLine& line : read.lines) {
    judged.push_back({line.key_id, standing_of(line, known_root(list, before, line.key_id))});
  }
  return judged;
}

std::string sign_key_list(const KeyListText& list,
                          const std::string& against,
                          crypto::Signer& signer) {
  const KeyListDraft draft = draft_of(list.payload);
  const auto before = draft_of_signed(against);
  const std::string key_id = signer.public_key().key_id();
  if (known_root(draft, before, key_id) == nullptr) {
    throw refusal("not_a_root",
                  fmt::format("Key {} is no root of list {}{}.",
                              key_id,
                              draft.serial,
                              before ? fmt::format(" or of list {}", before->serial) : ""),
                  before ? "Sign with a root of one of the two lists."
                         : "Sign with one of its roots; for a root of the list before, name that "
                           "list with --against.");
  }
  if (!list.is_signed()) return first_signature(contract::key_list_kind, payload_of(draft), signer);
  for (const JudgedSignature& each : signatures_of(list.text, against)) {
    if (each.standing != SignatureStanding::invalid) continue;
    throw refusal("bad_signature",
                  fmt::format("The signature by root {} does not verify.", each.key_id),
                  "Get the file again from whoever signed last; not one byte may change.");
  }
  return further_signature(contract::key_list_kind, list.text, signer, "bad_key_list");
}

contract::KeyListVerdict judge(const std::string& text, const std::string& against) {
  crypto::Sha256Hasher hasher;
  crypto::OpenSslVerifier verifier;
  contract::MemoryFile candidate{text};
  if (against.empty()) return judge_key_list(candidate, nullptr, 0, hasher, verifier);
  contract::MemoryFile file{against};
  contract::KeyRing current{file, hasher};
  if (!current.open()) {
    throw usage_error("bad_key_list",
                      "The list to judge against is no signed key list.",
                      "Name the list that devices have: /keys.jws of the server.");
  }
  return judge_key_list(candidate, &current, current.head().issued, hasher, verifier);
}

KeyError words_of(const contract::KeyListVerdict& verdict) {
  return refusal(
      std::string{name_of(verdict.refusal)}, detail_of(verdict), hint_of(verdict.refusal));
}

}  // namespace otaria::keys
