#include "device/journal/record_codec.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace otaria::device {
namespace {

std::vector<std::uint8_t> bytes_of(const RecordWriter& writer) {
  return {writer.payload().begin(), writer.payload().end()};
}

TEST(RecordCodec, WritesLittleEndianAndTextsWithTheirLength) {
  RecordWriter writer;
  writer.u8(0x01);
  writer.u16(0x2345);
  writer.u32(0x6789ABCD);
  writer.i64(-2);
  writer.text("ab");
  const std::vector<std::uint8_t> expected{0x01,
                                           0x45,
                                           0x23,
                                           0xCD,
                                           0xAB,
                                           0x89,
                                           0x67,
                                           0xFE,
                                           0xFF,
                                           0xFF,
                                           0xFF,
                                           0xFF,
                                           0xFF,
                                           0xFF,
                                           0xFF,
                                           0x02,
                                           0x00,
                                           'a',
                                           'b'};
  EXPECT_EQ(bytes_of(writer), expected);
  EXPECT_FALSE(writer.overflow());
}

TEST(RecordCodec, ReadsBackTheEndsOfEveryRange) {
  for (const std::int64_t wide : {std::numeric_limits<std::int64_t>::min(),
                                  std::int64_t{-1},
                                  std::int64_t{0},
                                  std::numeric_limits<std::int64_t>::max()}) {
    const auto narrow = static_cast<std::uint32_t>(wide);
    RecordWriter writer;
    writer.i64(wide);
    writer.u32(narrow);
    writer.u16(static_cast<std::uint16_t>(wide));
    writer.u8(static_cast<std::uint8_t>(wide));
    writer.optional_u32(narrow);
    writer.optional_u32(std::nullopt);
    RecordReader reader{writer.payload()};
    EXPECT_EQ(reader.i64(), wide);
    EXPECT_EQ(reader.u32(), narrow);
    EXPECT_EQ(reader.u16(), static_cast<std::uint16_t>(wide));
    EXPECT_EQ(reader.u8(), static_cast<std::uint8_t>(wide));
    EXPECT_EQ(reader.optional_u32(), narrow);
    EXPECT_EQ(reader.optional_u32(), std::nullopt);
    EXPECT_TRUE(reader.good());
  }
}

TEST(RecordCodec, GivesZerosBehindTheEndAndSaysSo) {
  const std::array<std::uint8_t, 3> three{1, 2, 3};
  RecordReader reader{three};
  EXPECT_EQ(reader.u16(), 0x0201U);
  EXPECT_TRUE(reader.good());
  EXPECT_EQ(reader.u32() >> 8, 0U);
  EXPECT_FALSE(reader.good());
  EXPECT_EQ(reader.i64(), 0);
  EXPECT_FALSE(reader.good());
}

TEST(RecordCodec, RefusesATextThatClaimsMoreThanThereIs) {
  const std::array<std::uint8_t, 4> claims_nine{9, 0, 'a', 'b'};
  RecordReader reader{claims_nine};
  contract::Text<32> text;
  reader.text(text);
  EXPECT_FALSE(reader.good());
  EXPECT_TRUE(text.empty());
}

TEST(RecordCodec, RefusesATextThatDoesNotFitItsPlace) {
  RecordWriter writer;
  writer.text("four");
  RecordReader reader{writer.payload()};
  contract::Text<3> text;
  reader.text(text);
  EXPECT_FALSE(reader.good());
  EXPECT_TRUE(text.empty());
}

TEST(RecordCodec, RemembersThatARecordBecameTooLong) {
  RecordWriter writer;
  writer.text(std::string(Journal::max_payload - 2, 'x'));
  EXPECT_FALSE(writer.overflow());
  EXPECT_EQ(writer.payload().size(), Journal::max_payload);
  writer.u8(1);
  EXPECT_TRUE(writer.overflow());
  EXPECT_EQ(writer.payload().size(), Journal::max_payload);
}

}  // namespace
}  // namespace otaria::device
