#include "device/slot/boot_records.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "device/bootloader/selection.hpp"
#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

const BootRecord blank;
BootRecord record(std::uint32_t seq, BootState state) {
  return make_boot_record(seq, state);
}

/// Flash with an otadata partition, and the bootloader over it.
class Bench {
 public:
  explicit Bench(const BootRecordPair& initial, std::uint32_t slots = 2) {
    layout_.otadata = {0xE000, 0x2000};
    layout_.slot_count = slots;
    for (std::uint32_t copy = 0; copy < 2; ++copy) {
      EXPECT_TRUE(write_boot_record(flash, layout_.otadata.base, {copy, initial[copy]}));
    }
  }

  BootRecords records() { return {flash, layout_}; }
  BootRecordPair read() {
    const auto read = records().read();
    EXPECT_TRUE(read);
    return read.value();
  }
  /// Boots as ESP-IDF does; `whole`: the slots whose image is whole.
  int boot(const std::set<int>& whole = {0, 1}) {
    BootSetup setup;
    setup.records = read();
    setup.slot_count = layout_.slot_count;
    const auto decision = choose_boot(setup, [&whole](int index) { return whole.contains(index); });
    for (const BootRecordWrite& write : decision.writes()) {
      EXPECT_TRUE(write_boot_record(flash, layout_.otadata.base, write));
    }
    return decision.index;
  }

  FakeFlash flash{0x10000};

 private:
  Layout layout_;
};

using Action = std::function<Status(BootRecords&)>;
using Check = std::function<void(Bench&)>;

/// Runs `action` with the power cut at every one of its operations, plainly and torn in many ways,
/// and `check` after each. Returns the number of operations.
std::uint64_t cut_everywhere(const BootRecordPair& initial,
                             const Action& action,
                             const Check& check) {
  for (std::uint64_t cut = 0;; ++cut) {
    for (std::uint32_t seed = 0; seed < 64; ++seed) {
      SCOPED_TRACE(testing::Message() << "cut at operation " << cut << ", tear " << seed);
      Bench bench{initial};
      bench.flash.cut_after(cut);
      if (seed > 0) bench.flash.tear(seed);
      BootRecords records = bench.records();
      const bool finished = static_cast<bool>(action(records));
      EXPECT_FALSE(bench.flash.rule_broken());
      bench.flash.power_on();
      check(bench);
      if (testing::Test::HasFailure()) return cut;
      if (finished) return cut;
    }
  }
}

// ----------------------------------------------------------------------------------------------
// reading

TEST(BootRecords, KnowWhichRecordDecides) {
  Bench bench{{record(3, BootState::valid), record(2, BootState::valid)}};
  const auto active = bench.records().active();
  ASSERT_TRUE(active);
  ASSERT_TRUE(active.value());
  EXPECT_EQ(active.value()->copy, 0U);
  EXPECT_EQ(active.value()->slot, 0U);
  EXPECT_EQ(active.value()->record, record(3, BootState::valid));
}

TEST(BootRecords, KnowThatNoneDecides) {
  Bench bench{{blank, record(2, BootState::aborted)}};
  const auto active = bench.records().active();
  ASSERT_TRUE(active);
  EXPECT_FALSE(active.value());
}

// ----------------------------------------------------------------------------------------------
// blank

TEST(Blank, ErasesTheRecordOfThePassiveSlotAndNothingElse) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::valid)}};
  EXPECT_TRUE(bench.records().blank(0));
  EXPECT_EQ(bench.read(), (BootRecordPair{blank, record(2, BootState::valid)}));
}

TEST(Blank, ErasesAnAbortedRecordOfThePassiveSlot) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::aborted)}};
  EXPECT_TRUE(bench.records().blank(1));
  EXPECT_EQ(bench.read(), (BootRecordPair{record(1, BootState::valid), blank}));
}

TEST(Blank, ErasesARecordOfWrongCrc) {
  BootRecord torn = record(3, BootState::valid);
  torn.crc ^= 4;
  Bench bench{{torn, record(2, BootState::valid)}};
  EXPECT_TRUE(bench.records().blank(0));
  EXPECT_EQ(bench.read()[0], blank);
}

