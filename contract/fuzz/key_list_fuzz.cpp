#include <cstddef>
#include <cstdint>

#include "contract/fuzz/claim.hpp"
#include "contract/fuzz/trust_fuzz.hpp"

using namespace otaria::contract;

namespace {

class Counter final : public KeyListVisitor {
 public:
  void on_key(const ListedKey& key) override {
    claim(is_key_id(key.id.view()) && key.public_key.size() <= largest_public_key_bytes);
    ++keys;
  }
  void on_revoked(std::string_view key_id) override { claim(is_key_id(key_id)); }
  std::uint32_t keys = 0;
};

void check(const KeyListHead& head) {
  claim(head.serial > 0 && head.expires > head.issued);
  for (std::size_t role = 0; role < key_roles; ++role) {
    claim(head.keys[role] >= head.threshold[role]);
  }
  claim(head.threshold_of(KeyRole::root) > 0 && head.threshold_of(KeyRole::release) > 0);
}

}  // namespace

// The bytes are a payload, and a file that would follow another: what is accepted has a higher
// serial, reachable thresholds and enough distinct roots.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string held = list_of_two_roots(5);
  otaria::crypto::Sha256Hasher hasher;
  MemoryBytes payload{std::span{data, size}};
  KeyListHead head;
  Counter counter;
  if (read_key_list(payload, hasher, head, counter) == Defect::none) {
    check(head);
    claim(counter.keys <= max_key_list_keys);
  }
  MemoryFile held_file{held};
  MemoryFile file{std::span{data, size}};
  Believer verifier;
  KeyRing ring{held_file, hasher};
  claim(ring.open());
  for (KeyRing* current : {static_cast<KeyRing*>(nullptr), &ring}) {
    const KeyListVerdict verdict = judge_key_list(file, current, 1800000000, hasher, verifier);
    if (!verdict.ok()) continue;
    check(verdict.head);
    claim(size <= key_list_kind.file_bytes && verdict.head.expires >= 1800000000);
    claim(current == nullptr ||
          (verdict.head.serial > 5 && verdict.head.serial <= 5 + max_serial_step));
  }
  return 0;
}
