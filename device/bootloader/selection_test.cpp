#include "device/bootloader/selection.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <vector>

#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

using Writes = std::vector<BootRecordWrite>;

BootRecord record(std::uint32_t seq, BootState state) {
  return make_boot_record(seq, state);
}

BootSetup two_slots(const BootRecord& first, const BootRecord& second) {
  return {{first, second}};
}

BootDecision boot(const BootSetup& setup, const std::set<int>& whole) {
  return choose_boot(setup, [&whole](int index) { return whole.contains(index); });
}
BootDecision boot(const BootSetup& setup) {
  return boot(setup, {-1, 0, 1});
}

Writes writes_of(const BootDecision& decision) {
  return {decision.writes().begin(), decision.writes().end()};
}

BootRecord with_bad_crc(BootRecord broken) {
  broken.crc ^= 1;
  return broken;
}

const BootRecord blank;

TEST(Selection, FollowsTheLargerSeq) {
  struct Row {
    std::uint32_t first;
    std::uint32_t second;
    int slot;
  };
  for (const Row& row : {Row{1, 2, 1}, Row{3, 2, 0}, Row{3, 4, 1}, Row{4, 4, 1}, Row{100, 5, 1}}) {
    const auto decision =
        boot(two_slots(record(row.first, BootState::valid), record(row.second, BootState::valid)));
    EXPECT_EQ(decision.index, row.slot) << row.first << ", " << row.second;
    EXPECT_TRUE(decision.writes().empty());
  }
}

TEST(Selection, OfAFreshRecordStartsItsTrialBeforeTheImageIsVerified) {
  const auto decision =
      boot(two_slots(record(1, BootState::valid), record(2, BootState::fresh)), {0});
  EXPECT_EQ(decision.index, 0);  // the selected image was broken ...
  EXPECT_EQ(writes_of(decision),
            (Writes{{1, record(2, BootState::pending)}}));  // ... its trial has begun all the same
}

TEST(Selection, AfterFallingBackDoesNotChangeOtadataAnyMore) {
  const auto setup = two_slots(record(1, BootState::valid), record(2, BootState::valid));
  const auto decision = boot(setup, {0});
  EXPECT_EQ(decision.index, 0);
  EXPECT_TRUE(decision.writes().empty());
}

TEST(Selection, RollsBackAtAnyResetWhilePending) {
  const auto decision = boot(two_slots(record(1, BootState::valid), record(2, BootState::pending)));
  EXPECT_EQ(decision.index, 0);
  EXPECT_EQ(writes_of(decision), (Writes{{1, record(2, BootState::aborted)}}));
}

TEST(Selection, AbortsAPendingRecordWhateverItsCrc) {
  const BootRecord torn = with_bad_crc(record(2, BootState::pending));
  const auto decision = boot(two_slots(record(1, BootState::valid), torn));
  BootRecord expected = torn;
  expected.state = BootState::aborted;
  EXPECT_EQ(writes_of(decision), (Writes{{1, expected}}));
}

TEST(Selection, KeepsTheLabelBytesItFinds) {
  BootRecord labelled = record(2, BootState::fresh);
  labelled.label[3] = 0x42;
  const auto decision = boot(two_slots(blank, labelled));
  ASSERT_EQ(decision.writes().size(), 1U);
  EXPECT_EQ(decision.writes()[0].record.label[3], 0x42);
}

TEST(Selection, WithoutRollbackIgnoresStatesExceptInvalidAndAborted) {
  const auto without_rollback = [](BootState state) {
    auto setup = two_slots(record(1, BootState::valid), record(2, state));
    setup.rollback_enabled = false;
    return boot(setup);
  };
  for (BootState state : {BootState::fresh, BootState::pending, BootState::undefined}) {
    EXPECT_EQ(without_rollback(state).index, 1);
    EXPECT_TRUE(without_rollback(state).writes().empty());
  }
  EXPECT_EQ(without_rollback(BootState::invalid).index, 0);
  EXPECT_EQ(without_rollback(BootState::aborted).index, 0);
}

TEST(Selection, WithBothRecordsAbortedAndNoFactoryBootsOta0AndRepairsNothing) {
  const auto decision =
      boot(two_slots(record(3, BootState::aborted), record(4, BootState::invalid)));
  EXPECT_EQ(decision.index, 0);
  EXPECT_TRUE(decision.writes().empty());
}

TEST(Selection, WithOneRecordAbortedAndTheOtherOfBadCrcTriesFactoryThenOta0AndRepairsNothing) {
  auto setup = two_slots(record(4, BootState::aborted), with_bad_crc(record(3, BootState::valid)));
  EXPECT_EQ(boot(setup).index, 0);
  EXPECT_TRUE(boot(setup).writes().empty());
  setup.has_factory = true;
  EXPECT_EQ(boot(setup).index, boot_index::factory);
}

TEST(Selection, FallsDownwardsToTheFactoryFirstThenUpwards) {
  BootSetup setup = two_slots(record(2, BootState::valid), blank);
  setup.slot_count = 4;
  setup.has_factory = true;
  std::vector<int> asked;
  const auto decision = choose_boot(setup, [&asked](int index) {
    asked.push_back(index);
    return false;
  });
  EXPECT_EQ(asked, (std::vector<int>{1, 0, -1, 2, 3}));
  EXPECT_EQ(decision.index, boot_index::none);
}

TEST(Selection, CanBootAWholeImageThatWasNeverSelected) {
  EXPECT_EQ(boot(two_slots(record(1, BootState::valid), blank), {1}).index, 1);
}

