#include "device/verify/image_checker.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "device/verify/golden_image.hpp"

namespace otaria::device {
namespace {

constexpr ImagePolicy for_s3{chip::esp32s3, 0x330000};

std::string hex(const contract::Digest& digest) {
  const auto text = contract::hex_of(digest);
  return {text.data(), text.size()};
}

ImageVerdict verdict_of(const Bytes& image, ImagePolicy policy = for_s3, std::size_t piece = 512) {
  ImageChecker checker{policy};
  for (std::size_t at = 0; at < image.size(); at += piece) {
    checker.update(std::span{image}.subspan(at, std::min(piece, image.size() - at)));
  }
  return checker.finish();
}

std::string defect_of(const Bytes& image, ImagePolicy policy = for_s3) {
  return std::string{name_of(verdict_of(image, policy).defect)};
}

/// The golden image with one change, checksum and digest right again.
template <class Change>
Bytes golden_but(Change change) {
  Bytes image = golden_image();
  change(image);
  reseal(image, golden_digest_at);
  return image;
}

class ImageCheckerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(init_crypto()); }
};

TEST_F(ImageCheckerTest, TheGoldenImageIsTheOneThatEsptoolAccepts) {
  const Bytes image = golden_image();
  ASSERT_EQ(image.size(), 416U);
  EXPECT_EQ(image[0x17F], 0xAE);
  EXPECT_EQ(hex(sha256_of(image)),
            "c92d464004ba163cbcb33149cc2d4e32545484976c465bd8b3455752d0b539d0");
}

TEST_F(ImageCheckerTest, AcceptsTheGoldenImageInPiecesOfAnyLength) {
  const Bytes image = golden_image();
  for (std::size_t piece = 1; piece <= image.size() + 1; ++piece) {
    EXPECT_TRUE(verdict_of(image, for_s3, piece)) << "pieces of " << piece;
  }
}

TEST_F(ImageCheckerTest, TellsLengthAndDigestOnceTheImageIsComplete) {
  const Bytes image = golden_image();
  ImageChecker checker{for_s3};
  EXPECT_TRUE(checker.update(std::span{image}.first(image.size() - 1)));
  EXPECT_FALSE(checker.image_complete());
  EXPECT_EQ(checker.wanted(), 1U);
  EXPECT_TRUE(checker.update(std::span{image}.last(1)));
  EXPECT_TRUE(checker.image_complete());
  EXPECT_EQ(checker.wanted(), 0U);
  EXPECT_EQ(checker.image_bytes(), 416U);
  EXPECT_EQ(hex(checker.appended_digest()),
            "65cdc6e8ce7e6509ab902b1af0d5fa8f19a52973cdab918a4af2ad9245110276");
}

TEST_F(ImageCheckerTest, KnowsHeaderAndDescriptorAfter288BytesAndNotBefore) {
  const Bytes image = golden_image();
  ImageInspector checker{for_s3};
  checker.update(std::span{image}.first(287));
  EXPECT_FALSE(checker.has_head());
  checker.update(std::span{image}.subspan(287, 1));
  ASSERT_TRUE(checker.has_head());
  const ImageHead head = checker.head();
  EXPECT_EQ(head.header.segment_count, 2);
  EXPECT_EQ(head.header.spi_mode, 2);
  EXPECT_EQ(head.header.spi_speed, 0xF);
  EXPECT_EQ(head.header.flash_size, 2);
  EXPECT_EQ(head.header.entry_address, 0x40374000U);
  EXPECT_EQ(head.header.chip_id, chip::esp32s3);
  EXPECT_EQ(head.header.min_chip_revision, 0);
  EXPECT_EQ(head.header.max_chip_revision, 99);
  EXPECT_TRUE(head.header.hash_appended);
  EXPECT_EQ(head.descriptor.secure_version, 0U);
  EXPECT_EQ(head.descriptor.version, "1.2.3");
  EXPECT_EQ(head.descriptor.project_name, "fleet-agent");
  EXPECT_EQ(head.descriptor.time, "12:34:56");
  EXPECT_EQ(head.descriptor.date, "Jan  1 2026");
  EXPECT_EQ(head.descriptor.idf_version, "v5.5.5");
  EXPECT_EQ(hex(head.descriptor.app_elf_sha256).substr(0, 16), "0001020304050607");
  EXPECT_EQ(head.descriptor.min_efuse_block_revision, 0);
  EXPECT_EQ(head.descriptor.max_efuse_block_revision, 199);
  EXPECT_EQ(head.descriptor.mmu_page_log2, 16);
}

TEST_F(ImageCheckerTest, TakesADescriptorTextThatFillsItsFieldWithoutANul) {
  const Bytes image = golden_but([](Bytes& b) { std::fill_n(b.begin() + 0x30, 32, 'v'); });
  ImageInspector checker{for_s3};
  ASSERT_TRUE(checker.update(image));
  EXPECT_EQ(checker.head().descriptor.version, std::string(32, 'v'));
}

