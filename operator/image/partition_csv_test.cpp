#include "operator/image/partition_csv.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "device/slot/stock_tables.hpp"
#include "device/verify/sha256.hpp"
#include "operator/image/image_report.hpp"

namespace otaria::image {
namespace {

using device::Partition;
using Entries = std::vector<Partition>;

Entries parsed(std::string_view csv, const CsvOptions& options = {}) {
  auto result = parse_partition_csv(csv, options);
  if (const auto* error = std::get_if<CsvError>(&result)) {
    ADD_FAILURE() << "line " << error->line << ": " << error->code << ": " << error->detail;
    return {};
  }
  return std::get<Entries>(result);
}

std::string error_of(std::string_view csv, const CsvOptions& options = {}) {
  auto result = parse_partition_csv(csv, options);
  if (const auto* error = std::get_if<CsvError>(&result))
    return std::to_string(error->line) + " " + error->code;
  return "none";
}

// The two files as ESP-IDF ships them in components/partition_table.
constexpr std::string_view two_ota_csv = R"(# Name,   Type, SubType, Offset,  Size, Flags
# Note: if you have increased the bootloader size, make sure to update the offsets to avoid overlap
nvs,      data, nvs,     ,        0x4000,
otadata,  data, ota,     ,        0x2000,
phy_init, data, phy,     ,        0x1000,
factory,  app,  factory, ,        1M,
ota_0,    app,  ota_0,   ,        1M,
ota_1,    app,  ota_1,   ,        1M,
)";

TEST(PartitionCsv, GivesTheStockTables) {
  EXPECT_EQ(parsed(two_ota_csv), device::stock_two_ota());
  EXPECT_EQ(parsed("nvs, data, nvs, , 0x6000,\notadata, data, ota, , 0x2000,\nphy_init, data, phy, "
                   ", 0x1000,\n"
                   "ota_0, app, ota_0, , 1700K,\nota_1, app, ota_1, , 1700K,\n"),
            device::stock_two_ota_large());
}

TEST(PartitionCsv, BecomesTheGoldenBinary) {
  ASSERT_TRUE(device::init_crypto());
  std::array<std::uint8_t, device::table_bytes> bytes;
  ASSERT_TRUE(device::write_partition_table(parsed(two_ota_csv), bytes));
  EXPECT_EQ(hex_text(device::sha256_of(bytes)),
            "d1c0e9d02fa9d26cd2e1984e7b5dd20157204f501ddc83ce82229e5f3175ee8b");
}

TEST(PartitionCsv, IgnoresCommentsBlanksAndTheKindOfLineEnd) {
  const auto entries =
      parsed("# all\r\n\r\n   \n  nvs ,\tdata,nvs , 0x9000 , 16K , # here too\r\n# end");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0], device::partition("nvs", 1, 2, 0x9000, 0x4000));
}

TEST(PartitionCsv, UnderstandsEveryKindOfNumber) {
  struct Number {
    const char* text;
    std::uint32_t bytes;
  };
  for (const Number& n : {Number{"4096", 4096},
                          {"0x1000", 4096},
                          {"0X1000", 4096},
                          {"4K", 4096},
                          {"4k", 4096},
                          {"1M", 1048576},
                          {"0x1m", 1048576},
                          {"0o10000", 4096},
                          {"0b1000000000000", 4096}}) {
    const auto entries = parsed(std::string{"a, 0x40, 0, , "} + n.text);
    ASSERT_EQ(entries.size(), 1U) << n.text;
    EXPECT_EQ(entries[0].bytes, n.bytes) << n.text;
  }
}

TEST(PartitionCsv, TakesTypesAndSubtypesByNameInAnyCaseOrByNumber) {
  const auto entries =
      parsed("a, APP, OTA_15, , 64K\nb, 1, 0x82, , 4K\nc, 0x40, 1, , 4K\nd, data, , , 4K\n");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].subtype, 0x1F);
  EXPECT_EQ(entries[1].subtype, 0x82);
  EXPECT_EQ(entries[2].type, 0x40);
  EXPECT_EQ(entries[3].subtype, 0x06);  // no subtype of data: undefined
}

