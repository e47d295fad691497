#include "device/download/slot_writer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

constexpr std::uint32_t sector = Flash::sector_bytes;
constexpr std::uint32_t slot = 4 * sector;
constexpr std::uint32_t held = SlotWriter::held_bytes;

std::vector<std::uint8_t> image_of(std::uint32_t bytes) {
  std::vector<std::uint8_t> image(bytes);
  std::mt19937 random{bytes};
  for (std::uint8_t& byte : image) byte = static_cast<std::uint8_t>(random());
  return image;
}

/// The loop of the agent, for pieces of this length. Stops when a block does not get into flash.
Status write_all(SlotWriter& writer, std::span<const std::uint8_t> bytes, std::size_t piece) {
  while (!bytes.empty()) {
    std::span<const std::uint8_t> next = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(next.size());
    while (!next.empty()) {
      const std::uint32_t taken = writer.fill(next);
      next = next.subspan(taken);
      if (writer.ready()) {
        if (auto done = writer.flush(); !done) return done;
        writer.advance();
      } else if (taken == 0) {
        return Error{Fault::too_large};
      }
    }
  }
  return {};
}

std::vector<std::uint8_t> slot_content(FakeFlash& flash, std::uint32_t bytes) {
  return {flash.cells().begin() + slot, flash.cells().begin() + slot + bytes};
}

FakeFlash used_flash() {
  FakeFlash flash{16 * sector};
  std::ranges::fill(flash.cells(), std::uint8_t{0x5A});  // an older image, and the neighbours
  return flash;
}

TEST(SlotWriter, WritesAnImageOfAnyLengthInPiecesOfAnyLengthButItsFirst32Bytes) {
  for (const std::uint32_t bytes :
       {1U, 31U, 32U, 33U, 511U, 512U, 513U, 4096U, 4112U, 3 * sector}) {
    for (const std::size_t piece : {std::size_t{1},
                                    std::size_t{7},
                                    std::size_t{512},
                                    std::size_t{1400},
                                    std::size_t{100000}}) {
      SCOPED_TRACE(::testing::Message() << bytes << " bytes in pieces of " << piece);
      FakeFlash flash = used_flash();
      const auto image = image_of(bytes);
      SlotWriter writer{flash};
      writer.start(slot, 0, bytes);
      ASSERT_TRUE(write_all(writer, image, piece));
      EXPECT_TRUE(writer.complete());
      auto expected = image;
      std::fill_n(expected.begin(), std::min(bytes, held), std::uint8_t{0xFF});
      EXPECT_EQ(slot_content(flash, bytes), expected);
      EXPECT_FALSE(flash.rule_broken());
    }
  }
}

TEST(SlotWriter, TouchesNothingOutsideItsSectors) {
  FakeFlash flash = used_flash();
  SlotWriter writer{flash};
  writer.start(slot, 0, 2 * sector);
  ASSERT_TRUE(write_all(writer, image_of(2 * sector), 512));
  EXPECT_EQ(flash.cells()[slot - 1], 0x5A);
  EXPECT_EQ(flash.cells()[slot + 2 * sector], 0x5A);
  EXPECT_EQ(flash.erases(), 2U);
}

TEST(SlotWriter, ErasesASectorOnlyWhenItsFirstBlockIsThere) {
  FakeFlash flash = used_flash();
  SlotWriter writer{flash};
  writer.start(slot, 0, 2 * sector);
  const auto image = image_of(2 * sector);
  ASSERT_TRUE(write_all(writer, std::span{image}.first(511), 511));
  EXPECT_EQ(flash.operations(), 0U);
  ASSERT_TRUE(write_all(writer, std::span{image}.subspan(511, sector - 511), 512));
  EXPECT_EQ(flash.erases(), 1U);
}

TEST(SlotWriter, TakesNothingBeyondTheEnd) {
  FakeFlash flash = used_flash();
  SlotWriter writer{flash};
  writer.start(slot, 0, 600);
  EXPECT_EQ(write_all(writer, image_of(601), 601).error().fault, Fault::too_large);
  EXPECT_EQ(writer.written(), 600U);
  EXPECT_EQ(slot_content(flash, 601).back(), 0xFF);  // erased with its sector, not written
}

TEST(SlotWriter, WritesTheHeadLastAndOnlyThenTheSlotIsTheImage) {
  FakeFlash flash = used_flash();
  const auto image = image_of(1000);
  SlotWriter writer{flash};
  writer.start(slot, 0, 1000);
  ASSERT_TRUE(write_all(writer, image, 333));
  EXPECT_NE(slot_content(flash, 1000), image);
  std::array<std::uint8_t, held> head{};
  std::copy_n(image.begin(), held, head.begin());
  ASSERT_TRUE(writer.write_head(head));
  EXPECT_EQ(slot_content(flash, 1000), image);
}

TEST(SlotWriter, GivesBackTheBlockAsItLiesInFlashWithTheHeldBytesAsTheyCame) {
  FakeFlash flash = used_flash();
  const auto image = image_of(512);
  SlotWriter writer{flash};
  writer.start(slot, 0, 512);
  ASSERT_EQ(writer.fill(image), 512U);
  ASSERT_TRUE(writer.flush());
  EXPECT_TRUE(std::ranges::equal(writer.block(), image));
}