TEST(Selection, OfABlankOtadataRecordsWhatItBooted) {
  const auto decision = boot(two_slots(blank, blank), {1});
  EXPECT_EQ(decision.index, 1);
  EXPECT_EQ(writes_of(decision), (Writes{{0, record(2, BootState::valid)}}));
}

TEST(Selection, OfABlankOtadataPrefersTheFactoryAndWritesNothing) {
  auto setup = two_slots(blank, blank);
  setup.has_factory = true;
  EXPECT_EQ(boot(setup).index, boot_index::factory);
  EXPECT_TRUE(boot(setup).writes().empty());
}

// A factory image that does not load: the order goes on upwards, and otadata stays as it is.
TEST(Selection, WithABrokenFactoryGoesOnToOta0) {
  auto setup = two_slots(blank, blank);
  setup.has_factory = true;
  const auto decision = boot(setup, {0, 1});
  EXPECT_EQ(decision.index, 0);
  EXPECT_TRUE(decision.writes().empty());
}

TEST(Selection, WithNoiseInBothCopiesGoesToTheFactoryElseOta0AndRepairsNothing) {
  BootRecord noise;
  noise.seq = 0x5A5A5A5A;
  noise.crc = 0x12345678;
  auto setup = two_slots(noise, noise);
  EXPECT_EQ(boot(setup).index, 0);
  EXPECT_TRUE(boot(setup).writes().empty());
  setup.has_factory = true;
  EXPECT_EQ(boot(setup).index, boot_index::factory);
}

// "Both invalid" by state, and each with a wrong CRC: that counts as never written.
TEST(Selection, OfTwoAbortedRecordsWithWrongCrcsIsAFirstBoot) {
  const auto decision = boot(two_slots(with_bad_crc(record(3, BootState::aborted)), blank));
  EXPECT_EQ(writes_of(decision), (Writes{{0, record(1, BootState::valid)}}));
}

TEST(Selection, WithoutAnOtadataPartitionKnowsOnlyTheFactoryOrder) {
  auto setup = two_slots(record(2, BootState::valid), blank);
  setup.otadata = OtadataPartition::absent;
  EXPECT_EQ(boot(setup).index, 0);
  setup.has_factory = true;
  EXPECT_EQ(boot(setup).index, boot_index::factory);
}

TEST(Selection, WithTooShortAnOtadataPartitionBootsNothing) {
  auto setup = two_slots(record(2, BootState::valid), blank);
  setup.has_factory = true;
  setup.otadata = OtadataPartition::unusable;
  EXPECT_EQ(boot(setup).index, boot_index::none);
}

TEST(Selection, WithoutSlotsBootsTheFactoryOrNothing) {
  auto setup = two_slots(record(2, BootState::valid), blank);
  setup.slot_count = 0;
  EXPECT_EQ(boot(setup).index, boot_index::none);
  setup.has_factory = true;
  EXPECT_EQ(boot(setup).index, boot_index::factory);
}

TEST(Selection, MapsSeqToSlotForUpToSixteenSlots) {
  for (std::uint32_t count = 1; count <= 16; ++count) {
    for (std::uint32_t seq = 1; seq <= 40; ++seq) {
      BootSetup setup = two_slots(record(seq, BootState::valid), blank);
      setup.slot_count = count;
      const auto decision = choose_boot(setup, [](int) { return true; });
      EXPECT_EQ(decision.index, static_cast<int>((seq - 1) % count));
    }
  }
}

TEST(Selection, WithTheSeqZeroTrapBootsTheLastSlot) {
  BootRecord trap;
  trap.seq = 0;
  EXPECT_EQ(boot(two_slots(trap, blank)).index, 1);
}

TEST(Selection, StartsAWholeImageWhateverOtadataHolds) {
  EXPECT_TRUE(rc::check([](std::array<std::uint8_t, 32> one, std::array<std::uint8_t, 32> two) {
    BootSetup setup = two_slots(decode_boot_record(one), decode_boot_record(two));
    setup.slot_count = *rc::gen::inRange<std::uint32_t>(1, 17);
    setup.rollback_enabled = *rc::gen::arbitrary<bool>();
    for (BootRecord& r : setup.records) {
      r.state = static_cast<BootState>(*rc::gen::element(0U, 1U, 2U, 3U, 4U, 5U, 0xFFFFFFFFU));
      if (*rc::gen::arbitrary<bool>()) r.crc = boot_record_crc(r.seq);
    }
    const int whole = *rc::gen::inRange(0, static_cast<int>(setup.slot_count));
    const auto decision = choose_boot(setup, [whole](int index) { return index == whole; });
    RC_ASSERT(decision.index == whole);
  }));
}

TEST(BootRecordsInFlash, AreErasedThenProgrammedAndReadBackAsWritten) {
  FakeFlash flash{0x10000};
  constexpr std::uint32_t base = 0xE000;
  flash.cells()[base + 0x1000 + 100] = 0;
  ASSERT_TRUE(write_boot_record(flash, base, {1, record(2, BootState::fresh)}));
  EXPECT_EQ(flash.operations(), 2U);
  EXPECT_EQ(flash.cells()[base + 0x1000 + 100], 0xFF);
  const auto records = read_boot_records(flash, base);
  ASSERT_TRUE(records);
  EXPECT_EQ(records.value(), (BootRecordPair{blank, record(2, BootState::fresh)}));
}

}  // namespace
}  // namespace otaria::device
