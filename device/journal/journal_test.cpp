#include "device/journal/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "device/journal/testing/flash_wrappers.hpp"
#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MarginalFlash;
using testing::WornFlash;

constexpr std::uint32_t sector = Flash::sector_bytes;
constexpr std::uint32_t base = 2 * sector;
constexpr std::uint32_t partition_bytes = 2 * sector;  // banks of one sector
constexpr std::uint32_t bank_bytes = partition_bytes / 2;
constexpr std::uint32_t chip_bytes = 8 * sector;

struct Entry {
  std::uint8_t kind = 0;
  std::vector<std::uint8_t> payload;
  friend bool operator==(const Entry&, const Entry&) = default;
};

Entry entry(std::uint8_t kind, std::size_t bytes) {
  Entry made{kind, std::vector<std::uint8_t>(bytes)};
  for (std::size_t i = 0; i < bytes; ++i)
    made.payload[i] = static_cast<std::uint8_t>(std::size_t{kind} * 31 + i);
  return made;
}

/// Keeps the newest `kept` records; a compaction writes just these.
class Recorder final : public Journal::Owner {
 public:
  explicit Recorder(std::size_t kept = 1000) : kept_{kept} {}
  void apply(const JournalRecord& record) override {
    add({record.kind, {record.payload.begin(), record.payload.end()}});
  }
  Status snapshot(Journal& journal) override {
    ++snapshots;
    for (const Entry& one : entries) {
      if (auto done = journal.append_to_snapshot(one.kind, one.payload); !done) return done;
    }
    return {};
  }
  void add(Entry one) {
    entries.push_back(std::move(one));
    if (entries.size() > kept_) entries.erase(entries.begin());
  }
  std::vector<Entry> entries;
  int snapshots = 0;

 private:
  std::size_t kept_;
};

/// One start of the device: a journal over a flash, and what it replayed.
struct Session {
  explicit Session(Flash& flash, std::size_t kept = 1000)
      : journal{flash, base, partition_bytes, work}, owner{kept} {
    opened = journal.open(owner);
  }
  Status append(const Entry& one) {
    auto done = journal.append(one.kind, one.payload);
    if (done) owner.add(one);
    return done;
  }
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal;
  Recorder owner;
  Status opened;
};

std::vector<Entry> replayed(Flash& flash) {
  Session session{flash};
  EXPECT_TRUE(session.opened);
  EXPECT_FALSE(session.journal.was_lost());
  return session.owner.entries;
}

void flip(FakeFlash& flash, std::uint32_t address, std::uint32_t bit) {
  std::uint8_t& cell = flash.cells()[address + bit / 8];
  cell = static_cast<std::uint8_t>(cell ^ 1U << (bit % 8));
}

TEST(Journal, IsEmptyAndLostOnAnErasedPartition) {
  FakeFlash flash{chip_bytes};
  Session session{flash};
  ASSERT_TRUE(session.opened);
  EXPECT_TRUE(session.journal.was_lost());
  EXPECT_THAT(session.owner.entries, IsEmpty());
}

TEST(Journal, IsLostOnceOnly) {
  FakeFlash flash{chip_bytes};
  ASSERT_TRUE(Session{flash}.opened);
  EXPECT_FALSE(Session{flash}.journal.was_lost());
}

TEST(Journal, StartsAnewOnAPartitionFullOfGarbage) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    FakeFlash flash{chip_bytes};
    std::mt19937 random{seed};
    for (std::uint8_t& cell : flash.cells()) cell = static_cast<std::uint8_t>(random());
    const auto before = flash.cells();
    {
      Session session{flash};
      ASSERT_TRUE(session.opened);
      EXPECT_TRUE(session.journal.was_lost());
      ASSERT_TRUE(session.append(entry(1, 5)));
    }
    EXPECT_THAT(replayed(flash), ElementsAre(entry(1, 5)));
    EXPECT_FALSE(flash.rule_broken());
    // What lies beside the partition belongs to somebody else.
    EXPECT_TRUE(std::equal(before.begin(), before.begin() + base, flash.cells().begin()));
    EXPECT_TRUE(std::equal(before.begin() + base + partition_bytes,
                           before.end(),
                           flash.cells().begin() + base + partition_bytes));
  }
}

TEST(Journal, GivesBackWhatWasAppendedInOrder) {
  FakeFlash flash{chip_bytes};
  const std::vector<Entry> all{entry(1, 0), entry(2, 1), entry(3, 24), entry(4, 25), entry(5, 600)};
  Session session{flash};
  for (const Entry& one : all) ASSERT_TRUE(session.append(one));
  EXPECT_EQ(replayed(flash), all);
}

