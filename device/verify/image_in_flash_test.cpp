#include "device/verify/image_in_flash.hpp"

#include <gtest/gtest.h>

#include "device/ports/fake_flash.hpp"
#include "device/verify/golden_image.hpp"

namespace otaria::device {
namespace {

constexpr std::uint32_t slot = 0x10000;
constexpr std::uint32_t slot_bytes = 0x10000;

class ImageInFlash : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(init_crypto()); }
  void put(const Bytes& image) { ASSERT_TRUE(flash.write(slot, image)); }
  Fault length_fault() {
    const auto identity = image_length_in_flash(flash, slot, slot_bytes);
    return identity ? Fault::none : identity.error().fault;
  }

  FakeFlash flash{0x20000};
};

TEST_F(ImageInFlash, IsIdentifiedByItsSegmentHeadersAlone) {
  const Bytes image = golden_image();
  put(image);
  const auto identity = image_length_in_flash(flash, slot, slot_bytes);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity.value().bytes, 416U);
  EXPECT_TRUE(
      std::equal(image.end() - 32, image.end(), identity.value().appended_digest.bytes.begin()));
  EXPECT_EQ(flash.bytes_read(), 24U + 8 + 8 + 32);
}

TEST_F(ImageInFlash, OfAnErasedSlotThereIsNone) {
  EXPECT_EQ(length_fault(), Fault::not_an_image);
  ImageChecker checker{{chip::esp32s3, slot_bytes}};
  const Status checked = check_image_in_flash(flash, slot, slot_bytes, checker);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().fault, Fault::not_an_image);
}

TEST_F(ImageInFlash, IsNotIdentifiedWithABrokenHeader) {
  for (const auto& [at, value] : {std::pair{1, 0}, {1, 17}, {23, 0}, {0x1C, 0x31}, {0x1F, 1}}) {
    Bytes image = golden_image();
    image[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
    flash.cells().assign(flash.cells().size(), 0xFF);
    put(image);
    EXPECT_EQ(length_fault(), Fault::not_an_image) << "byte " << at;
  }
}

TEST_F(ImageInFlash, MustEndInsideTheSlot) {
  put(golden_image());
  EXPECT_TRUE(image_length_in_flash(flash, slot, 416));
  for (std::uint32_t limit : {0U, 23U, 31U, 0x157U, 415U}) {
    const auto identity = image_length_in_flash(flash, slot, limit);
    ASSERT_FALSE(identity) << limit;
    EXPECT_EQ(identity.error().fault, Fault::too_large) << limit;
  }
}

TEST_F(ImageInFlash, IsCheckedWithoutReadingWhatLiesBehindIt) {
  put(golden_image());
  ASSERT_TRUE(flash.write(slot + 416, Bytes{0x00, 0x12}));  // left over from an older, longer image
  ImageChecker checker{{chip::esp32s3, slot_bytes}};
  EXPECT_TRUE(check_image_in_flash(flash, slot, slot_bytes, checker));
  EXPECT_EQ(checker.image_bytes(), 416U);
  EXPECT_EQ(flash.bytes_read(), 416U);
}

TEST_F(ImageInFlash, WithAChangedByteIsFoundOut) {
  Bytes image = golden_image();
  image[0x125] ^= 1;
  put(image);
  ImageChecker checker{{chip::esp32s3, slot_bytes}};
  const Status checked = check_image_in_flash(flash, slot, slot_bytes, checker);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().fault, Fault::digest_mismatch);
  EXPECT_EQ(checker.verdict().defect, ImageDefect::bad_checksum);
}

TEST_F(ImageInFlash, ThatIsCutOffByTheLimitIsTooLarge) {
  put(golden_image());
  ImageChecker checker{{chip::esp32s3, slot_bytes}};
  EXPECT_FALSE(check_image_in_flash(flash, slot, 415, checker));
  EXPECT_EQ(checker.verdict().defect, ImageDefect::truncated);
}

TEST_F(ImageInFlash, PassesTheDriversErrorOn) {
  put(golden_image());
  flash.fail_reads(true);
  EXPECT_EQ(length_fault(), Fault::flash_failed);
  ImageChecker checker{{chip::esp32s3, slot_bytes}};
  EXPECT_EQ(check_image_in_flash(flash, slot, slot_bytes, checker).error().fault,
            Fault::flash_failed);
}

}  // namespace
}  // namespace otaria::device
