#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "device/verify/golden_image.hpp"
#include "device/verify/image_checker.hpp"

namespace otaria::device {
namespace {

namespace fs = std::filesystem;

/// Released images of other projects, where somebody has laid them: OTARIA_FIRMWARE_DIR, or beside
/// the source tree.
std::vector<fs::path> real_images() {
  const char* named = std::getenv("OTARIA_FIRMWARE_DIR");
  const fs::path folder =
      named != nullptr ? fs::path{named} : fs::path{OTARIA_SOURCE_DIR} / "../shared/firmware";
  std::vector<fs::path> images;
  if (!fs::is_directory(folder)) return images;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    if (entry.path().extension() == ".bin") images.push_back(entry.path());
  }
  return images;
}

Bytes read_all(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return Bytes{std::istreambuf_iterator<char>{file}, {}};
}

ImageVerdict verdict_of(const Bytes& image, ImagePolicy policy) {
  ImageChecker checker{policy};
  checker.update(image);
  return checker.finish();
}

// Without such files the golden image alone is tried: it is one that Espressif's own tool accepted.
TEST(RealFirmware, IsAcceptedAndBelongsToTheChipItsHeaderNames) {
  ASSERT_TRUE(init_crypto());
  std::vector<Bytes> images{golden_image()};
  for (const auto& path : real_images()) images.push_back(read_all(path));
  for (const Bytes& image : images) {
    const ImageVerdict verdict = verdict_of(image, {read_u16(&image[12]), 0x330000});
    EXPECT_TRUE(verdict) << name_of(verdict.defect) << " at " << verdict.offset;
  }
}

TEST(RealFirmware, IsRefusedForAnotherChipShortenedLengthenedOrChanged) {
  ASSERT_TRUE(init_crypto());
  std::vector<Bytes> images{golden_image()};
  for (const auto& path : real_images()) images.push_back(read_all(path));
  for (Bytes& image : images) {
    const auto other_chip = static_cast<std::uint16_t>(read_u16(&image[12]) + 1);
    EXPECT_EQ(verdict_of(image, {other_chip}).defect, ImageDefect::wrong_chip);
    image.push_back(0);
    EXPECT_EQ(verdict_of(image, {}).defect, ImageDefect::trailing_bytes);
    image.resize(image.size() - 2);
    EXPECT_EQ(verdict_of(image, {}).defect, ImageDefect::truncated);
    image[image_head_bytes] ^= 0x80;
    EXPECT_EQ(verdict_of(image, {}).defect, ImageDefect::bad_checksum);
  }
}

}  // namespace
}  // namespace otaria::device