TEST(Journal, TakesPayloadsOfEveryLengthUpToTheLimit) {
  for (std::uint32_t bytes = 0; bytes <= Journal::max_payload; ++bytes) {
    SCOPED_TRACE(bytes);
    FakeFlash flash{chip_bytes};
    Session session{flash};
    ASSERT_TRUE(session.append(entry(7, bytes)));
    ASSERT_TRUE(session.append(entry(8, 3)));
    ASSERT_THAT(replayed(flash), ElementsAre(entry(7, bytes), entry(8, 3)));
  }
}

TEST(Journal, KeepsPayloadsThatLookErasedOrLikeRecords) {
  FakeFlash flash{chip_bytes};
  Session session{flash};
  const std::vector<Entry> all{{0xFF, std::vector<std::uint8_t>(100, 0xFF)},
                               {0xA7, std::vector<std::uint8_t>(100, 0xA7)},
                               {0x00, std::vector<std::uint8_t>(100, 0x00)}};
  for (const Entry& one : all) ASSERT_TRUE(session.append(one));
  EXPECT_EQ(replayed(flash), all);
}

TEST(Journal, RefusesARecordOverTheLimitAndWritesNothing) {
  FakeFlash flash{chip_bytes};
  Session session{flash};
  const auto operations = flash.operations();
  const Status done = session.append(entry(1, Journal::max_payload + 1));
  EXPECT_EQ(done.error().fault, Fault::too_large);
  EXPECT_EQ(done.error().found, Journal::max_payload + 1);
  EXPECT_EQ(done.error().expected, Journal::max_payload);
  EXPECT_EQ(flash.operations(), operations);
}

TEST(Journal, MovesToTheOtherBankWhenTheFirstIsFull) {
  FakeFlash flash{chip_bytes};
  Session session{flash, 3};
  const std::uint32_t fitting = session.journal.bytes_free() / Journal::cell_bytes;
  for (std::uint32_t i = 0; i < fitting; ++i)
    ASSERT_TRUE(session.append(entry(static_cast<std::uint8_t>(i), 4)));
  EXPECT_EQ(session.journal.bytes_free(), 0U);
  EXPECT_EQ(session.journal.generation(), 1U);
  ASSERT_TRUE(session.append(entry(200, 4)));
  EXPECT_EQ(session.journal.generation(), 2U);
  EXPECT_EQ(session.owner.snapshots, 1);
  // Three were kept by the snapshot, then the new one.
  EXPECT_THAT(replayed(flash),
              ElementsAre(entry(static_cast<std::uint8_t>(fitting - 3), 4),
                          entry(static_cast<std::uint8_t>(fitting - 2), 4),
                          entry(static_cast<std::uint8_t>(fitting - 1), 4),
                          entry(200, 4)));
}

TEST(Journal, WearsBothBanksAlikeOverThousandsOfRecords) {
  FakeFlash flash{chip_bytes};
  Session session{flash, 4};
  const auto erases = flash.erases();
  const std::uint32_t per_bank =
      (bank_bytes / Journal::cell_bytes) - 1 - 4;  // header, and what a snapshot keeps
  for (int i = 0; i < 5000; ++i)
    ASSERT_TRUE(session.append(entry(static_cast<std::uint8_t>(i), 4)));
  EXPECT_EQ(flash.erases() - erases, session.journal.generation() - 1);
  EXPECT_LE(flash.erases() - erases, 5000 / per_bank + 1);
  EXPECT_FALSE(flash.rule_broken());
}

TEST(Journal, SaysWhenTheSnapshotDoesNotFitABankAndKeepsTheOldOne) {
  FakeFlash flash{chip_bytes};
  Session session{flash};  // keeps everything: nothing can be compacted away
  std::vector<Entry> accepted;
  Status done;
  for (std::uint8_t i = 0; done && i < 255; ++i) {
    done = session.append(entry(i, 200));
    if (done) accepted.push_back(entry(i, 200));
  }
  EXPECT_EQ(done.error().fault, Fault::too_large);
  EXPECT_EQ(replayed(flash), accepted);
}