TEST(Blank, WritesNothingWhereThereIsNothingToBlank) {
  for (const BootRecord& other : {blank, record(1, BootState::fresh)}) {
    Bench bench{
        {other,
         record(3, BootState::valid)}};  // both may name the running slot, after a confirmation
    const auto before = bench.flash.operations();
    EXPECT_TRUE(bench.records().blank(1));
    EXPECT_EQ(bench.flash.operations(), before);
  }
}

TEST(Blank, RefusesTheSlotThatTheActiveRecordNames) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::valid)}};
  const auto before = bench.read();
  const Status blanked = bench.records().blank(1);
  ASSERT_FALSE(blanked);
  EXPECT_EQ(blanked.error().found, BootRecords::code_wrong_slot);
  EXPECT_EQ(bench.read(), before);
}

TEST(Blank, CutAnywhereKeepsTheRunningSlot) {
  const BootRecordPair initial{record(1, BootState::valid), record(2, BootState::valid)};
  cut_everywhere(
      initial,
      [](BootRecords& records) { return records.blank(0); },
      [](Bench& bench) { EXPECT_EQ(bench.boot(), 1); });
}

// ----------------------------------------------------------------------------------------------
// select

TEST(Select, WritesTheNextSeqOfTheSlotIntoTheOtherCopy) {
  Bench bench{{record(1, BootState::valid), blank}};
  EXPECT_TRUE(bench.records().select(1));
  EXPECT_EQ(bench.read(),
            (BootRecordPair{record(1, BootState::valid), record(2, BootState::fresh)}));
  EXPECT_EQ(bench.boot(), 1);
  EXPECT_EQ(bench.read()[1], record(2, BootState::pending));
}

TEST(Select, TakesAStrictlyLargerSeqForTheSlotThatIsActiveToo) {
  Bench bench{{record(1, BootState::valid), blank}};
  EXPECT_TRUE(bench.records().select(0));
  EXPECT_EQ(bench.read()[1], record(3, BootState::fresh));
}

TEST(Select, WorksForAnyNumberOfSlots) {
  Bench bench{{blank, record(7, BootState::valid)}, 5};
  EXPECT_TRUE(bench.records().select(0));
  EXPECT_EQ(bench.read()[0], record(11, BootState::fresh));
}

TEST(Select, OverABlankOtadataBeginsWithTheSlotsFirstSeq) {
  Bench bench{{blank, blank}};
  EXPECT_TRUE(bench.records().select(1));
  EXPECT_EQ(bench.read()[0], record(2, BootState::fresh));
}

TEST(Select, RefusesWhenTheSeqsAreUsedUp) {
  Bench bench{{record(0xFFFF0001, BootState::valid), blank}};
  const auto before = bench.flash.operations();
  const Status selected = bench.records().select(1);
  ASSERT_FALSE(selected);
  EXPECT_EQ(selected.error().found, BootRecords::code_seq_exhausted);
  EXPECT_EQ(bench.flash.operations(), before);
}

TEST(Select, RefusesASlotThatDoesNotExist) {
  Bench bench{{record(1, BootState::valid), blank}};
  EXPECT_EQ(bench.records().select(2).error().found, BootRecords::code_wrong_slot);
}

TEST(Select, CutAnywhereBootsTheOldImageOrTheNewOneOnTrial) {
  for (std::uint32_t seq : {1U, 2U}) {
    const int old_slot = static_cast<int>(slot_of(seq, 2));
    const BootRecordPair initial{record(seq, BootState::valid), blank};
    const auto operations = cut_everywhere(
        initial,
        [&](BootRecords& records) {
          return records.select(1 - static_cast<std::uint32_t>(old_slot));
        },
        [&](Bench& bench) {
          const int booted = bench.boot();
          const bool selected = bench.read()[1].seq == seq + 1;
          EXPECT_TRUE(booted == old_slot || selected);
          EXPECT_EQ(bench.read()[0], record(seq, BootState::valid));
        });
    EXPECT_EQ(operations, 2U);
  }
}

