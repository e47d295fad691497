#include "server/identity/import_list.hpp"

#include <gtest/gtest.h>

#include "server/identity/testing/signing_device.hpp"

namespace otaria::server {
namespace {

std::string key() {
  return testing::SigningDevice{"a4cf12e0a1b2"}.pub();
}

TEST(ImportList, ReadsColumnsInAnyOrderQuotesAndBothLineEnds) {
  const auto list = read_import_csv(
      "\xEF\xBB\xBFmac,id,public_key,hardware\r\n"
      "a4cf12e0a1b2, sensor_A1B2 ,K1,esp32s3-8mb\r\n"
      "\r\n"
      "\"000000000001\",,\"K\"\"2\",\n"
      "000000000002,x,K3,y");
  ASSERT_TRUE(list.errors.empty()) << list.errors[0].detail;
  ASSERT_EQ(list.rows.size(), 3u);
  EXPECT_EQ(list.rows[0].id, "sensor_A1B2");
  EXPECT_EQ(list.rows[0].hardware, "esp32s3-8mb");
  EXPECT_EQ(list.rows[1].public_key, "K\"2");
  EXPECT_EQ(list.rows[1].line, 4u);
  EXPECT_EQ(list.rows[2].line, 5u);
}

struct Broken {
  const char* text;
  std::size_t line;
};

TEST(ImportList, SaysWhichLineOfACsvIsBroken) {
  for (const Broken& broken : {Broken{"", 1},
                               Broken{"id,mac\nx,a4cf12e0a1b2\n", 1},
                               Broken{"id,mac,mac,public_key\n", 1},
                               Broken{"id,mac,public_key,colour\n", 1},
                               Broken{"mac,public_key\na,b\na,b,c\n", 3},
                               Broken{"mac,public_key\n\"a,b\n", 2},
                               Broken{"mac,public_key\n\"a\"x,b\n", 2},
                               Broken{"mac,public_key\na\"x,b\n", 2}}) {
    const auto list = read_import_csv(broken.text);
    ASSERT_FALSE(list.errors.empty()) << broken.text;
    EXPECT_EQ(list.errors[0].line, broken.line) << broken.text;
    EXPECT_EQ(list.errors[0].code, "bad_row");
  }
}

TEST(ImportList, ReadsJsonAsAnArrayOrBelowDevices) {
  const std::string item = R"({"mac":"a4cf12e0a1b2","public_key":"K","product":null,"more":[1]})";
  for (const std::string& text : {"[" + item + "]", R"({"devices":[)" + item + "]}"}) {
    const auto list = read_import_json(text);
    ASSERT_EQ(list.rows.size(), 1u) << text;
    EXPECT_EQ(list.rows[0].mac, "a4cf12e0a1b2");
    EXPECT_EQ(list.rows[0].line, 1u);
  }
  for (const char* text :
       {"", "{}", "1", "[1]", R"([{"mac":5}])", R"({"devices":{}})", "[", "\xff"}) {
    EXPECT_FALSE(read_import_json(text).errors.empty()) << text;
  }
}

TEST(ImportList, JudgesEveryRowAndNamesItsLine) {
  const std::string good = key();
  std::vector<ImportRow> rows{
      {.line = 2, .mac = "a4:cf:12:e0:a1:b2", .public_key = good},
      {.line = 3, .mac = "a4cf12e0a1b", .public_key = good},
      {.line = 4, .id = "a/b", .mac = "000000000001", .public_key = good},
      {.line = 5, .mac = "000000000002", .public_key = crypto::base64url(std::string(64, 'x'))},
      {.line = 6, .mac = "A4CF12E0A1B2", .public_key = key()},
      {.line = 7, .id = "x", .mac = "000000000003", .public_key = key()},
      {.line = 8, .id = "x", .mac = "000000000004", .public_key = key()},
      {.line = 9, .mac = "000000000005", .public_key = key(), .product = "a b"}};
  std::string found;
  for (const ImportError& error : judge_import(rows)) {
    found += std::to_string(error.line) + error.code + " ";
  }
  EXPECT_EQ(found, "3bad_row 4bad_row 5bad_key 6duplicate 8duplicate 9bad_row ");
  EXPECT_EQ(rows[0].mac, "a4cf12e0a1b2");
}

TEST(ImportList, TakesAKeyAsPemToo) {
  testing::SigningDevice device{"a4cf12e0a1b2"};
  std::vector<ImportRow> rows{
      {.line = 1, .mac = device.mac(), .public_key = device.key().public_key().pem()}};
  EXPECT_TRUE(judge_import(rows).empty());
  EXPECT_EQ(rows[0].public_key, device.pub());
}

}  // namespace
}  // namespace otaria::server