TEST(PartitionCsv, PlacesAnEntryWithoutOffsetAtTheNextAddressOfItsAlignment) {
  const auto entries = parsed("a, data, nvs, , 0x3000\nb, app, ota_0, , 64K\nc, data, phy, , 4K");
  EXPECT_EQ(entries[0].offset, 0x9000U);
  EXPECT_EQ(entries[1].offset, 0x10000U);
  EXPECT_EQ(entries[2].offset, 0x20000U);
  CsvOptions elsewhere;
  elsewhere.table_offset = 0x10000;
  EXPECT_EQ(parsed("a, data, nvs, , 0x3000", elsewhere)[0].offset, 0x11000U);
}

TEST(PartitionCsv, TakesANegativeSizeAsTheAddressOfTheEnd) {
  EXPECT_EQ(parsed("a, app, ota_0, 0x10000, -0x200000")[0].bytes, 0x1F0000U);
  EXPECT_EQ(error_of("a, app, ota_0, 0x20000, -0x10000"), "1 bad_size");
}

TEST(PartitionCsv, TakesFlagsJoinedByColons) {
  EXPECT_EQ(parsed("a, data, nvs, , 16K, encrypted:readonly")[0].flags, 3U);
  EXPECT_EQ(parsed("a, data, nvs, , 16K, readonly")[0].flags, 2U);
  EXPECT_EQ(parsed("a, data, nvs, , 16K, Encrypted:")[0].flags, 1U);
  EXPECT_EQ(error_of("a, data, nvs, , 16K, fast"), "1 bad_flag");
}

TEST(PartitionCsv, TakesVariablesFromTheEnvironment) {
  CsvOptions options;
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SIZE") return "16K";
    return std::nullopt;
  };
  EXPECT_EQ(parsed("a, data, nvs, , $SIZE", options)[0].bytes, 0x4000U);
  EXPECT_EQ(parsed("a, data, nvs, , ${SIZE},", options)[0].bytes, 0x4000U);
  EXPECT_EQ(error_of("\na, data, nvs, , $OTHER", options), "2 unknown_variable");
  EXPECT_EQ(error_of("a, data, nvs, , $", options), "1 bad_variable");
  EXPECT_EQ(error_of("a, data, nvs, , ${SIZE", options), "1 bad_variable");
  EXPECT_EQ(error_of("a, data, nvs, , $SIZE"), "1 unknown_variable");
}

TEST(PartitionCsv, FillsInThePlacesOfBootloaderAndTable) {
  const auto entries = parsed(
      "boot, bootloader, primary, N/A, N/A\ntable, partition_table, primary, ,\nnvs, data, nvs, , "
      "16K");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0], device::partition("boot", 2, 0, 0, 0x8000));
  EXPECT_EQ(entries[1], device::partition("table", 3, 0, 0x8000, 0x1000));
  EXPECT_EQ(entries[2].offset, 0x9000U);
}

