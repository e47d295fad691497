#include "device/bootloader/boot_record.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace otaria::device {
namespace {

TEST(BootRecordCrc, IsEspressifsForEachGoldenSeq) {
  struct Golden {
    std::uint32_t seq;
    std::uint32_t crc;
  };
  constexpr Golden table[] = {
      {1, 0x4743989A},
      {2, 0x55F63774},
      {3, 0xED4A5011},
      {4, 0x709D68A8},
      {5, 0xC8210FCD},
      {6, 0xDA94A023},
      {7, 0x6228C746},
      {8, 0x3A4BD710},
      {100, 0x4BBB9FAB},
      {0, 0xFFFFFFFF},
      {0xFFFFFFFE, 0x99F8B879},
      {0xFFFFFFFF, 0x2144DF1C},
  };
  for (const Golden& golden : table)
    EXPECT_EQ(boot_record_crc(golden.seq), golden.crc) << golden.seq;
}

TEST(BootRecord, HasTheGoldenBytes) {
  BootRecordBytes confirmed;
  confirmed.fill(0xFF);
  constexpr std::uint8_t one[] = {0x01, 0, 0, 0};
  constexpr std::uint8_t valid_and_crc[] = {0x02, 0, 0, 0, 0x9A, 0x98, 0x43, 0x47};
  std::copy(std::begin(one), std::end(one), confirmed.begin());
  std::copy(std::begin(valid_and_crc), std::end(valid_and_crc), confirmed.begin() + 24);
  EXPECT_EQ(encode(make_boot_record(1, BootState::valid)), confirmed);

  BootRecordBytes selected;
  selected.fill(0xFF);
  constexpr std::uint8_t two[] = {0x02, 0, 0, 0};
  constexpr std::uint8_t fresh_and_crc[] = {0, 0, 0, 0, 0x74, 0x37, 0xF6, 0x55};
  std::copy(std::begin(two), std::end(two), selected.begin());
  std::copy(std::begin(fresh_and_crc), std::end(fresh_and_crc), selected.begin() + 24);
  EXPECT_EQ(encode(make_boot_record(2, BootState::fresh)), selected);
}

TEST(BootRecord, ComesBackFromAnyBytesAsItWas) {
  EXPECT_TRUE(rc::check([](std::array<std::uint8_t, 32> bytes) {
    RC_ASSERT(encode(decode_boot_record(bytes)) == bytes);
  }));
}

TEST(BootRecord, OfAnErasedSectorIsTheDefaultOne) {
  BootRecordBytes erased;
  erased.fill(0xFF);
  EXPECT_EQ(decode_boot_record(erased), BootRecord{});
  EXPECT_TRUE(is_invalid(BootRecord{}));
  EXPECT_FALSE(is_valid(BootRecord{}));
  EXPECT_TRUE(is_unwritten(BootRecord{}));
}

TEST(BootRecord, WithSeqZeroAndAnErasedCrcIsValidAndNamesTheLastSlot) {
  BootRecord trap;
  trap.seq = 0;
  EXPECT_TRUE(is_valid(trap));
  EXPECT_EQ(slot_of(trap.seq, 2), 1U);
  EXPECT_EQ(slot_of(trap.seq, 16), 15U);
}

TEST(BootRecord, IsInvalidByItsStateWhateverItsCrc) {
  for (BootState state : {BootState::invalid, BootState::aborted}) {
    BootRecord record = make_boot_record(5, state);
    EXPECT_TRUE(is_invalid(record));
    EXPECT_FALSE(is_valid(record));
    EXPECT_FALSE(is_unwritten(record));
    record.crc ^= 1;
    EXPECT_TRUE(is_invalid(record));
    EXPECT_TRUE(is_unwritten(record));
  }
}

TEST(BootRecord, IsValidInEveryOtherStateAlsoInOneWithoutAName) {
  for (std::uint32_t state : {0U, 1U, 2U, 5U, 0x12345678U, 0xFFFFFFFFU}) {
    EXPECT_TRUE(is_valid(make_boot_record(5, static_cast<BootState>(state)))) << state;
  }
}

TEST(BootRecord, WithAWrongCrcIsNeitherValidNorInvalid) {
  BootRecord record = make_boot_record(5, BootState::valid);
  record.crc ^= 0x80000000;
  EXPECT_FALSE(is_valid(record));
  EXPECT_FALSE(is_invalid(record));
}

TEST(ActiveCopy, IsTheValidOneWithTheLargerSeqAndCopy0AtATie) {
  const BootRecord two = make_boot_record(2, BootState::valid);
  const BootRecord three = make_boot_record(3, BootState::valid);
  const BootRecord lost = make_boot_record(9, BootState::aborted);
  EXPECT_EQ(active_copy({two, three}), 1U);
  EXPECT_EQ(active_copy({three, two}), 0U);
  EXPECT_EQ(active_copy({three, three}), 0U);
  EXPECT_EQ(active_copy({two, lost}), 0U);
  EXPECT_EQ(active_copy({lost, two}), 1U);
  EXPECT_EQ(active_copy({BootRecord{}, two}), 1U);
  EXPECT_EQ(active_copy({lost, BootRecord{}}), std::nullopt);
}

TEST(NextSeq, IsTheSmallestLargerOneThatNamesTheSlot) {
  EXPECT_EQ(next_seq(1, 1, 2), 2U);
  EXPECT_EQ(next_seq(1, 0, 2), 3U);
  EXPECT_EQ(next_seq(0, 0, 2), 1U);
  EXPECT_TRUE(rc::check([] {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 17);
    const auto slot = *rc::gen::inRange<std::uint32_t>(0, count);
    const auto seq = *rc::gen::inRange<std::uint32_t>(0, 0xFFFF0000);
    const std::uint32_t next = next_seq(seq, slot, count);
    RC_ASSERT(next > seq);
    RC_ASSERT(next - seq <= count);
    RC_ASSERT(slot_of(next, count) == slot);
  }));
}

}  // namespace
}  // namespace otaria::device
