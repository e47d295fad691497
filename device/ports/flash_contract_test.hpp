#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "device/ports/flash.hpp"

/// What every implementation of the Flash port keeps. A test program includes this header and
/// instantiates the suite:
///
///   INSTANTIATE_TEST_SUITE_P(MyFlash, FlashContract, testing::Values(FlashMaker{"mine",
///   make_mine}));
namespace otaria::device {

/// Owns one flash under test.
class FlashHolder {
 public:
  virtual ~FlashHolder() = default;
  virtual Flash& flash() = 0;
};

struct FlashMaker {
  std::string name;
  std::function<std::unique_ptr<FlashHolder>()> make;  ///< at least 8 sectors
};

class FlashContract : public testing::TestWithParam<FlashMaker> {
 protected:
  static constexpr std::uint32_t sector = Flash::sector_bytes;

  void SetUp() override {
    holder_ = GetParam().make();
    for (std::uint32_t i = 0; i < 4; ++i) ASSERT_TRUE(flash().erase_sector(i * sector));
  }
  Flash& flash() { return holder_->flash(); }
  std::vector<std::uint8_t> read(std::uint32_t address, std::size_t length) {
    std::vector<std::uint8_t> bytes(length);
    EXPECT_TRUE(flash().read(address, bytes));
    return bytes;
  }
  static std::vector<std::uint8_t> counting(std::size_t length) {
    std::vector<std::uint8_t> bytes(length);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    return bytes;
  }

 private:
  std::unique_ptr<FlashHolder> holder_;
};

TEST_P(FlashContract, AnErasedSectorReadsAllOnes) {
  EXPECT_EQ(read(0, sector), std::vector<std::uint8_t>(sector, 0xFF));
}

TEST_P(FlashContract, WhatIsWrittenToErasedCellsIsReadBack) {
  const auto bytes = counting(512);
  ASSERT_TRUE(flash().write(sector, bytes));
  EXPECT_EQ(read(sector, bytes.size()), bytes);
}

TEST_P(FlashContract, AWriteMayBeginAndEndAnywhereAndCrossPagesAndSectors) {
  const auto bytes = counting(700);
  ASSERT_TRUE(flash().write(sector - 333, bytes));
  EXPECT_EQ(read(sector - 333, bytes.size()), bytes);
  EXPECT_EQ(read(sector - 334, 1).front(), 0xFF);
  EXPECT_EQ(read(sector - 333 + 700, 1).front(), 0xFF);
}

TEST_P(FlashContract, AWriteOnlyClearsBits) {
  const std::array<std::uint8_t, 2> first{0xF0, 0x0F};
  const std::array<std::uint8_t, 2> second{0x3C, 0xFF};
  ASSERT_TRUE(flash().write(64, first));
  // Whether this is refused or done as the cells allow is the driver's choice; a 0 never becomes
  // a 1.
  const Status status = flash().write(64, second);
  const auto cells = read(64, 2);
  EXPECT_EQ(cells[0], status ? 0x30 : cells[0] & 0xF0);
  EXPECT_EQ(cells[1], 0x0F);
}

TEST_P(FlashContract, AnEraseTouchesItsOwnSectorOnly) {
  const auto bytes = counting(std::size_t{3} * sector);
  ASSERT_TRUE(flash().write(0, bytes));
  ASSERT_TRUE(flash().erase_sector(sector));
  auto expected = bytes;
  std::fill_n(expected.begin() + sector, sector, std::uint8_t{0xFF});
  EXPECT_EQ(read(0, bytes.size()), expected);
}

TEST_P(FlashContract, AnEraseInsideASectorIsRefusedAndChangesNothing) {
  const auto bytes = counting(sector);
  ASSERT_TRUE(flash().write(0, bytes));
  EXPECT_EQ(flash().erase_sector(16).error().fault, Fault::flash_failed);
  EXPECT_EQ(read(0, sector), bytes);
}

TEST_P(FlashContract, TheLastByteOfTheChipCanBeReadAndWritten) {
  const std::uint32_t last = flash().size() - 1;
  ASSERT_TRUE(flash().erase_sector(flash().size() - sector));
  ASSERT_TRUE(flash().write(last, std::array<std::uint8_t, 1>{0x5A}));
  EXPECT_EQ(read(last, 1).front(), 0x5A);
}

TEST_P(FlashContract, NothingBehindTheEndCanBeTouched) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::uint32_t address : {flash().size() - 31,
                                flash().size(),
                                flash().size() + sector,
                                std::numeric_limits<std::uint32_t>::max() - 15}) {
    SCOPED_TRACE(testing::Message() << "address " << address);
    EXPECT_EQ(flash().read(address, bytes).error().fault, Fault::flash_failed);
    EXPECT_EQ(flash().write(address, bytes).error().fault, Fault::flash_failed);
  }
  EXPECT_EQ(flash().erase_sector(flash().size()).error().fault, Fault::flash_failed);
  EXPECT_EQ(flash().erase_sector(0xFFFFF000u).error().fault, Fault::flash_failed);
}

TEST_P(FlashContract, AnErrorNamesTheAddress) {
  std::array<std::uint8_t, 4> bytes{};
  EXPECT_EQ(flash().read(flash().size(), bytes).error().expected, flash().size());
}

TEST_P(FlashContract, NothingIsAskedOfAnEmptyWriteOrRead) {
  EXPECT_TRUE(flash().write(0, {}));
  EXPECT_TRUE(flash().read(0, {}));
  EXPECT_EQ(read(0, sector), std::vector<std::uint8_t>(sector, 0xFF));
}

inline std::string name_of_flash_maker(const testing::TestParamInfo<FlashMaker>& info) {
  return info.param.name;
}

}  // namespace otaria::device