// One hash makes both digests, in pieces of any size, and whatever is found wrong on the way.
TEST_F(ImageCheckerTest, DigestOfTheFileIsThatOfAllItsBytes) {
  Bytes signed_image = golden_image();
  signed_image.resize(4096, 0xFF);
  signed_image.resize(8192, 0xE7);
  Bytes broken = golden_image();
  broken[300] ^= 1;
  Bytes longer = golden_image();
  longer.resize(1000, 0x11);
  for (const Bytes& file : {golden_image(), signed_image, broken, longer, Bytes(700, '<')}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{37}, file.size()}) {
      ImageChecker checker{for_s3};
      for (std::size_t at = 0; at < file.size(); at += piece)
        checker.update(std::span{file}.subspan(at, std::min(piece, file.size() - at)));
      EXPECT_EQ(checker.file_digest(), sha256_of(file)) << file.size() << " by " << piece;
      checker.reset(for_s3);
      EXPECT_EQ(checker.file_digest(), sha256_of({}));
    }
  }
}

TEST_F(ImageCheckerTest, CanBeUsedAgainAfterReset) {
  Bytes broken = golden_image();
  broken[400] ^= 1;
  ImageChecker checker{for_s3};
  checker.update(broken);
  EXPECT_EQ(checker.finish().defect, ImageDefect::bad_hash);
  checker.reset(for_s3);
  EXPECT_TRUE(checker.update(golden_image()));
  EXPECT_TRUE(checker.finish());
}

struct Spoilt {
  const char* defect;
  std::size_t at;
  std::uint8_t value;
};

TEST_F(ImageCheckerTest, NamesWhatIsWrongWithAResealedImage) {
  constexpr Spoilt cases[] = {
      // clang-format off
      {"bad_magic",           0x00, 0xEA},
      {"bad_magic",           0x00, '<'},   // an HTML page
      {"wrong_chip",          0x0C, 5},
      {"wrong_chip",          0x0D, 1},     // the high byte counts too
      {"no_appended_hash",    0x17, 0},
      {"no_appended_hash",    0x17, 2},     // esptool accepts only 0 and 1
      {"bad_segment_length",  0x1C, 0x31},  // not a multiple of 4
      {"bad_segment_length",  0x1F, 0x01},  // 16 MiB and more
      {"bad_load_address",    0x1B, 0x3B},
      {"bad_congruence",      0x18, 0x24},
      {"bad_congruence",      0x19, 0x01},
      {"no_descriptor",       0x20, 0x33},
      {"no_descriptor",       0x1D, 0x00},  // a first segment of 0x30 bytes
      {"bad_load_address",   0x153, 0x41},
      {"bad_segment_length", 0x154, 0x22},
      // clang-format on
  };
  for (const Spoilt& spoilt : cases) {
    const Bytes image = golden_but([&](Bytes& b) { b[spoilt.at] = spoilt.value; });
    EXPECT_EQ(defect_of(image), spoilt.defect) << "byte " << spoilt.at;
  }
  Bytes image = golden_image();
  image[1] = 0;
  EXPECT_EQ(defect_of(image), "bad_segment_count");
  image[1] = 17;
  EXPECT_EQ(defect_of(image), "bad_segment_count");
}

TEST_F(ImageCheckerTest, JudgesInTheOrderOfTheBootloader) {
  Bytes image = golden_image();
  image[0x17] = 0;
  EXPECT_EQ(defect_of(image), "no_appended_hash");
  image[0x01] = 99;
  EXPECT_EQ(defect_of(image), "bad_segment_count");
  image[0x0C] = 5;
  EXPECT_EQ(defect_of(image), "wrong_chip");
  image[0x00] = 0;
  EXPECT_EQ(defect_of(image), "bad_magic");
}

TEST_F(ImageCheckerTest, ReportsFoundExpectedAndWhere) {
  Bytes image = golden_image();
  image[0x0C] = 5;
  const ImageVerdict verdict = verdict_of(image);
  EXPECT_EQ(verdict.offset, 12U);
  EXPECT_EQ(verdict.found, chip::esp32c3);
  EXPECT_EQ(verdict.expected, chip::esp32s3);
  const Status status = status_of(verdict);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().fault, contract::Fault::wrong_chip);
  EXPECT_EQ(status.error().found, 5);
}

TEST_F(ImageCheckerTest, DetectsEveryBitOfEveryByteOfAnUnsignedImage) {
  const Bytes golden = golden_image();
  for (std::size_t at = 0; at < golden.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes image = golden;
      image[at] = static_cast<std::uint8_t>(image[at] ^ 1 << bit);
      ASSERT_FALSE(verdict_of(image)) << "byte " << at << ", bit " << bit;
    }
  }
}

