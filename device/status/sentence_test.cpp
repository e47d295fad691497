#include "device/status/sentence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "contract/defect.hpp"
#include "contract/device/status_writer.hpp"
#include "device/ports/system.hpp"

namespace otaria::device {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t figures[] = {std::numeric_limits<std::int64_t>::min(),
                                    -1,
                                    0,
                                    1,
                                    922809,
                                    std::numeric_limits<std::int64_t>::max()};

struct Told {
  std::string detail;
  std::string hint;
};

Told told(const Error& error, const ErrorContext& context) {
  std::array<char, 200> memory{};
  const Sentence sentence = tell(error, context, memory);
  return {std::string{sentence.detail}, std::string{sentence.hint}};
}

template <class Check>
void for_every_fault(const Check& check) {
  for (std::size_t i = 1; i < contract::fault_names.size(); ++i) {
    SCOPED_TRACE(contract::fault_names[i]);
    check(static_cast<Fault>(i));
  }
}

TEST(Sentence, EveryFaultOfTheContractHasWordsOfItsOwn) {
  for_every_fault([](Fault fault) {
    const Told words = told({fault, 1, 2}, {"2.0.0", "1.0.0"});
    EXPECT_EQ(words.detail.find("unknown fault"), std::string::npos);
    EXPECT_GT(words.detail.size(), 10U);
    EXPECT_GT(words.hint.size(), 10U);
    EXPECT_EQ(words.detail.find('%'), std::string::npos) << words.detail;
  });
}

TEST(Sentence, WithTheLongestVersionsAndFiguresFitsAStatus) {
  const std::string longest(contract::max_version_bytes, 'v');
  for_every_fault([&](Fault fault) {
    for (const std::int64_t found : figures) {
      for (const std::int64_t expected : figures) {
        std::array<char, 400> memory{};
        const Sentence sentence = tell({fault, found, expected}, {longest, longest}, memory);
        EXPECT_LE(sentence.detail.size(), 200U) << sentence.detail;
        EXPECT_LE(sentence.detail.size() + sentence.hint.size(), contract::max_error_text_bytes);
      }
    }
  });
}

// max_error_text_bytes is counted as written: a character that needs an escape would count more
// than once.
TEST(Sentence, IsPlainAsciiWithoutQuotesAndBackslashes) {
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; };
  for_every_fault([&](Fault fault) {
    for (const std::int64_t found : figures) {
      const Told words = told({fault, found, found}, {"2.0.0-rc.1+b", "1.0.0"});
      EXPECT_TRUE(std::ranges::all_of(words.detail, is_plain)) << words.detail;
      EXPECT_TRUE(std::ranges::all_of(words.hint, is_plain)) << words.hint;
    }
  });
}

TEST(Sentence, NamesTheFiguresAndTheVersions) {
  EXPECT_EQ(told({Fault::not_newer}, {"1.2.0", "1.3.0"}).detail,
            "1.2.0 is not newer than 1.3.0, which runs");
  const std::string detail = told({Fault::too_large, 5000, 4096}, {}).detail;
  EXPECT_THAT(detail, HasSubstr("5000"));
  EXPECT_THAT(detail, HasSubstr("4096"));
  EXPECT_THAT(told({Fault::download_failed, 404, 16384}, {}).detail,
              HasSubstr("HTTP 404; 16384 bytes"));
}

TEST(Sentence, TellsADamagedImageFromADigestThatIsNotTheAnnouncedOne) {
  const Told other_file = told({Fault::digest_mismatch, 922809, whole_file}, {});
  EXPECT_EQ(other_file.detail,
            "the SHA-256 of the 922809 bytes that arrived is not the announced one");
  const Told damaged = told({Fault::digest_mismatch, 231, 100}, {});
  EXPECT_THAT(damaged.detail, HasSubstr("found 231, expected 100"));
  EXPECT_EQ(damaged.detail.find("announced"), std::string::npos);
  EXPECT_NE(damaged.hint, other_file.hint);
}

TEST(Sentence, NamesNoHttpStatusWhereNoneCame) {
  const std::string detail = told({Fault::download_failed, 0, 16384}, {}).detail;
  EXPECT_EQ(detail.find("HTTP"), std::string::npos);
  EXPECT_THAT(detail, HasSubstr("16384 bytes"));
}

