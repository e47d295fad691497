#include "simulator/chip/boot.hpp"

#include <gmock/gmock.h>

#include "device/verify/golden_image.hpp"
#include "simulator/chip/provision.hpp"
#include "simulator/chip/stock_layouts.hpp"

namespace otaria::simulator {
namespace {

using device::BootRecord;
using device::BootRecordPair;
using device::BootState;
using device::make_boot_record;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t sector = VirtualFlash::sector_bytes;

/// An 8 MB chip, freshly provisioned with the golden image, with means to arrange it.
class BootTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(device::init_crypto()); }
  void SetUp() override {
    provision(flash_,
              device::golden_image(),
              {make_identity({.development = true}, flash_.size(), 1), ""});
    layout_ = device::read_layout(flash_).layout;
  }
  void put_image(std::uint32_t slot) {
    ASSERT_TRUE(flash_.write(layout_.slot[slot].base, device::golden_image()));
  }
  void damage_image(std::uint32_t slot) {
    ASSERT_TRUE(flash_.write(layout_.slot[slot].base + 0x130, std::array<std::uint8_t, 4>{}));
  }
  void put_records(const BootRecord& first, const BootRecord& second) {
    ASSERT_TRUE(device::write_boot_record(flash_, layout_.otadata.base, {0, first}));
    ASSERT_TRUE(device::write_boot_record(flash_, layout_.otadata.base, {1, second}));
  }
  BootRecordPair records() {
    return device::read_boot_records(flash_, layout_.otadata.base).value();
  }

  VirtualFlash flash_ = VirtualFlash::in_memory(8 * VirtualFlash::megabyte);
  device::Layout layout_;
};

TEST_F(BootTest, AFreshChipStartsOta0AndWritesItsFirstRecord) {
  const BootReport report = boot(flash_);
  EXPECT_EQ(report.outcome, BootOutcome::started);
  EXPECT_EQ(report.slot, 0u);
  EXPECT_FALSE(report.on_trial);
  EXPECT_EQ(records()[0], make_boot_record(1, BootState::valid));
  EXPECT_EQ(records()[1], BootRecord{});
  EXPECT_THAT(boot(flash_).writes, IsEmpty()) << "the second start has nothing to write";
}

TEST_F(BootTest, ASelectedImageStartsOnTrial) {
  put_image(1);
  put_records(make_boot_record(1, BootState::valid), make_boot_record(2, BootState::fresh));
  const BootReport report = boot(flash_);
  EXPECT_EQ(report.slot, 1u);
  EXPECT_TRUE(report.on_trial);
  EXPECT_EQ(records()[1], make_boot_record(2, BootState::pending));
  EXPECT_THAT(describe(report), HasSubstr("ota_1 starts on trial"));
}

TEST_F(BootTest, ATrialThatWasNotConfirmedGoesBack) {
  put_image(1);
  put_records(make_boot_record(1, BootState::valid), make_boot_record(2, BootState::pending));
  const BootReport report = boot(flash_);
  EXPECT_EQ(report.slot, 0u);
  EXPECT_FALSE(report.on_trial);
  EXPECT_EQ(records()[1], make_boot_record(2, BootState::aborted));
}

TEST_F(BootTest, AConfirmedImageStaysWithoutAnyWrite) {
  put_image(1);
  put_records(make_boot_record(1, BootState::valid), make_boot_record(2, BootState::valid));
  const BootReport report = boot(flash_);
  EXPECT_EQ(report.slot, 1u);
  EXPECT_THAT(report.writes, IsEmpty());
}

TEST_F(BootTest, ADamagedSelectedImageFallsBackAndTheReportNamesTheDefect) {
  put_image(1);
  damage_image(1);
  put_records(make_boot_record(1, BootState::valid), make_boot_record(2, BootState::fresh));
  const BootReport report = boot(flash_);
  EXPECT_EQ(report.outcome, BootOutcome::started);
  EXPECT_EQ(report.slot, 0u);
  EXPECT_TRUE(report.fell_back);
  EXPECT_FALSE(report.on_trial) << "the bootloader watches ota_1, which does not run";
  ASSERT_THAT(report.refused, SizeIs(1));
  EXPECT_EQ(report.refused[0].verdict.defect, device::ImageDefect::bad_checksum);
}

TEST_F(BootTest, WithoutAnyWholeImageNothingBoots) {
  damage_image(0);
  EXPECT_EQ(boot(flash_).outcome, BootOutcome::no_bootable_image);
}

TEST_F(BootTest, AnErasedChipHasNoLayout) {
  auto blank = VirtualFlash::in_memory(8 * VirtualFlash::megabyte);
  const BootReport report = boot(blank);
  EXPECT_EQ(report.outcome, BootOutcome::no_layout);
  EXPECT_THAT(describe(report), HasSubstr("no partition table"));
}

TEST_F(BootTest, ACutInTheBootloadersWriteEndsTheStartAndTheNextOneStartsAWholeImage) {
  for (std::uint64_t cut = 1; cut <= 2; ++cut) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      SCOPED_TRACE(testing::Message() << "cut at operation " << cut << ", seed " << seed);
      auto flash = VirtualFlash::in_memory(8 * VirtualFlash::megabyte);
      provision(flash,
                device::golden_image(),
                {make_identity({.development = true}, flash.size(), 1), ""});
      ASSERT_TRUE(flash.write(layout_.slot[1].base, device::golden_image()));
      ASSERT_TRUE(device::write_boot_record(
          flash, layout_.otadata.base, {0, make_boot_record(1, BootState::valid)}));
      ASSERT_TRUE(device::write_boot_record(
          flash, layout_.otadata.base, {1, make_boot_record(2, BootState::fresh)}));
      flash.seed_tearing(seed);
      flash.cut_power_in(cut);
      EXPECT_EQ(boot(flash).outcome, BootOutcome::power_lost);
      flash.power_on();
      EXPECT_EQ(boot(flash).outcome, BootOutcome::started);
    }
  }
}

TEST(StockLayouts, KeepTheRulesOfThePartitionTableForEverySize) {
  for (std::uint32_t megabytes : {4u, 8u, 16u}) {
    const std::uint32_t bytes = megabytes * VirtualFlash::megabyte;
    const auto layout = stock_layout(bytes);
    ASSERT_TRUE(layout);
    const auto verdict = device::check_table(*layout, device::default_table_offset, bytes);
    EXPECT_TRUE(verdict) << megabytes << " MB: " << device::name_of(verdict.defect);
    EXPECT_TRUE(device::find_layout(*layout)) << megabytes << " MB";
  }
  EXPECT_FALSE(stock_layout(2 * VirtualFlash::megabyte));
}

TEST(StockLayouts, The8MbLayoutIsThatOfTheDesign) {
  const device::Layout layout =
      device::find_layout(*stock_layout(8 * VirtualFlash::megabyte)).layout;
  EXPECT_EQ(layout.nvs, (device::Region{0x9000, 0x5000}));
  EXPECT_EQ(layout.otadata, (device::Region{0xE000, 2 * sector}));
  EXPECT_EQ(layout.slot[0], (device::Region{0x10000, 0x330000}));
  EXPECT_EQ(layout.slot[1], (device::Region{0x340000, 0x330000}));
  EXPECT_EQ(layout.journal, (device::Region{0x670000, 0x8000}));
  EXPECT_EQ(layout.keys, (device::Region{0x678000, 0x8000}));
}

}  // namespace
}  // namespace otaria::simulator