TEST(Journal, NoticesATornTailAndAppendsBehindItSafely) {
  int torn_and_gone = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(::testing::Message() << "tear " << seed);
    FakeFlash flash{chip_bytes};
    std::vector<Entry> expected{entry(1, 10), entry(2, 100)};
    {
      Session session{flash};
      for (const Entry& one : expected) ASSERT_TRUE(session.append(one));
      flash.cut_after(0);
      flash.tear(seed);
      EXPECT_FALSE(session.append(entry(3, 200)));
    }
    flash.power_on();
    {
      Session session{flash};
      ASSERT_TRUE(session.opened);
      if (session.owner.entries.size() == 3) expected.push_back(entry(3, 200));
      torn_and_gone += expected.size() == 2 ? 1 : 0;
      EXPECT_EQ(session.owner.entries, expected);
      ASSERT_TRUE(session.append(entry(4, 50)));
      expected.push_back(entry(4, 50));
    }
    EXPECT_EQ(replayed(flash), expected);
    EXPECT_FALSE(flash.rule_broken());
  }
  EXPECT_GT(torn_and_gone, 190);
}

TEST(Journal, KeepsRecordsOnBothSidesOfOneThatRotted) {
  FakeFlash flash{chip_bytes};
  {
    Session session{flash};
    for (std::uint8_t kind = 1; kind <= 3; ++kind) ASSERT_TRUE(session.append(entry(kind, 100)));
  }
  const std::uint32_t second = base + Journal::cell_bytes + 4 * Journal::cell_bytes;
  flip(flash, second + 40, 4);
  EXPECT_THAT(replayed(flash), ElementsAre(entry(1, 100), entry(3, 100)));
  // The first opening moved them into the other bank; the second meets a sound one.
  Session again{flash};
  EXPECT_EQ(again.journal.generation(), 2U);
  EXPECT_THAT(again.owner.entries, ElementsAre(entry(1, 100), entry(3, 100)));
}

TEST(Journal, AFlippedBitAnywhereInARecordIsNoticed) {
  FakeFlash whole{chip_bytes};
  {
    Session session{whole};
    ASSERT_TRUE(session.append(entry(9, 20)));
  }
  // 8 bytes of header and 20 of payload; what fills the cell up is of no meaning.
  for (std::uint32_t bit = 0; bit < 28 * 8; ++bit) {
    SCOPED_TRACE(::testing::Message() << "bit " << bit);
    FakeFlash flash{whole};
    flip(flash, base + Journal::cell_bytes, bit);
    Session session{flash};
    ASSERT_TRUE(session.opened);
    EXPECT_THAT(session.owner.entries, IsEmpty());
  }
}

TEST(Journal, FallsBackToNothingWhenTheOnlyHeaderIsTorn) {
  for (std::uint32_t bit = 0; bit < Journal::cell_bytes * 8; ++bit) {
    SCOPED_TRACE(::testing::Message() << "bit " << bit);
    FakeFlash flash{chip_bytes};
    {
      Session session{flash};
      ASSERT_TRUE(session.append(entry(9, 20)));
    }
    flip(flash, base, bit);
    Session session{flash};
    ASSERT_TRUE(session.opened);
    EXPECT_TRUE(session.journal.was_lost());
    EXPECT_THAT(session.owner.entries, IsEmpty());
  }
}

TEST(Journal, TakesTheOldBankWhenTheNewOnesHeaderIsTorn) {
  FakeFlash flash{chip_bytes};
  {
    Session session{flash};
    ASSERT_TRUE(session.append(entry(9, 20)));
    ASSERT_TRUE(session.journal.compact());
  }
  flip(flash, base + bank_bytes + 8, 0);
  Session session{flash};
  EXPECT_EQ(session.journal.generation(), 1U);
  EXPECT_THAT(session.owner.entries, ElementsAre(entry(9, 20)));
}

TEST(Journal, NeverAcceptsStaleRecordsOfAnOlderGeneration) {
  FakeFlash flash{chip_bytes};
  Session session{flash, 1};
  for (std::uint8_t kind = 1; kind <= 9; ++kind) ASSERT_TRUE(session.append(entry(kind, 20)));
  const std::vector<std::uint8_t> first_generation(flash.cells().begin() + base,
                                                   flash.cells().begin() + base + bank_bytes);
  ASSERT_TRUE(session.journal.compact());
  ASSERT_TRUE(session.journal.compact());
  ASSERT_EQ(session.journal.generation(), 3U);
  // An erase that was cut short left whole old records just where the new generation goes on.
  const std::uint32_t tail = bank_bytes - session.journal.bytes_free();
  std::copy(
      first_generation.begin() + tail, first_generation.end(), flash.cells().begin() + base + tail);
  EXPECT_THAT(replayed(flash), ElementsAre(entry(9, 20)));
}