TEST(SlotWriter, ResumesAtASectorAndErasesItAgain) {
  FakeFlash flash = used_flash();
  const auto image = image_of(3 * sector);
  {
    SlotWriter writer{flash};
    writer.start(slot, 0, 3 * sector);
    ASSERT_TRUE(write_all(writer, std::span{image}.first(sector + 1024), 512));
  }
  SlotWriter writer{flash};
  writer.start(slot, sector, 3 * sector);
  ASSERT_TRUE(write_all(writer, std::span{image}.subspan(sector), 512));
  auto expected = image;
  std::fill_n(expected.begin(), held, std::uint8_t{0xFF});
  EXPECT_EQ(slot_content(flash, 3 * sector), expected);
  EXPECT_FALSE(flash.rule_broken());
}

TEST(SlotWriter, GoesOnWhereItStoppedAfterAPartOfABlockWasDropped) {
  FakeFlash flash = used_flash();
  const auto image = image_of(2000);
  SlotWriter writer{flash};
  writer.start(slot, 0, 2000);
  ASSERT_TRUE(write_all(writer, std::span{image}.first(700), 700));
  writer.drop_partial();
  EXPECT_EQ(writer.written(), 512U);
  ASSERT_TRUE(write_all(writer, std::span{image}.subspan(512), 100));
  auto expected = image;
  std::fill_n(expected.begin(), held, std::uint8_t{0xFF});
  EXPECT_EQ(slot_content(flash, 2000), expected);
  EXPECT_EQ(flash.erases(), 1U);
}

TEST(SlotWriter, HandsOnTheDriversErrorWhicheverOperationFails) {
  for (std::uint64_t cut = 0; cut < 4; ++cut) {
    SCOPED_TRACE(cut);
    FakeFlash flash = used_flash();
    SlotWriter writer{flash};
    writer.start(slot, 0, 1024);
    const std::uint64_t operations = 3;  // one erase, two blocks
    flash.cut_after(cut);
    EXPECT_EQ(static_cast<bool>(write_all(writer, image_of(1024), 512)), cut >= operations);
  }
}

/// A flash that takes every write and loses one bit of it.
class ForgetfulFlash final : public Flash {
 public:
  explicit ForgetfulFlash(std::uint32_t lost_at) : lost_at_{lost_at} {}
  Status read(std::uint32_t address, std::span<std::uint8_t> into) override {
    return cells_.read(address, into);
  }
  Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) override {
    auto done = cells_.write(address, bytes);
    if (address <= lost_at_ && lost_at_ < address + bytes.size()) {
      std::uint8_t& cell = cells_.cells()[lost_at_];
      cell = static_cast<std::uint8_t>(cell ^ 1U);
    }
    return done;
  }
  Status erase_sector(std::uint32_t address) override { return cells_.erase_sector(address); }
  [[nodiscard]] std::uint32_t size() const override { return cells_.size(); }

 private:
  FakeFlash cells_{16 * sector};
  std::uint32_t lost_at_;
};

TEST(SlotWriter, NoticesABlockThatDoesNotReadBackWhereverItIsWrong) {
  for (std::uint32_t at = held; at < 512; ++at) {
    ForgetfulFlash flash{slot + at};
    SlotWriter writer{flash};
    writer.start(slot, 0, 512);
    const Status done = write_all(writer, image_of(512), 512);
    ASSERT_EQ(done.error().fault, Fault::flash_failed) << at;
    EXPECT_EQ(done.error().expected, slot + at / held * held);
  }
}

TEST(SlotWriter, NoticesAHeadThatDoesNotReadBack) {
  ForgetfulFlash flash{slot + 31};
  SlotWriter writer{flash};
  writer.start(slot, 0, 512);
  EXPECT_EQ(writer.write_head(std::array<std::uint8_t, held>{}).error().fault, Fault::flash_failed);
}

TEST(SlotWriter, WritesInCellsOf32BytesAsEncryptedFlashAsks) {
  class Aligned final : public Flash {
   public:
    Status read(std::uint32_t address, std::span<std::uint8_t> into) override {
      return cells.read(address, into);
    }
    Status write(std::uint32_t address, std::span<const std::uint8_t> bytes) override {
      if (!bytes.empty() && (address % 32 != 0 || bytes.size() % 16 != 0)) ++misaligned;
      return cells.write(address, bytes);
    }
    Status erase_sector(std::uint32_t address) override { return cells.erase_sector(address); }
    [[nodiscard]] std::uint32_t size() const override { return cells.size(); }
    FakeFlash cells{16 * sector};
    int misaligned = 0;
  };
  Aligned flash;
  SlotWriter writer{flash};
  writer.start(slot, 0, sector + 48);  // images end at a multiple of 16
  ASSERT_TRUE(write_all(writer, image_of(sector + 48), 333));
  EXPECT_EQ(flash.misaligned, 0);
}

}  // namespace
}  // namespace otaria::device
