#include "device/slot/layout.hpp"

#include <gtest/gtest.h>

#include "device/ports/fake_flash.hpp"
#include "device/slot/stock_tables.hpp"
#include "device/verify/sha256.hpp"

namespace otaria::device {
namespace {

FakeFlash flash_with(const std::vector<Partition>& entries) {
  FakeFlash flash{0x800000};
  std::array<std::uint8_t, table_bytes> bytes;
  EXPECT_TRUE(init_crypto());
  EXPECT_TRUE(write_partition_table(entries, bytes));
  EXPECT_TRUE(flash.write(default_table_offset, bytes));
  return flash;
}

TEST(Layout, OfADefaultTableNamesEveryPartOfIt) {
  FakeFlash flash = flash_with(otaria_8mb());
  const LayoutReading reading = read_layout(flash);
  ASSERT_TRUE(reading);
  const Layout& layout = reading.layout;
  EXPECT_EQ(layout.otadata, (Region{0xE000, 0x2000}));
  EXPECT_EQ(layout.journal, (Region{0x670000, 0x8000}));
  EXPECT_EQ(layout.keys, (Region{0x678000, 0x8000}));
  EXPECT_EQ(layout.nvs, (Region{0x9000, 0x5000}));
  EXPECT_FALSE(layout.factory);
  ASSERT_EQ(layout.slots().size(), 2U);
  EXPECT_EQ(layout.slots()[0], (Region{0x10000, 0x330000}));
  EXPECT_EQ(layout.slots()[1], (Region{0x340000, 0x330000}));
}

TEST(Layout, FindsByTypeAndSubtypeInAnyOrderAndPlace) {
  auto entries = otaria_4mb();
  std::reverse(entries.begin(), entries.end());
  entries[0].label.assign("nothing_known");
  const LayoutReading reading = find_layout(entries);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading.layout.slots()[1], (Region{0x210000, 0x1F0000}));
  EXPECT_EQ(reading.layout.journal, (Region{0x10000, 0x8000}));
}

TEST(Layout, DoesWithoutKeysAndNvs) {
  auto entries = otaria_8mb();
  std::erase_if(entries,
                [](const Partition& p) { return p.label == "otaria_keys" || p.label == "nvs"; });
  const LayoutReading reading = find_layout(entries);
  EXPECT_TRUE(reading);
  EXPECT_FALSE(reading.layout.keys);
  EXPECT_FALSE(reading.layout.nvs);
}

TEST(Layout, NamesWhatIsMissing) {
  const auto defect_without = [](std::string_view label) {
    auto entries = otaria_8mb();
    std::erase_if(entries, [&](const Partition& p) { return p.label == label; });
    return name_of(find_layout(entries).defect);
  };
  EXPECT_EQ(defect_without("otadata"), "no_otadata");
  EXPECT_EQ(defect_without("otaria"), "no_journal");
  EXPECT_EQ(defect_without("ota_1"), "too_few_slots");
  EXPECT_EQ(defect_without("ota_0"), "slot_gap");
  auto entries = otaria_8mb();
  entries[1].bytes = 0x1000;
  EXPECT_EQ(find_layout(entries).defect, LayoutDefect::otadata_too_small);
}

TEST(Layout, CountsSixteenSlots) {
  auto entries = otaria_8mb();
  for (std::uint8_t i = 2; i < 16; ++i) {
    entries.push_back(
        partition("", 0, static_cast<std::uint8_t>(0x10 + i), 0x700000U + i * 0x10000U, 0x10000));
  }
  EXPECT_EQ(find_layout(entries).layout.slot_count, 16U);
}

TEST(Layout, IsNotTakenFromABrokenTable) {
  FakeFlash flash = flash_with(otaria_8mb());
  flash.cells()[default_table_offset + 5] ^= 1;
  const LayoutReading reading = read_layout(flash);
  EXPECT_EQ(reading.defect, LayoutDefect::bad_table);
  EXPECT_EQ(reading.table.defect, TableDefect::bad_md5);
}

TEST(Layout, TellsThatTheFlashCannotBeRead) {
  FakeFlash flash = flash_with(otaria_8mb());
  flash.fail_reads(true);
  const LayoutReading reading = read_layout(flash);
  EXPECT_EQ(reading.defect, LayoutDefect::unreadable);
  EXPECT_EQ(reading.flash.fault, Fault::flash_failed);
}

}  // namespace
}  // namespace otaria::device