TEST(Select, SaysSoWhenTheFlashKeepsSomethingElse) {
  // A cell that is stuck at 0: the write goes well, the reading back does not agree.
  class StuckFlash final : public Flash {
   public:
    Status read(std::uint32_t address, std::span<std::uint8_t> into) override {
      const Status read = inner.read(address, into);
      if (address == 0xF000) into[2] &= 0xFE;
      return read;
    }
    Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) override {
      return inner.write(address, bytes);
    }
    Status erase_sector(std::uint32_t address) override { return inner.erase_sector(address); }
    [[nodiscard]] std::uint32_t size() const override { return inner.size(); }
    FakeFlash inner{0x10000};
  } flash;
  Layout layout;
  layout.otadata = {0xE000, 0x2000};
  layout.slot_count = 2;
  ASSERT_TRUE(write_boot_record(flash, 0xE000, {0, record(0x10000, BootState::valid)}));
  const Status selected = BootRecords(flash, layout).select(0);
  ASSERT_FALSE(selected);
  EXPECT_EQ(selected.error().found, BootRecords::code_not_as_written);
  EXPECT_EQ(selected.error().expected, 0xF000);
}

// ----------------------------------------------------------------------------------------------
// confirm

TEST(Confirm, LeavesBothRecordsWithTheRunningSlot) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::pending)}};
  EXPECT_TRUE(bench.records().confirm(1));
  EXPECT_EQ(bench.read(),
            (BootRecordPair{record(4, BootState::valid), record(2, BootState::fresh)}));
  EXPECT_EQ(bench.boot(), 1);
  EXPECT_EQ(bench.read()[0], record(4, BootState::valid));
}

TEST(Confirm, OfAConfirmedSlotWritesNothing) {
  Bench bench{{record(4, BootState::valid), record(2, BootState::fresh)}};
  const auto before = bench.flash.operations();
  EXPECT_TRUE(bench.records().confirm(1));
  EXPECT_EQ(bench.flash.operations(), before);
}

// A torn state word boots unwatched; the agent watches such an image itself and then confirms it.
TEST(Confirm, TakesARecordWhoseStateHasNoName) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::undefined)}};
  EXPECT_TRUE(bench.records().confirm(1));
  EXPECT_EQ(bench.read()[0], record(4, BootState::valid));
}

TEST(Confirm, RefusesASlotThatTheActiveRecordDoesNotName) {
  for (const BootRecordPair& initial :
       {BootRecordPair{record(1, BootState::valid), record(2, BootState::pending)},
        BootRecordPair{blank, record(2, BootState::aborted)}}) {
    Bench bench{initial};
    const auto before = bench.flash.operations();
    const Status confirmed = bench.records().confirm(0);
    ASSERT_FALSE(confirmed);
    EXPECT_EQ(confirmed.error().found, BootRecords::code_wrong_slot);
    EXPECT_EQ(bench.flash.operations(), before);
  }
}

// The step before which a cut is an ordinary rollback is the first one; after it the new image
// boots for good.
TEST(Confirm, CutAnywhereLosesTheImageOnlyBeforeItsFirstStep) {
  for (std::uint32_t seq : {2U, 3U}) {
    for (std::uint32_t copy : {0U, 1U}) {
      BootRecordPair initial;
      initial[copy] = record(seq, BootState::pending);
      initial[1 - copy] = record(seq - 1, BootState::valid);
      const auto slot = slot_of(seq, 2);
      std::uint64_t plain_cuts = 0;
      cut_everywhere(
          initial,
          [&](BootRecords& records) { return records.confirm(slot); },
          [&](Bench& bench) {
            const bool armed = bench.read()[copy].state == BootState::fresh;
            const int booted = bench.boot();
            EXPECT_EQ(booted, static_cast<int>(armed ? slot : 1 - slot));
            if (!armed) return;
            ++plain_cuts;
            EXPECT_TRUE(bench.records().confirm(slot));  // and the trial can be finished
            EXPECT_EQ(bench.boot(), static_cast<int>(slot));
            EXPECT_EQ(bench.boot(), static_cast<int>(slot));
          });
      EXPECT_GT(plain_cuts, 0U);
    }
  }
}