TEST(Journal, AnInterruptedEraseOfTheOtherBankCostsNothing) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(::testing::Message() << "tear " << seed);
    FakeFlash flash{chip_bytes};
    {
      Session session{flash, 2};
      for (std::uint8_t kind = 1; kind <= 5; ++kind) ASSERT_TRUE(session.append(entry(kind, 60)));
      ASSERT_TRUE(session.journal.compact());  // bank 0 is stale now
      flash.cut_after(0);
      flash.tear(seed);
      EXPECT_FALSE(session.journal.compact());
    }
    flash.power_on();
    EXPECT_THAT(replayed(flash), ElementsAre(entry(4, 60), entry(5, 60)));
    Session session{flash, 2};
    ASSERT_TRUE(session.journal.compact());
    EXPECT_THAT(replayed(flash), ElementsAre(entry(4, 60), entry(5, 60)));
    EXPECT_FALSE(flash.rule_broken());
  }
}

// What `work` does is cut at every flash operation it has, whole and torn; afterwards the journal
// must hold `before`, or what `work` would have made of it.
void cut_everywhere(const std::vector<Entry>& before,
                    const std::vector<Entry>& after,
                    const std::function<void(Session&)>& work) {
  constexpr std::uint32_t tears = 12;
  FakeFlash prepared{chip_bytes};
  {
    Session session{prepared, 4};
    for (const Entry& one : before) ASSERT_TRUE(session.append(one));
  }
  std::uint64_t operations = 0;
  {
    FakeFlash flash{prepared};
    Session session{flash, 4};
    const auto start = flash.operations();
    work(session);
    operations = flash.operations() - start;
  }
  ASSERT_GT(operations, 0U);
  for (std::uint64_t cut = 0; cut < operations; ++cut) {
    for (std::uint32_t tear = 0; tear <= tears; ++tear) {
      SCOPED_TRACE(::testing::Message() << "cut at operation " << cut << ", tear " << tear);
      FakeFlash flash{prepared};
      {
        Session session{flash, 4};
        flash.cut_after(cut);
        if (tear > 0) flash.tear(tear);
        work(session);
      }
      flash.power_on();
      const auto found = replayed(flash);
      EXPECT_TRUE(found == before || found == after);
      EXPECT_EQ(replayed(flash), found);
      EXPECT_FALSE(flash.rule_broken());
    }
  }
}

TEST(Journal, AnAppendCutAtAnyOperationHappenedAsAWholeOrNotAtAll) {
  cut_everywhere({entry(1, 10), entry(2, 60)},
                 {entry(1, 10), entry(2, 60), entry(3, 300)},
                 [](Session& session) { (void)session.append(entry(3, 300)); });
}

TEST(Journal, ACompactionCutAtAnyOperationLosesNothing) {
  const std::vector<Entry> held{entry(1, 10), entry(2, 60), entry(3, 200), entry(4, 0)};
  cut_everywhere(held, held, [](Session& session) { (void)session.journal.compact(); });
}

TEST(Journal, AnOpeningThatMendsATornTailMayItselfBeCutAtAnyOperation) {
  FakeFlash torn{chip_bytes};
  const std::vector<Entry> held{entry(1, 10), entry(2, 60)};
  {
    Session session{torn};
    for (const Entry& one : held) ASSERT_TRUE(session.append(one));
    torn.cut_after(0);
    torn.tear(5);
    ASSERT_FALSE(session.append(entry(3, 300)));
  }
  torn.power_on();
  for (std::uint64_t cut = 0;; ++cut) {
    SCOPED_TRACE(::testing::Message() << "cut at operation " << cut);
    FakeFlash flash{torn};
    flash.cut_after(cut);
    flash.tear(static_cast<std::uint32_t>(cut) + 1);
    const bool got_through = static_cast<bool>(Session{flash}.opened);
    flash.power_on();
    EXPECT_EQ(replayed(flash), held);
    if (got_through) break;
    ASSERT_LT(cut, 50U);
  }
}

TEST(Journal, ARecordReadOnceAfterACutIsThereForEver) {
  MarginalFlash flash{chip_bytes};
  Session session{flash};
  ASSERT_TRUE(session.append(entry(1, 10)));
  flash.cut_in_write_at(base + bank_bytes - session.journal.bytes_free());
  (void)session.append(entry(2, 200));  // nobody is told that it worked
  flash.power_on();
  ASSERT_THAT(replayed(flash),
              ElementsAre(entry(1, 10), entry(2, 200)));  // acted upon from here on
  flash.age();
  EXPECT_THAT(replayed(flash), ElementsAre(entry(1, 10), entry(2, 200)));
}

