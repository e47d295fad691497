#include "operator/image/make.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <stdexcept>

#include "device/verify/image_checker.hpp"

namespace otaria::image {
namespace {

using Bytes = std::vector<std::uint8_t>;

device::ImageVerdict verdict_of(const Bytes& image, device::ImagePolicy policy = {}) {
  device::ImageChecker checker{policy};
  checker.update(image);
  return checker.finish();
}

class Make : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(device::init_crypto()); }
};

TEST_F(Make, GivesASoundImageOfTheSizeAskedForAndForTheChip) {
  for (std::uint16_t chip :
       {device::chip::esp32s3, device::chip::esp32, device::chip::esp32s2, device::chip::esp32c3}) {
    for (std::uint32_t bytes :
         {384U, 400U, 416U, 4096U, 65536U, 262128U, 262144U, 262160U, 922816U, 3342336U}) {
      MakeOptions options;
      options.chip = chip;
      options.bytes = bytes;
      const Bytes image = make_image(options);
      EXPECT_EQ(image.size(), bytes);
      const auto verdict = verdict_of(image, {chip, bytes});
      EXPECT_TRUE(verdict) << name_of(verdict.defect) << ", chip " << chip << ", bytes " << bytes;
    }
  }
}

TEST_F(Make, GivesASoundImageForAnySize) {
  EXPECT_TRUE(rc::check([] {
    MakeOptions options;
    options.bytes = 16 * *rc::gen::inRange<std::uint32_t>(smallest_made_image / 16, 20000);
    RC_ASSERT(verdict_of(make_image(options), {device::chip::esp32s3}));
  }));
}

TEST_F(Make, PutsTheOptionsIntoTheDescriptor) {
  MakeOptions options;
  options.version = "2.0.0-rc.1+build.7";
  options.project = "greenhouse";
  options.idf_version = "v5.4.2";
  options.date = "Jan  1 2026";
  options.time = "12:34:56";
  options.secure_version = 3;
  options.elf_sha256 = contract::Digest{};
  options.elf_sha256->bytes.fill(0x5A);
  device::ImageInspector checker;
  ASSERT_TRUE(checker.update(make_image(options)));
  const device::AppDescriptor descriptor = checker.head().descriptor;
  EXPECT_EQ(descriptor.version, "2.0.0-rc.1+build.7");
  EXPECT_EQ(descriptor.project_name, "greenhouse");
  EXPECT_EQ(descriptor.idf_version, "v5.4.2");
  EXPECT_EQ(descriptor.date, "Jan  1 2026");
  EXPECT_EQ(descriptor.time, "12:34:56");
  EXPECT_EQ(descriptor.secure_version, 3U);
  EXPECT_EQ(descriptor.app_elf_sha256, *options.elf_sha256);
}

TEST_F(Make, GivesTheSameBytesForTheSameOptionsAndOthersForOthers) {
  MakeOptions options;
  const Bytes image = make_image(options);
  EXPECT_EQ(make_image(options), image);
  options.seed = 2;
  EXPECT_NE(make_image(options), image);
}

/// Bytes that are equal at equal offsets, per mille.
std::size_t likeness(const Bytes& a, const Bytes& b) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  return same * 1000 / a.size();
}

TEST_F(Make, MakesVersionsOfOneSeedAlikeAndOfTwoSeedsNot) {
  MakeOptions options;
  options.changed_per_mille = 50;
  const Bytes first = make_image(options);
  options.version = "1.0.1";
  const Bytes second = make_image(options);
  EXPECT_GT(likeness(first, second), 800U);
  EXPECT_LT(likeness(first, second), 1000U);
  options.seed = 2;
  EXPECT_LT(likeness(first, make_image(options)), 250U);
}

TEST_F(Make, AlignsMappedSegmentsByAPaddingSegmentAsEsptoolDoes) {
  const Bytes image = make_image({});
  ASSERT_EQ(image[1], 5);
  std::size_t at = device::image_header_bytes;
  std::vector<device::SegmentKind> kinds;
  for (int i = 0; i < image[1]; ++i) {
    const auto segment = device::read_segment(&image[at]);
    kinds.push_back(device::segment_kind(device::chip::esp32s3, segment.load_address));
    at += device::segment_header_bytes + segment.bytes;
  }
  using device::SegmentKind;
  EXPECT_EQ(kinds,
            (std::vector{SegmentKind::drom,
                         SegmentKind::dram,
                         SegmentKind::padding,
                         SegmentKind::irom,
                         SegmentKind::iram}));
}

TEST_F(Make, RefusesOptionsThatMakeNoImage) {
  const auto refused = [](auto change) {
    MakeOptions options;
    change(options);
    EXPECT_THROW((void)make_image(options), std::invalid_argument);
  };
  refused([](MakeOptions& o) { o.version = std::string(32, '1'); });
  refused([](MakeOptions& o) { o.project = std::string(32, 'p'); });
  refused([](MakeOptions& o) { o.idf_version = std::string(32, 'v'); });
  refused([](MakeOptions& o) { o.date = std::string(16, 'd'); });
  refused([](MakeOptions& o) { o.bytes = 368; });
  refused([](MakeOptions& o) { o.bytes = 65537; });
  refused([](MakeOptions& o) { o.bytes = 16 * 1024 * 1024; });
  refused([](MakeOptions& o) { o.chip = device::chip::esp32p4; });
  refused([](MakeOptions& o) { o.changed_per_mille = 1001; });
}

}  // namespace
}  // namespace otaria::image