TEST(PartitionCsv, NamesTheLineAndWhatIsWrongWithIt) {
  struct Case {
    const char* csv;
    const char* error;
  };
  constexpr Case cases[] = {
      // clang-format off
      {"",                                                                     "0 empty"},
      {"a",                                                                    "1 too_few_fields"},
      {"a, data, nvs, 0x9000",                                                 "1 too_few_fields"},
      {"a, data, nvs, , 16K, , 7",                                             "1 too_many_fields"},
      {"# c\na, , nvs, , 16K",                                                 "2 bad_type"},
      {"a, disk, nvs, , 16K",                                                  "1 bad_type"},
      {"a, 0x3F, 0, , 16K",                                                    "1 bad_type"},
      {"a, 0xFF, 0, , 16K",                                                    "1 bad_type"},
      {"a, app, , , 64K",                                                      "1 bad_subtype"},
      {"a, app, nvs, , 64K",                                                   "1 bad_subtype"},
      {"a, data, 256, , 64K",                                                  "1 bad_subtype"},
      {"a, data, nvs, here, 16K",                                              "1 bad_offset"},
      {"a, data, nvs, -4096, 16K",                                             "1 bad_offset"},
      {"a, data, nvs, ,",                                                      "1 bad_size"},
      {"a, data, nvs, , 16KB",                                                 "1 bad_size"},
      {"a, data, nvs, , 0x",                                                   "1 bad_size"},
      {"a, data, nvs, , 99999999999999999999",                                 "1 bad_size"},
      {"a, data, nvs, , 4294967295M",                                          "1 out_of_flash"},
      {"seventeen_letters, data, nvs, , 16K",                                  "1 label_too_long"},
      {"a, data, nvs, 0x8000, 16K",                                            "1 overlap"},
      {"a, data, nvs, , 16K\nb, data, phy, 0xC000, 4K",                        "2 overlap"},
      {"a, data, nvs, , 16K\na, data, phy, , 4K",                              "2 duplicate_label"},
      {"a, data, ota, , 0x2000\nb, data, ota, , 0x2000",                       "2 duplicate_otadata"},
      {"\n\na, data, ota, , 0x3000",                                           "3 otadata_size"},
      {"a, data, nvs, , 0x2000",                                               "1 nvs_too_small"},
      {"a, app, ota_0, 0x11000, 64K",                                          "1 misaligned_offset"},
      {"a, app, ota_0, , 65537",                                               "1 misaligned_size"},
      {"a, data, phy, , 0",                                                    "1 zero_size"},
      {"a, data, coredump, , 64K, readonly",                                   "1 readonly_not_allowed"},
      // clang-format on
  };
  for (const Case& c : cases) EXPECT_EQ(error_of(c.csv), c.error) << c.csv;
}

TEST(PartitionCsv, KnowsTheEndOfTheChip) {
  CsvOptions options;
  options.flash_bytes = 0x310000;
  EXPECT_EQ(error_of(two_ota_csv, options), "none");
  options.flash_bytes = 0x300000;
  EXPECT_EQ(error_of(two_ota_csv, options), "8 out_of_flash");
}

TEST(PartitionCsv, OfAnyTableParsesBackToTheSameEntries) {
  for (const auto& entries : {device::stock_two_ota(),
                              device::stock_two_ota_large(),
                              device::otaria_8mb(),
                              device::otaria_4mb()}) {
    EXPECT_EQ(parsed(print_partition_csv(entries)), entries);
  }
  EXPECT_TRUE(rc::check([] {
    Entries entries;
    std::uint32_t offset = 0x9000;
    const auto count = *rc::gen::inRange(1, 95);
    for (int i = 0; i < count; ++i) {
      Partition p = device::partition("p" + std::to_string(i), 0x40, 0, offset, 0);
      p.type = *rc::gen::inRange<std::uint8_t>(0x40, 0xFE);
      p.subtype = *rc::gen::inRange<std::uint8_t>(0, 0xFE);
      p.bytes = *rc::gen::inRange<std::uint32_t>(1, 0x20000);
      p.flags = *rc::gen::inRange<std::uint32_t>(0, 4);
      entries.push_back(p);
      offset = (offset + p.bytes + 0xFFF) & ~0xFFFU;
    }
    RC_ASSERT(std::get<Entries>(parse_partition_csv(print_partition_csv(entries))) == entries);
  }));
}

TEST(PartitionCsv, SurvivesAnyText) {
  EXPECT_TRUE(rc::check(
      [](const std::string& noise) { (void)parse_partition_csv("a, data, nvs, , " + noise); }));
  EXPECT_TRUE(rc::check([](const std::string& noise) { (void)parse_partition_csv(noise); }));
}

}  // namespace
}  // namespace otaria::image