TEST_F(ImageCheckerTest, OfASignedImageEveryByteCountsButThoseInsideTheSignatureSector) {
  const Bytes golden = signed_golden_image();
  EXPECT_TRUE(verdict_of(golden));
  for (std::size_t at = 0; at < golden.size(); ++at) {
    Bytes image = golden;
    image[at] ^= 0x10;
    const bool accepted = static_cast<bool>(verdict_of(image));
    ASSERT_EQ(accepted, at > signature_sector_bytes) << "byte " << at;
  }
}

TEST_F(ImageCheckerTest, DetectsAnySpoiltRunOfBytes) {
  const Bytes golden = golden_image();
  EXPECT_TRUE(rc::check([&] {
    const auto at = *rc::gen::inRange<std::size_t>(0, golden.size());
    const auto noise = *rc::gen::nonEmpty<Bytes>();
    Bytes image = golden;
    for (std::size_t i = 0; i < noise.size() && at + i < image.size(); ++i)
      image[at + i] = noise[i];
    RC_PRE(image != golden);
    RC_ASSERT(!verdict_of(image, for_s3, *rc::gen::inRange<std::size_t>(1, 64)));
  }));
}

TEST_F(ImageCheckerTest, SurvivesAnyBytesAtAll) {
  EXPECT_TRUE(rc::check([](Bytes noise) {
    noise.insert(noise.begin(), image_magic);
    RC_ASSERT(!verdict_of(noise, {}, 7));
  }));
}

TEST_F(ImageCheckerTest, CallsEveryProperPrefixTruncated) {
  const Bytes golden = golden_image();
  for (std::size_t length = 0; length < golden.size(); ++length) {
    const ImageVerdict verdict =
        verdict_of(Bytes(golden.begin(), golden.begin() + static_cast<long>(length)));
    ASSERT_EQ(verdict.defect, ImageDefect::truncated) << length;
    EXPECT_EQ(verdict.found, length);
    EXPECT_GT(verdict.expected, length);
  }
}

TEST_F(ImageCheckerTest, CallsWhatBeginsOtherwiseNoImageHoweverShortItIs) {
  for (const std::string_view text : {"<", "hello", "<html>not here</html>"}) {
    EXPECT_EQ(defect_of(Bytes(text.begin(), text.end())), "bad_magic") << text;
  }
}

TEST_F(ImageCheckerTest, CallsASignedImageThatEndsEarlyTruncated) {
  Bytes image = signed_golden_image();
  image.pop_back();
  EXPECT_EQ(defect_of(image), "truncated");
  image.resize(signature_sector_bytes);  // padding, and no sector
  EXPECT_EQ(defect_of(image), "truncated");
  image.resize(417);
  EXPECT_EQ(defect_of(image), "truncated");
}

TEST_F(ImageCheckerTest, RefusesAnythingElseBehindTheDigest) {
  Bytes image = golden_image();
  image.push_back(0x00);
  EXPECT_EQ(defect_of(image), "trailing_bytes");
  image = signed_golden_image();
  image[signature_sector_bytes] = 0x00;
  EXPECT_EQ(defect_of(image), "trailing_bytes");
  image = signed_golden_image();
  image.push_back(0xFF);
  EXPECT_EQ(defect_of(image), "trailing_bytes");
  image = golden_image();
  const Bytes twice = golden_image();
  image.insert(image.end(), twice.begin(), twice.end());
  EXPECT_EQ(defect_of(image), "trailing_bytes");
}

/// A golden image whose digest ends exactly at `bytes`.
Bytes golden_of(std::size_t bytes) {
  Bytes image = golden_image();
  const std::size_t grown = bytes - image.size();
  image.insert(image.begin() + golden_second_segment + 8, grown, 0x5A);
  write_u32(&image[golden_second_segment + 4], static_cast<std::uint32_t>(0x20 + grown));
  reseal(image, golden_digest_at + grown);
  return image;
}

TEST_F(ImageCheckerTest, WantsNoPaddingWhereTheDigestEndsOnASectorBoundary) {
  Bytes image = golden_of(signature_sector_bytes);
  ASSERT_EQ(image.size(), signature_sector_bytes);
  EXPECT_TRUE(verdict_of(image));
  image.resize(std::size_t{2} * signature_sector_bytes, 0xFF);
  EXPECT_EQ(defect_of(image), "trailing_bytes");
  image[signature_sector_bytes] = signature_sector_magic;
  EXPECT_TRUE(verdict_of(image));
}

TEST_F(ImageCheckerTest, AlwaysHasAChecksumBlockEvenWhereTheSegmentsEndOnItsBoundary) {
  // The last segment ends at 0x180: the checksum is the last byte of a block of its own.
  Bytes image = golden_image();
  write_u32(&image[golden_second_segment + 4], 0x28);
  image.insert(image.begin() + 0x178, 16, 0);
  reseal(image, 0x190);
  EXPECT_TRUE(verdict_of(image));
  EXPECT_EQ(image.size(), 0x1B0U);
}