TEST(Journal, ABankOnceChosenAfterACutIsThereForEver) {
  MarginalFlash flash{chip_bytes};
  Session session{flash, 1};
  ASSERT_TRUE(session.append(entry(1, 10)));
  ASSERT_TRUE(session.append(entry(2, 10)));
  flash.cut_in_write_at(base + bank_bytes);
  EXPECT_FALSE(session.journal.compact());
  flash.power_on();
  {
    Session next{flash, 1};
    EXPECT_EQ(next.journal.generation(), 2U);
    ASSERT_TRUE(next.append(entry(3, 10)));
  }
  flash.age();
  // With the weak header lost the older bank would come back, and with it the past.
  EXPECT_THAT(replayed(flash), ElementsAre(entry(2, 10), entry(3, 10)));
}

TEST(Journal, LeavesABankWhoseCellsDoNotTakeTheBytes) {
  WornFlash flash{chip_bytes};
  Session session{flash};
  ASSERT_TRUE(session.append(entry(1, 10)));
  flash.worn_from = base + 64;
  flash.worn_to = base + bank_bytes;
  ASSERT_TRUE(session.append(entry(2, 200)));
  EXPECT_EQ(session.journal.generation(), 2U);
  EXPECT_THAT(replayed(flash), ElementsAre(entry(1, 10), entry(2, 200)));
}

TEST(Journal, SaysSoWhenNeitherBankTakesTheBytes) {
  WornFlash flash{chip_bytes};
  Session session{flash};
  ASSERT_TRUE(session.append(entry(1, 10)));
  flash.worn_from = base + 64;
  flash.worn_to = base + partition_bytes;
  EXPECT_EQ(session.append(entry(2, 200)).error().fault, Fault::flash_failed);
  flash.worn_to = flash.worn_from;
  EXPECT_THAT(replayed(flash), ElementsAre(entry(1, 10)));
}

TEST(Journal, HandsOnTheDriversErrorWhenNothingCanBeRead) {
  FakeFlash flash{chip_bytes};
  ASSERT_TRUE(Session{flash}.opened);
  flash.fail_reads(true);
  Session session{flash};
  EXPECT_EQ(session.opened.error().fault, Fault::flash_failed);
  EXPECT_EQ(session.opened.error().found, FakeFlash::code_injected);
}

// Random appends, compactions, restarts and cuts against the plainest model there is: a list. After
// every start the journal holds the newest `kept` of everything whose append returned, and possibly
// the one that was under way.
TEST(Journal, HoldsWhatAListWouldThroughRandomCuts) {
  constexpr std::size_t kept = 6;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937 random{seed};
    FakeFlash flash{chip_bytes};
    Recorder model{kept};
    auto session = std::make_unique<Session>(flash, kept);
    ASSERT_TRUE(session->opened);
    for (int step = 0; step < 150; ++step) {
      if (random() % 5 == 0) {
        flash.cut_after(random() % 4);
        if (random() % 4 != 0) flash.tear(static_cast<std::uint32_t>(random()));
      }
      const Entry next = entry(static_cast<std::uint8_t>(random()), random() % 420);
      const bool compacts = random() % 10 == 0;
      const bool done =
          static_cast<bool>(compacts ? session->journal.compact() : session->append(next));
      if (done && !compacts) model.add(next);
      if (flash.powered() && random() % 12 != 0) continue;
      flash.power_on();
      session = std::make_unique<Session>(flash, kept);
      ASSERT_TRUE(session->opened);
      ASSERT_FALSE(session->journal.was_lost());
      if (!done && !compacts && session->owner.entries != model.entries)
        model.add(next);  // was under way, got through
      // A replay shows more than the newest ones until the next compaction; the model keeps as
      // many.
      ASSERT_EQ(session->owner.entries, model.entries);
    }
    EXPECT_FALSE(flash.rule_broken());
  }
}

TEST(Crc32, IsTheOneOfZlib) {
  const std::string digits = "123456789";  // the check value of CRC-32/ISO-HDLC
  const std::span bytes{reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size()};
  EXPECT_EQ(crc32(bytes), 0xCBF43926U);
  EXPECT_EQ(crc32({}), 0U);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(crc32(bytes.subspan(cut), crc32(bytes.first(cut))), 0xCBF43926U);
  }
}

}  // namespace
}  // namespace otaria::device
