#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "device/slot/stock_tables.hpp"

namespace otaria::device {
namespace {

constexpr std::uint32_t flash_8mb = 0x800000;

std::string broken_rule(const std::vector<Partition>& entries,
                        std::uint32_t flash_bytes = flash_8mb) {
  return std::string{name_of(check_table(entries, default_table_offset, flash_bytes).defect)};
}

TEST(TableRules, AreKeptByEveryStockTable) {
  for (const auto& entries : {stock_two_ota(), stock_two_ota_large(), otaria_8mb()}) {
    EXPECT_EQ(broken_rule(entries), "none");
  }
  EXPECT_EQ(broken_rule(otaria_4mb(), 0x400000), "none");
}

TEST(TableRules, AreNamedWhenBroken) {
  using Entries = std::vector<Partition>;
  struct Case {
    const char* rule;
    std::function<void(Entries&)> change;
  };
  const Case cases[] = {
      // clang-format off
      {"misaligned_offset",    [](Entries& e) { e[2].offset = 0x11000; }},
      {"misaligned_offset",    [](Entries& e) { e[0].offset = 0x9100; }},
      {"misaligned_size",      [](Entries& e) { e[2].bytes = 0x32F800; }},
      {"zero_size",            [](Entries& e) { e[0].bytes = 0; }},
      {"below_table",          [](Entries& e) { e[0].offset = 0x8000; }},
      {"out_of_flash",         [](Entries& e) { e[5].bytes = 0x200000; }},
      {"overlap",              [](Entries& e) { e[1].offset = 0xD000; }},
      {"duplicate_label",      [](Entries& e) { e[3].label.assign("ota_0"); }},
      {"duplicate_otadata",    [](Entries& e) { e.push_back(partition("again", 1, 0, 0x700000, 0x2000)); }},
      {"otadata_size",         [](Entries& e) { e[1].bytes = 0x1000; }},
      {"otadata_size",         [](Entries& e) { e[1].bytes = 0x3000; }},
      {"nvs_too_small",        [](Entries& e) { e[0].bytes = 0x2000; }},
      {"readonly_not_allowed", [](Entries& e) { e[1].flags = Partition::flag_readonly; }},
      {"readonly_not_allowed", [](Entries& e) {
         e.push_back(partition("dump", 1, 3, 0x700000, 0x10000));
         e.back().flags = Partition::flag_readonly;
       }},
      {"empty",                [](Entries& e) { e.clear(); }},
      {"too_many",             [](Entries& e) { e.resize(95, e[0]); }},
      // clang-format on
  };
  for (const Case& c : cases) {
    Entries entries = otaria_8mb();
    c.change(entries);
    EXPECT_EQ(broken_rule(entries), c.rule);
  }
}

TEST(TableRules, LetAReadonlyNvsBeSmall) {
  auto entries = otaria_8mb();
  entries[0].bytes = 0x1000;
  entries[0].flags = Partition::flag_readonly;
  EXPECT_EQ(broken_rule(entries), "none");
}

TEST(TableRules, LetTheBootloaderAndTheTableLieBelow) {
  auto entries = otaria_8mb();
  entries.push_back(partition("boot", 2, 0, 0, 0x8000));
  entries.push_back(partition("table", 3, 0, 0x8000, 0x1000));
  EXPECT_EQ(broken_rule(entries), "none");
}

TEST(TableRules, DoNotFallForAnEndThatOverflows) {
  auto entries = otaria_8mb();
  entries.push_back(partition("far", 1, 0x82, 0xFFFFF000, 0x2000));
  EXPECT_EQ(broken_rule(entries), "out_of_flash");
}

TEST(TableRules, NameBothPartitionsOfAnOverlap) {
  auto entries = otaria_8mb();
  entries[3].offset = 0x320000;
  const TableVerdict verdict = check_table(entries, default_table_offset, flash_8mb);
  EXPECT_EQ(verdict.defect, TableDefect::overlap);
  EXPECT_EQ(verdict.index, 3U);
  EXPECT_EQ(verdict.expected, 2U);
}

}  // namespace
}  // namespace otaria::device
