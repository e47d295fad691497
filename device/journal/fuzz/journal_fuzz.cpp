// libFuzzer: whatever lies in the journal's partition, a device starts, keeps to the flash's rules,
// and remembers from then on. Records come out of the fuzzer's bytes with their checksums right; or
// the bytes lie in the flash as they are.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "contract/fuzz/claim.hpp"
#include "device/journal/ledger.hpp"
#include "device/ports/fake_flash.hpp"

using namespace otaria::device;
using otaria::contract::claim;

namespace {

constexpr std::uint32_t partition_bytes = 2 * Flash::sector_bytes;

/// Writes records and remembers none.
struct Forgetful final : Journal::Owner {
  void apply(const JournalRecord&) override {}
  Status snapshot(Journal&) override { return {}; }
};

struct Start {
  explicit Start(FakeFlash& flash) : journal{flash, 0, partition_bytes, work}, ledger{journal} {
    claim(static_cast<bool>(ledger.open(1)));
  }
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal;
  Ledger ledger;
};

/// Kind, a third of the length, and payload, again and again.
void write_records(FakeFlash& flash, std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal{flash, 0, partition_bytes, work};
  Forgetful owner;
  claim(static_cast<bool>(journal.open(owner)));
  while (bytes.size() >= 2) {
    const std::uint8_t kind = bytes[0];
    const std::size_t length =
        std::min<std::size_t>({bytes[1] * 3U, bytes.size() - 2, Journal::max_payload});
    claim(static_cast<bool>(journal.append(kind, bytes.subspan(2, length))));
    bytes = bytes.subspan(2 + length);
  }
}

struct Remembered {
  explicit Remembered(const Ledger& ledger)
      : floor{ledger.security_floor()},
        epoch{ledger.epoch()},
        time{ledger.time_floor()},
        outcomes{ledger.outcome_count()},
        phase{ledger.current() ? static_cast<int>(ledger.current()->phase) : -1} {}
  std::uint32_t floor, epoch, time;
  std::size_t outcomes;
  int phase;
  friend bool operator==(const Remembered&, const Remembered&) = default;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  FakeFlash flash{partition_bytes};
  const std::span bytes{data + 1, size - 1};
  if (data[0] % 2 == 0) {
    write_records(flash, bytes);
  } else {
    std::ranges::copy(bytes.first(std::min<std::size_t>(bytes.size(), partition_bytes)),
                      flash.cells().begin());
  }
  auto start = std::make_unique<Start>(flash);
  claim(start->ledger.outcome_count() <= Ledger::outcomes_kept);
  const Remembered before{start->ledger};
  const auto seq = start->ledger.take_seq();
  claim(!flash.rule_broken());

  // The next start reads the same, also from the fewest records, and gives no number twice.
  start = std::make_unique<Start>(flash);
  claim(Remembered{start->ledger} == before);
  claim(static_cast<bool>(start->journal.compact()));
  start = std::make_unique<Start>(flash);
  claim(Remembered{start->ledger} == before);
  const auto later = start->ledger.take_seq();
  if (seq && later) claim(later.value() > seq.value());
  claim(!flash.rule_broken());
  return 0;
}