TEST(Confirm, LeavesRecordsFromWhichTheNextUpdateRollsBackToIt) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::pending)}};
  ASSERT_TRUE(bench.records().confirm(1));
  ASSERT_TRUE(bench.records().blank(0));
  ASSERT_TRUE(bench.records().select(0));
  EXPECT_EQ(bench.boot(), 0);  // on trial
  EXPECT_EQ(bench.boot(), 1);  // not confirmed: back
  EXPECT_EQ(bench.boot(), 1);
}

// ----------------------------------------------------------------------------------------------
// repair

TEST(Repair, WritesNothingWhenTheActiveRecordNamesWhatRuns) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::pending)}};
  const auto before = bench.flash.operations();
  EXPECT_TRUE(bench.records().repair(1));
  EXPECT_EQ(bench.flash.operations(), before);
}

struct RepairCase {
  const char* what;
  BootRecordPair records;
  std::uint32_t running;
};

const RepairCase repair_cases[] = {
    // clang-format off
    {"fell back, own record valid",        {record(1, BootState::valid),     record(2, BootState::valid)},     0},
    {"the same in the other copies",       {record(2, BootState::pending),   record(1, BootState::valid)},     0},
    {"fell back, own record not valid",    {record(1, BootState::undefined), record(2, BootState::valid)},     0},
    {"fell back, own record blank",        {blank,                           record(2, BootState::undefined)}, 0},
    {"both name the broken slot",          {record(4, BootState::valid),     record(2, BootState::fresh)},     0},
    {"both aborted",                       {record(3, BootState::aborted),   record(4, BootState::aborted)},   0},
    {"both aborted, the other slot runs",  {record(3, BootState::aborted),   record(4, BootState::aborted)},   1},
    {"aborted and blank",                  {record(6, BootState::aborted),   blank},                           0},
    {"blank and invalid",                  {blank,                           record(7, BootState::invalid)},   1},
    // clang-format on
};

TEST(Repair, MakesTheRunningSlotTheValidOneAndTheOnlyOne) {
  for (const RepairCase& c : repair_cases) {
    SCOPED_TRACE(c.what);
    Bench bench{c.records};
    EXPECT_TRUE(bench.records().repair(c.running));
    const auto active = bench.records().active();
    ASSERT_TRUE(active && active.value());
    EXPECT_EQ(active.value()->slot, c.running);
    EXPECT_EQ(active.value()->record.state, BootState::valid);
    EXPECT_EQ(bench.read()[1 - active.value()->copy], blank);
    EXPECT_EQ(bench.boot(), static_cast<int>(c.running));
  }
}

// Only the running slot holds a whole image here: that is why the bootloader fell back.
TEST(Repair, CutAnywhereBootsTheOnlyWholeImageAndCanBeRepeated) {
  for (const RepairCase& c : repair_cases) {
    SCOPED_TRACE(c.what);
    const int running = static_cast<int>(c.running);
    cut_everywhere(
        c.records,
        [&](BootRecords& records) { return records.repair(c.running); },
        [&](Bench& bench) {
          EXPECT_EQ(bench.boot({running}), running);
          EXPECT_TRUE(bench.records().repair(c.running));
          const auto active = bench.records().active();
          ASSERT_TRUE(active && active.value());
          EXPECT_EQ(active.value()->slot, c.running);
        });
  }
}

TEST(Repair, NeverTakesAwayTheLastRecordThatNamesTheRunningSlot) {
  const BootRecordPair initial{record(1, BootState::valid), record(2, BootState::valid)};
  for (std::uint64_t cut = 0; cut < 2; ++cut) {
    Bench bench{initial};
    bench.flash.cut_after(cut);
    (void)bench.records().repair(0);
    bench.flash.power_on();
    EXPECT_EQ(bench.read()[0], initial[0]);
  }
}

TEST(BootRecordsApi, PassesTheDriversErrorOn) {
  Bench bench{{record(1, BootState::valid), record(2, BootState::pending)}};
  bench.flash.fail_reads(true);
  BootRecords records = bench.records();
  for (const Status& status :
       {records.blank(0), records.select(0), records.confirm(1), records.repair(0)}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().fault, Fault::flash_failed);
    EXPECT_EQ(status.error().found, FakeFlash::code_injected);
  }
}

}  // namespace
}  // namespace otaria::device
