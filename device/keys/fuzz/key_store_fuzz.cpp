// libFuzzer: whatever is fetched in whatever order and wherever the power fails, the flash's rules
// are kept, and the next start has the list that was in force, or the one whose acceptance was
// under way.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include "contract/fuzz/claim.hpp"
#include "contract/fuzz/trust_fuzz.hpp"
#include "device/keys/key_store.hpp"
#include "device/ports/fake_flash.hpp"

using namespace otaria::device;
using otaria::contract::claim;

namespace {

constexpr std::uint32_t journal_bytes = 2 * Flash::sector_bytes;

struct Start {
  explicit Start(Flash& flash)
      : journal{flash, 0, journal_bytes, work},
        ledger{journal},
        opened{ledger.open(1)},
        store{flash, ledger, hasher, verifier} {
    store.open({journal_bytes, KeyStore::partition_bytes}, "sensor");
  }
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal;
  Ledger ledger;
  Status opened;
  otaria::crypto::Sha256Hasher hasher;
  otaria::contract::Believer verifier;
  KeyStore store;
};

/// A byte says what to do, the rest is what it needs.
class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size) : left_{data, size} {}
  [[nodiscard]] bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t value = left_.front();
    left_ = left_.subspan(1);
    return value;
  }
  std::span<const std::uint8_t> bytes(std::size_t count) {
    const auto taken = left_.first(std::min(count, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::uint8_t> left_;
};

/// The file a script wants: a good list, or its own bytes.
void feed(KeyStore& store, Script& script) {
  const std::uint8_t kind = script.byte();
  if (kind % 2 == 0) {
    const std::string list = otaria::contract::list_of_two_roots(kind);
    (void)store.append({reinterpret_cast<const std::uint8_t*>(list.data()), list.size()});
  } else {
    (void)store.append(script.bytes(std::size_t{script.byte()} * 40));
  }
}

bool prepare(KeyStore& store) {
  for (;;) {
    const auto ready = store.prepare();
    if (!ready) return false;
    if (ready.value()) return true;
  }
}

/// One act. False: the power is gone.
bool act(Start& start, FakeFlash& flash, Script& script) {
  KeyStore& store = start.store;
  const std::uint8_t what = script.byte();
  const Fetched fetched = what % 2 == 0 ? Fetched::key_list : Fetched::manifest;
  switch (what / 2 % 4) {
    case 0:
      claim(store.begin(fetched));
      if (prepare(store)) feed(store, script);
      if (flash.powered() && what % 3 != 0) (void)store.finish();
      break;
    case 1: {
      const std::uint32_t before = store.serial();
      const auto verdict = store.accept(1800000000);
      if (verdict) claim(store.serial() >= before);
      break;
    }
    case 2:
      (void)store.note_verified();
      break;
    default:
      flash.tear(what);
      flash.cut_after(script.byte());
      break;
  }
  return flash.powered();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script{data, size};
  FakeFlash flash{journal_bytes + KeyStore::partition_bytes};
  auto start = std::make_unique<Start>(flash);
  const std::string first = otaria::contract::list_of_two_roots(1);
  otaria::contract::MemoryFile file{first};
  otaria::contract::KeyListVerdict refused;
  const auto taken = start->store.take_provisioned(file, refused);
  claim(taken && taken.value());
  for (int acts = 0; acts < 40 && !script.empty(); ++acts) {
    const std::uint32_t before = start->store.serial();
    const bool powered = act(*start, flash, script);
    const std::uint32_t after = start->store.serial();
    claim(!flash.rule_broken());
    claim(start->store.standing() == ListStanding::active || !powered);
    if (powered && acts % 5 != 4) continue;
    flash.power_on();
    start = std::make_unique<Start>(flash);
    claim(static_cast<bool>(start->opened));
    claim(start->store.standing() == ListStanding::active);
    claim(powered ? start->store.serial() == after : start->store.serial() >= before);
  }
  return 0;
}
