#include "operator/image/image_file.hpp"

#include <gtest/gtest.h>

#include "device/verify/golden_image.hpp"
#include "operator/image/image_report.hpp"
#include "operator/image/test_files.hpp"

namespace otaria::image {
namespace {

class ImageFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(device::init_crypto()); }
  ImageReport inspected(const device::Bytes& bytes) {
    return std::get<ImageReport>(inspect_file(folder.put("image.bin", bytes)));
  }
  TestFolder folder;
};

TEST_F(ImageFile, IsReportedWithEverythingInIt) {
  const ImageReport report = inspected(device::golden_image());
  EXPECT_TRUE(report.verdict);
  EXPECT_EQ(report.file_bytes, 416U);
  EXPECT_EQ(hex_text(report.file_sha256),
            "c92d464004ba163cbcb33149cc2d4e32545484976c465bd8b3455752d0b539d0");
  EXPECT_EQ(hex_text(report.appended_sha256),
            "65cdc6e8ce7e6509ab902b1af0d5fa8f19a52973cdab918a4af2ad9245110276");
  EXPECT_EQ(report.checksum, 0xAE);
  EXPECT_EQ(report.image_bytes, 416U);
  EXPECT_FALSE(report.signature_sector);
  ASSERT_EQ(report.segments.size(), 2U);
  EXPECT_EQ(report.segments[1].data_offset, 0x158U);
  EXPECT_EQ(report.segments[1].load_address, 0x40374000U);
  EXPECT_EQ(report.segments[1].bytes, 0x20U);
  EXPECT_EQ(report.segments[1].kind, device::SegmentKind::iram);
  ASSERT_TRUE(report.descriptor);
  EXPECT_EQ(report.descriptor->version, "1.2.3");
  EXPECT_TRUE(report.load_ranges_checked);
  EXPECT_TRUE(report.congruence_checked);
}

TEST_F(ImageFile, WithASignatureSectorEndsWhereItsDigestEnds) {
  const ImageReport report = inspected(device::signed_golden_image());
  EXPECT_TRUE(report.verdict);
  EXPECT_TRUE(report.signature_sector);
  EXPECT_EQ(report.file_bytes, 8192U);
  EXPECT_EQ(report.image_bytes, 416U);
}

TEST_F(ImageFile, ThatIsDamagedIsReportedAsFarAsItCanBeRead) {
  auto bytes = device::golden_image();
  bytes[0x130] ^= 1;
  const ImageReport report = inspected(bytes);
  EXPECT_EQ(report.verdict.defect, device::ImageDefect::bad_checksum);
  EXPECT_TRUE(report.header);
  EXPECT_EQ(report.segments.size(), 2U);
  EXPECT_EQ(report.descriptor->version, "1.2.3");
}

TEST_F(ImageFile, CutOffAnywhereIsReportedWithoutReadingPastItsEnd) {
  const auto golden = device::golden_image();
  for (std::size_t length = 0; length < golden.size(); length += 7) {
    const ImageReport report =
        inspected({golden.begin(), golden.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_EQ(report.verdict.defect, device::ImageDefect::truncated);
    EXPECT_EQ(report.header.has_value(), length >= 24) << length;
    EXPECT_EQ(report.descriptor.has_value(), length >= 288) << length;
  }
}

TEST_F(ImageFile, OfAnotherChipSaysWhichChecksWereNotMade) {
  auto bytes = device::golden_image();
  bytes[12] = device::chip::esp32c6;
  device::reseal(bytes, device::golden_digest_at);
  const ImageReport report = inspected(bytes);
  EXPECT_TRUE(report.verdict);
  EXPECT_FALSE(report.load_ranges_checked);
  EXPECT_FALSE(report.congruence_checked);
}

TEST_F(ImageFile, ThatCannotBeReadGivesTheReason) {
  EXPECT_EQ(std::get<Unreadable>(inspect_file(folder.at("absent"))).reason,
            "No such file or directory");
  EXPECT_EQ(std::get<Unreadable>(inspect_file(folder.at(""))).reason, "Is a directory");
}

TEST_F(ImageFile, IsReplacedAsAWholeOrNotAtAll) {
  folder.put_text("a", "old");
  EXPECT_EQ(write_file(folder.at("a"), {'n', 'e', 'w'}), "");
  EXPECT_EQ(folder.get("a"), (std::vector<std::uint8_t>{'n', 'e', 'w'}));
  EXPECT_FALSE(std::filesystem::exists(folder.at("a.part")));
  EXPECT_NE(write_file(folder.at("absent/a"), {'x'}), "");
}

TEST_F(ImageFile, LargerThanTheLimitIsNotReadIntoMemory) {
  const std::string path = folder.put("big", std::vector<std::uint8_t>(5000));
  EXPECT_TRUE(std::holds_alternative<Unreadable>(read_file(path, 4999)));
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(read_file(path, 5000)).size(), 5000U);
}

}  // namespace
}  // namespace otaria::image
