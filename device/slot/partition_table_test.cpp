#include "device/slot/partition_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "device/ports/fake_flash.hpp"
#include "device/slot/stock_tables.hpp"
#include "device/verify/sha256.hpp"

namespace otaria::device {
namespace {

using TableBytes = std::array<std::uint8_t, table_bytes>;

TableBytes written(std::span<const Partition> entries) {
  TableBytes bytes;
  EXPECT_TRUE(write_partition_table(entries, bytes));
  return bytes;
}

std::string defect_of(std::span<const std::uint8_t> bytes, std::uint32_t flash_bytes = 0) {
  PartitionTable table;
  return std::string{name_of(read_partition_table(bytes, flash_bytes, table).defect)};
}

std::string sha256_hex(std::span<const std::uint8_t> bytes) {
  const auto text = contract::hex_of(sha256_of(bytes));
  return {text.data(), text.size()};
}

class PartitionTableTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(init_crypto()); }
};

TEST_F(PartitionTableTest, IsByteForByteWhatGenEsp32partWrites) {
  const TableBytes two_ota = written(stock_two_ota());
  EXPECT_EQ(sha256_hex(two_ota),
            "d1c0e9d02fa9d26cd2e1984e7b5dd20157204f501ddc83ce82229e5f3175ee8b");
  constexpr std::uint8_t md5[] = {0xBF,
                                  0x25,
                                  0x82,
                                  0x2C,
                                  0x0F,
                                  0xA6,
                                  0xD8,
                                  0x64,
                                  0x1B,
                                  0xD9,
                                  0x30,
                                  0x25,
                                  0x1E,
                                  0x06,
                                  0xB4,
                                  0xC4};
  EXPECT_TRUE(std::equal(std::begin(md5), std::end(md5), two_ota.begin() + 0xD0));
  EXPECT_EQ(sha256_hex(written(stock_two_ota_large())),
            "41d8ef7960bf03647249e26ca1ace2b8d35f317a87f6c2ff5bc9f4bdbdbf602b");
}

TEST_F(PartitionTableTest, ReadsBackWhatWasWritten) {
  for (const auto& entries : {stock_two_ota(), stock_two_ota_large(), otaria_8mb()}) {
    PartitionTable table;
    ASSERT_TRUE(read_partition_table(written(entries), 0x800000, table));
    EXPECT_TRUE(
        std::equal(entries.begin(), entries.end(), table.entries().begin(), table.entries().end()));
  }
}

TEST_F(PartitionTableTest, ReadsTheSameFromFlash) {
  FakeFlash flash{0x800000};
  ASSERT_TRUE(flash.write(default_table_offset, written(otaria_8mb())));
  struct Counter final : PartitionVisitor {
    void visit(const Partition&) override { ++count; }
    std::size_t count = 0;
  } counter;
  const auto walked = walk_partition_table(flash, default_table_offset, counter);
  ASSERT_TRUE(walked);
  EXPECT_TRUE(walked.value());
  EXPECT_EQ(counter.count, otaria_8mb().size());
  EXPECT_EQ(flash.bytes_read(), (counter.count + 2) * table_record_bytes);
}

TEST_F(PartitionTableTest, KeepsALabelOfSixteenCharactersAndTheFlags) {
  Partition partition{1, 0x82, 0x10000, 0x1000, {}, 3};
  ASSERT_TRUE(partition.label.assign("sixteen_letters!"));
  PartitionTable table;
  ASSERT_TRUE(read_partition_table(written({&partition, 1}), 0, table));
  EXPECT_EQ(table.entries()[0], partition);
}

TEST_F(PartitionTableTest, WithAnyBitOfItsRecordsChangedIsRefused) {
  const TableBytes golden = written(stock_two_ota());
  for (std::size_t at = 0; at < std::size_t{7} * table_record_bytes; ++at) {
    if (at >= 0xC2 && at < 0xD0)
      continue;  // the 14 filler bytes of the MD5 record: not covered, as in ESP-IDF
    for (int bit = 0; bit < 8; ++bit) {
      TableBytes bytes = golden;
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ 1 << bit);
      ASSERT_NE(defect_of(bytes), "none") << "byte " << at << ", bit " << bit;
    }
  }
}

TEST_F(PartitionTableTest, NamesWhatIsWrong) {
  const TableBytes golden = written(stock_two_ota());
  TableBytes bytes = golden;
  bytes[0x20] = 0xAB;
  EXPECT_EQ(defect_of(bytes), "bad_magic");
  bytes = golden;
  bytes[0xD5] ^= 1;
  EXPECT_EQ(defect_of(bytes), "bad_md5");
  bytes = golden;
  std::fill_n(bytes.begin() + 0xC0, 32, std::uint8_t{0xFF});
  EXPECT_EQ(defect_of(bytes), "no_md5");
  bytes = golden;
  std::copy_n(golden.begin(), 32, bytes.begin() + 0xE0);
  EXPECT_EQ(defect_of(bytes), "after_md5");
  bytes = golden;
  std::copy_n(golden.begin() + 0xC0, 32, bytes.begin() + 0xE0);
  EXPECT_EQ(defect_of(bytes), "after_md5");
  EXPECT_EQ(defect_of(std::span{golden}.first(0xE0)), "unterminated");
  EXPECT_EQ(defect_of(std::span{golden}.first(0x21)), "unterminated");
  EXPECT_EQ(defect_of({}), "unterminated");
  bytes.fill(0xFF);
  EXPECT_EQ(defect_of(bytes), "empty");
  std::copy_n(golden.begin() + 0xC0, 32, bytes.begin());
  EXPECT_EQ(defect_of(bytes), "empty");
  EXPECT_EQ(defect_of(golden, 0x310000), "none");
  EXPECT_EQ(defect_of(golden, 0x30FFFF), "out_of_flash");
}

TEST_F(PartitionTableTest, DoesNotFallForAnEndThatOverflows) {
  Partition partition{1, 0x82, 0xFFFFF000, 0x2000, {}, 0};
  EXPECT_EQ(defect_of(written({&partition, 1}), 0x800000), "out_of_flash");
}

TEST_F(PartitionTableTest, HoldsAtMostNinetyFourEntries) {
  std::vector<Partition> entries(max_partitions, Partition{1, 0x82, 0x10000, 0x1000, {}, 0});
  ASSERT_EQ(entries.size(), 94U);
  PartitionTable table;
  EXPECT_TRUE(read_partition_table(written(entries), 0, table));
  EXPECT_EQ(table.entries().size(), 94U);
  EXPECT_FALSE(table.add(entries[0]));
  entries.push_back(entries[0]);
  TableBytes bytes;
  EXPECT_EQ(write_partition_table(entries, bytes).defect, TableDefect::too_many);
}

TEST_F(PartitionTableTest, SurvivesAnyBytes) {
  EXPECT_TRUE(rc::check([](std::vector<std::uint8_t> noise) {
    PartitionTable table;
    RC_ASSERT(!read_partition_table(noise, 0x800000, table));
  }));
}

TEST_F(PartitionTableTest, PassesTheDriversErrorOn) {
  FakeFlash flash{0x800000};
  flash.fail_reads(true);
  struct Ignore final : PartitionVisitor {
    void visit(const Partition&) override {}
  } ignore;
  const auto walked = walk_partition_table(flash, default_table_offset, ignore);
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().fault, Fault::flash_failed);
}

}  // namespace
}  // namespace otaria::device
