#include "server/trust/key_list_file.hpp"

#include <limits>
#include <stdexcept>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/judgement.hpp"

namespace otaria::server {
namespace {

using contract::KeyListRefusal;
using contract::KeyListVerdict;

std::string what_is_wrong(const KeyListVerdict& verdict) {
  return std::string{verdict.signed_defect != contract::SignedDefect::none
                         ? contract::name_of(verdict.signed_defect)
                         : contract::name_of(verdict.defect)};
}

std::string signatures_of(const KeyListVerdict& verdict, const std::string& whose) {
  return std::to_string(verdict.valid) + " of " + std::to_string(verdict.needed) + " roots of " +
         whose + " have signed";
}

Refusal refusal_of(const KeyListVerdict& verdict, std::uint32_t held) {
  const std::string serial = std::to_string(verdict.head.serial);
  const std::string newest = std::to_string(held);
  switch (verdict.refusal) {
    case KeyListRefusal::not_newer:
      return {"keylist_not_newer",
              "the list has serial " + serial + ", the newest here is " + newest,
              "make one with serial " + std::to_string(held + 1) + ": otaria keylist make"};
    case KeyListRefusal::same_serial:
      return {"keylist_conflict",
              "another list of serial " + serial + " is published: the roots have signed two",
              "find out who signed the other one before anything else; then make one with serial " +
                  std::to_string(held + 1)};
    case KeyListRefusal::too_far:
      return {"keylist_too_far",
              "the list has serial " + serial + ", devices take at most " +
                  std::to_string(held + contract::max_serial_step) + " after " + newest,
              "count serials one by one"};
    case KeyListRefusal::old_threshold:
      return {"bad_signature",
              signatures_of(verdict, "list " + newest),
              "sign it with more of the roots that devices know: otaria keylist sign"};
    case KeyListRefusal::new_threshold:
      return {"bad_signature",
              signatures_of(verdict, "the list itself"),
              "sign it with more of its own roots: otaria keylist sign"};
    case KeyListRefusal::bad_signature:
      return {"bad_signature",
              "a signature by a known root does not verify",
              "the file was changed after it was signed, or another key made it: sign it again"};
    case KeyListRefusal::expired:
      return {"keylist_expired",
              "the list expired at " + std::to_string(verdict.head.expires) + " (Unix seconds)",
              "make one that lasts: otaria keylist make --expires"};
    default:
      return {"bad_keylist",
              "the file is no key list: " + what_is_wrong(verdict),
              "send what otaria keylist sign wrote, unchanged"};
  }
}

std::uint32_t clamped(std::int64_t seconds) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(std::max<std::int64_t>(seconds, 0), most));
}

/// Collects a list.
class Collector final : public contract::KeyListVisitor {
 public:
  explicit Collector(KeyListContent& content) : content_{content} {}
  void on_key(const contract::ListedKey& key) override {
    content_.keys.push_back({std::string{key.id.view()},
                             std::string{contract::name_of(key.algorithm)},
                             std::string{contract::name_of(key.role)},
                             crypto::base64url(key.public_key)});
  }
  void on_revoked(std::string_view key_id) override { content_.revoked.emplace_back(key_id); }
  void on_floor(std::string_view product, std::uint32_t counter) override {
    content_.floors.emplace_back(product, counter);
  }
  void on_pin(std::string_view host, const contract::Digest& pin) override {
    if (content_.pins.empty() || content_.pins.back().first != host) {
      content_.pins.emplace_back(host, std::vector<std::string>{});
    }
    content_.pins.back().second.push_back(crypto::base64url(pin.bytes));
  }

 private:
  KeyListContent& content_;
};

}  // namespace

Outcome<StoredKeyList> judge_key_list_file(const std::string& file,
                                           const std::optional<StoredKeyList>& newest,
                                           std::int64_t now) {
  if (file.size() > contract::key_list_kind.file_bytes) {
    return Refusal{"too_large",
                   "the key list has " + std::to_string(file.size()) +
                       " bytes, devices take at most " +
                       std::to_string(contract::key_list_kind.file_bytes),
                   "leave out keys and pins that nobody needs any more"};
  }
  crypto::Sha256Hasher hasher;
  crypto::OpenSslVerifier verifier;
  contract::MemoryFile candidate{file};
  contract::KeyRing read{candidate, hasher};
  std::string payload_sha256;
  if (read.open()) {
    const auto hex = contract::hex_of(read.payload_digest());
    payload_sha256.assign(hex.data(), hex.size());
  }
  if (newest && payload_sha256 == newest->payload_sha256) return *newest;

  contract::MemoryFile held{newest ? std::string_view{newest->file} : std::string_view{}};
  contract::KeyRing current{held, hasher};
  if (newest && !current.open()) {
    throw std::runtime_error{"key list " + std::to_string(newest->serial) +
                             " in the database cannot be read"};
  }
  const KeyListVerdict verdict = contract::judge_key_list(
      candidate, newest ? &current : nullptr, clamped(now), hasher, verifier);
  if (!verdict.ok()) return refusal_of(verdict, newest ? newest->serial : 0);
  return StoredKeyList{.serial = verdict.head.serial,
                       .epoch = verdict.head.epoch,
                       .issued = verdict.head.issued,
                       .expires = verdict.head.expires,
                       .payload_sha256 = payload_sha256,
                       .file = file,
                       .created_at = now};
}

KeyListContent content_of(const StoredKeyList& list) {
  KeyListContent content;
  crypto::Sha256Hasher hasher;
  contract::MemoryFile file{list.file};
  contract::KeyRing ring{file, hasher};
  Collector collector{content};
  if (!ring.open() || ring.walk(collector) != contract::Defect::none) {
    throw std::runtime_error{"key list " + std::to_string(list.serial) +
                             " in the database cannot be read"};
  }
  content.head = ring.head();
  return content;
}

}  // namespace otaria::server