TEST(Sentence, NamesWhatWasFoundAndExpectedOfAManifest) {
  const ErrorContext context{"1.4.0", "1.3.0", "sensor", "esp32s3-8mb", "stable"};
  const auto says = [&](const Error& error) { return told(error, context).detail; };
  const auto of = [](Fault fault, std::string_view text) {
    const LongFigure figure = long_figure(text);
    return Error{fault, figure.found, figure.expected};
  };
  EXPECT_EQ(says(of(Fault::wrong_product, "valve")),
            "the release is for product valve, this device is sensor");
  EXPECT_EQ(says(of(Fault::wrong_hardware, "esp32s3-4mb")),
            "the release is for hardware esp32s3-4mb, this device has esp32s3-8mb");
  EXPECT_THAT(says(of(Fault::wrong_product, "a-product-of-a-long-name")),
              HasSubstr("product a-product-of-..., this"));
  EXPECT_EQ(says(of(Fault::wrong_channel, "beta")),
            "the release is for channel beta, this device is on 'stable'");
  EXPECT_EQ(says(of(Fault::step_required, "1.3.5")),
            "1.3.0 runs, 1.4.0 needs at least 1.3.5 before it");
  EXPECT_EQ(says({Fault::wrong_chip, short_figure("esp32c6"), short_figure("esp32s3")}),
            "the release is for the chip esp32c6, this one is esp32s3");
  EXPECT_EQ(says({Fault::wrong_chip, 13, 9}), "the image is for chip id 13, this chip is 9");
  EXPECT_EQ(says({Fault::manifest_mismatch,
                  short_figure("9f86d081884c7d65", static_cast<std::uint8_t>(Member::digest)),
                  short_figure("abcdef0123456789")}),
            "the notice has digest 9f86d0..., the manifest abcdef...");
  EXPECT_EQ(says({Fault::security_counter, 2, 5}), "security counter 2, at least 5 is required");
  EXPECT_EQ(says({Fault::security_counter, 300, 261}),
            "security counter 300, at most 261 is allowed");
  EXPECT_THAT(says({Fault::manifest_expired, 2000, 1000}),
              HasSubstr("expired at 1000, it is 2000"));
  EXPECT_EQ(says({Fault::unknown_key, 2, 9}), "key list 2 is in force, the manifest needs 9");
  EXPECT_THAT(says({Fault::unknown_key, key_figure("fedcba9876543210"), 0}),
              HasSubstr("key fedcba9876543210 for releases"));
  EXPECT_EQ(says({Fault::revoked_key, key_figure("00000000000000ab"), 0}),
            "the signing key 00000000000000ab is revoked");
  EXPECT_EQ(says({Fault::bad_signature, 1, 2}), "1 of 2 needed signatures verify");
  EXPECT_THAT(says({Fault::bad_signature, key_figure("7bc16e6af083f055"), by_one_key}),
              HasSubstr("key 7bc16e6af083f055 does not"));
  EXPECT_THAT(says({Fault::bad_signature, 6, not_a_signed_file}), HasSubstr("(wrong_type)"));
  EXPECT_THAT(says({Fault::bad_notice, 2, 1}), HasSubstr("the agent is too old"));
  EXPECT_THAT(says({Fault::bad_notice, 6, of_the_manifest}),
              HasSubstr("manifest cannot be read (duplicate_member)"));
  EXPECT_THAT(says({Fault::bad_notice, 7, plain_http_url}), HasSubstr("takes https ones only"));
  constexpr std::array<std::uint8_t, 8> found{0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
  constexpr std::array<std::uint8_t, 8> wanted{0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(says({Fault::manifest_mismatch,
                  build_figure(found, static_cast<std::uint8_t>(Member::build)),
                  build_figure(wanted)}),
            "the image is of build fedcba98765432..., the manifest is for 00010203040506...");
}

TEST(Sentence, SpeaksOfTheImageWhereTheNoticeNamedNoVersion) {
  EXPECT_THAT(told({Fault::self_test_failed, 7}, {"", "1.0.0"}).detail,
              HasSubstr("self-test of the image failed"));
}

TEST(Sentence, NamesEveryDefectOfANotice) {
  for (std::size_t i = 0; i < contract::defect_names.size(); ++i) {
    EXPECT_THAT(told({Fault::bad_notice, static_cast<std::int64_t>(i)}, {}).detail,
                HasSubstr(std::string{contract::defect_names[i]}));
  }
  for (const std::int64_t found :
       {std::int64_t{-1}, std::int64_t{contract::defect_names.size()}, figures[5]}) {
    EXPECT_THAT(told({Fault::bad_notice, found}, {}).detail, HasSubstr("unknown defect"));
  }
}

TEST(Sentence, NamesTheResetReasonOfAFailedBoot) {
  const auto panic = static_cast<std::int64_t>(ResetReason::panic);
  EXPECT_THAT(told({Fault::boot_failed, panic, 2}, {"2.0.0", ""}).detail,
              HasSubstr("2.0.0 did not come up (reset reason panic"));
  EXPECT_THAT(told({Fault::boot_failed, 1234, 2}, {}).detail, HasSubstr("unknown"));
}

TEST(Sentence, StaysWithinTheMemoryItWasGiven) {
  for (std::size_t bytes = 0; bytes <= 60; ++bytes) {
    std::array<char, 64> memory{};
    memory.fill('#');
    const Sentence sentence =
        tell({Fault::not_newer}, {"1.2.0", "1.3.0"}, std::span{memory}.first(bytes));
    EXPECT_LE(sentence.detail.size(), bytes);
    EXPECT_TRUE(std::all_of(memory.begin() + static_cast<std::ptrdiff_t>(bytes),
                            memory.end(),
                            [](char c) { return c == '#'; }));
  }
}

TEST(Sentence, HasAnAnswerToAFaultOfTheFuture) {
  const Told words = told({static_cast<Fault>(250)}, {});
  EXPECT_EQ(words.detail, "unknown fault");
  EXPECT_FALSE(words.hint.empty());
}

}  // namespace
}  // namespace otaria::device