TEST_F(ImageCheckerTest, FillsTheSlotToTheLastByteAndNoFurther) {
  const Bytes image = golden_image();
  EXPECT_TRUE(verdict_of(image, {chip::esp32s3, 416}));
  EXPECT_EQ(defect_of(image, {chip::esp32s3, 415}), "too_large");
  const Bytes with_signature = signed_golden_image();
  EXPECT_TRUE(verdict_of(with_signature, {chip::esp32s3, 8192}));
  EXPECT_EQ(defect_of(with_signature, {chip::esp32s3, 8191}), "too_large");
}

TEST_F(ImageCheckerTest, KnowsFromASegmentHeaderThatTheImageWillNotFit) {
  const Bytes image = golden_image();
  ImageChecker checker{{chip::esp32s3, 0x170}};
  EXPECT_FALSE(checker.update(std::span{image}.first(0x20)));
  EXPECT_EQ(checker.verdict().defect, ImageDefect::too_large);
  EXPECT_EQ(checker.verdict().found, 0x180U);  // what the first segment alone needs
}

TEST_F(ImageCheckerTest, ChecksNoLoadRangesOfOtherChips) {
  const Bytes image = golden_but([](Bytes& b) {
    b[0x0C] = chip::esp32c6;
    write_u32(&b[0x18], 0x42800024);
  });
  EXPECT_TRUE(verdict_of(image, {}));
  EXPECT_EQ(defect_of(image), "wrong_chip");
}

TEST_F(ImageCheckerTest, ChecksTheCongruenceOfChipsWhoseFlashWindowsAreKnown) {
  for (const auto& [id, window] : {std::pair{chip::esp32, 0x3F400000U},
                                   std::pair{chip::esp32s2, 0x3F000000U},
                                   std::pair{chip::esp32c3, 0x3C000000U}}) {
    const auto with_load = [chip_id = id](std::uint32_t address) {
      return golden_but([&](Bytes& b) {
        b[0x0C] = static_cast<std::uint8_t>(chip_id);
        write_u32(&b[0x18], address);
        write_u32(&b[golden_second_segment], 0);  // padding on every chip
      });
    };
    EXPECT_TRUE(verdict_of(with_load(window + 0x20), {})) << chip_name(id);
    EXPECT_EQ(defect_of(with_load(window + 0x24), {}), "bad_congruence") << chip_name(id);
  }
}

TEST_F(ImageCheckerTest, CountsAPaddingSegmentInChecksumAndDigest) {
  Bytes image = golden_but([](Bytes& b) { write_u32(&b[golden_second_segment], 0); });
  EXPECT_TRUE(verdict_of(image));
  image[golden_second_segment + 10] ^= 1;
  EXPECT_EQ(defect_of(image), "bad_checksum");
}

TEST_F(ImageCheckerTest, AcceptsSixteenSegmentsAndEmptyOnesAmongThem) {
  Bytes image = golden_image();
  image[1] = 16;
  image.insert(image.begin() + 0x178, std::size_t{14} * segment_header_bytes, 0);
  reseal(image, golden_digest_at + std::size_t{14} * segment_header_bytes);
  EXPECT_TRUE(verdict_of(image));
}

TEST(ImageDefects, MapToTheFaultsOfTheContract) {
  using contract::Fault;
  EXPECT_EQ(fault_of(ImageDefect::none), Fault::none);
  EXPECT_EQ(fault_of(ImageDefect::bad_magic), Fault::not_an_image);
  EXPECT_EQ(fault_of(ImageDefect::no_appended_hash), Fault::not_an_image);
  EXPECT_EQ(fault_of(ImageDefect::trailing_bytes), Fault::not_an_image);
  EXPECT_EQ(fault_of(ImageDefect::wrong_chip), Fault::wrong_chip);
  EXPECT_EQ(fault_of(ImageDefect::bad_checksum), Fault::digest_mismatch);
  EXPECT_EQ(fault_of(ImageDefect::bad_hash), Fault::digest_mismatch);
  EXPECT_EQ(fault_of(ImageDefect::truncated), Fault::digest_mismatch);
  EXPECT_EQ(fault_of(ImageDefect::too_large), Fault::too_large);
}

TEST(Chips, HaveTheNamesOfEspressifsTools) {
  EXPECT_EQ(chip_name(9), "esp32s3");
  EXPECT_EQ(chip_from("esp32s3"), chip::esp32s3);
  EXPECT_EQ(chip_name(0x7777), "unknown");
  EXPECT_FALSE(chip_from("esp8266"));
}

}  // namespace
}  // namespace otaria::device
