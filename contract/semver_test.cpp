#include "contract/semver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace otaria::contract {
namespace {

constexpr std::size_t any_length = 1000;

// The last of semver.org's invalid ones.
constexpr std::string_view endless =
    "99999999999999999999999.999999999999999999.99999999999999999----RC-SNAPSHOT.12.09.1----------"
    "----------------------..12";

// The examples that semver.org's FAQ links beside its regular expression, all of them.
constexpr std::string_view valid[] = {
    "0.0.4",
    "1.2.3",
    "10.20.30",
    "1.1.2-prerelease+meta",
    "1.1.2+meta",
    "1.1.2+meta-valid",
    "1.0.0-alpha",
    "1.0.0-beta",
    "1.0.0-alpha.beta",
    "1.0.0-alpha.beta.1",
    "1.0.0-alpha.1",
    "1.0.0-alpha0.valid",
    "1.0.0-alpha.0valid",
    "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay",
    "1.0.0-rc.1+build.1",
    "2.0.0-rc.1+build.123",
    "1.2.3-beta",
    "10.2.3-DEV-SNAPSHOT",
    "1.2.3-SNAPSHOT-123",
    "1.0.0",
    "2.0.0",
    "1.1.7",
    "2.0.0+build.1848",
    "2.0.1-alpha.1227",
    "1.0.0-alpha+beta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
    "1.2.3----R-S.12.9.1--.12+meta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12",
    "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    "1.0.0-0A.is.legal",
};
constexpr std::string_view invalid[] = {
    "1",
    "1.2",
    "1.2.3-0123",
    "1.2.3-0123.0123",
    "1.1.2+.123",
    "+invalid",
    "-invalid",
    "-invalid+invalid",
    "-invalid.01",
    "alpha",
    "alpha.beta",
    "alpha.beta.1",
    "alpha.1",
    "alpha+beta",
    "alpha_beta",
    "alpha.",
    "alpha..",
    "beta",
    "1.0.0-alpha_beta",
    "-alpha.",
    "1.0.0-alpha..",
    "1.0.0-alpha..1",
    "1.0.0-alpha...1",
    "1.0.0-alpha....1",
    "1.0.0-alpha.....1",
    "1.0.0-alpha......1",
    "1.0.0-alpha.......1",
    "01.1.1",
    "1.01.1",
    "1.1.01",
    "1.2.3.DEV",
    "1.2-SNAPSHOT",
    "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788",
    "1.2-RC-SNAPSHOT",
    "-1.0.3-gamma+b7718",
    "+justmeta",
    "9.8.7+meta+meta",
    "9.8.7-whatever+meta+meta",
    endless,
};
// Not in that list, but what fleets send.
constexpr std::string_view also_invalid[] = {
    "",         " ",          "v1.2.3",   "V1.2.3",    " 1.2.3", "1.2.3 ", "1.2.3\n",
    "1.2.3-",   "1.2.3+",     "1.2.3-+",  "1..3",      "1.2.",   ".2.3",   "1,2,3",
    "1.2.3-ä",  "1.2.3-a+b.", "1.2.3-.a", "0x1.0.0",   "+1.2.3", "1.+2.3", "1.2.3-a.",
    "1.2.3--.", "1.2.3.4",    "٣.1.4",    "1.2.3-a b",
};

TEST(Semver, EveryValidExampleOfTheSpecificationIsReadUpToTheWiresLength) {
  for (std::string_view text : valid) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(parse_semver(text, any_length));
    EXPECT_EQ(parse_semver(text).has_value(), text.size() <= max_version_bytes);
  }
}

TEST(Semver, EveryInvalidExampleOfTheSpecificationIsRefused) {
  for (std::string_view text : invalid) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_semver(text, any_length));
  }
}

TEST(Semver, WhatOnlyResemblesAVersionIsRefused) {
  for (std::string_view text : also_invalid) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_semver(text, any_length));
  }
  EXPECT_FALSE(parse_semver(std::string_view{"1.2.3\0", 6}));
}

TEST(Semver, PartsAreWhatStandsBetweenTheSigns) {
  const auto version = parse_semver("10.20.30-rc.1-x+build.5-y");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->major, 10U);
  EXPECT_EQ(version->minor, 20U);
  EXPECT_EQ(version->patch, 30U);
  EXPECT_EQ(version->prerelease, "rc.1-x");
  EXPECT_EQ(version->build, "build.5-y");
}

TEST(Semver, NumbersUpTo64BitsAreReadAndLargerOnesRefusedNotWrapped) {
  EXPECT_EQ(parse_semver("18446744073709551615.0.0")->major, 18446744073709551615U);
  EXPECT_FALSE(parse_semver("18446744073709551616.0.0"));
  EXPECT_FALSE(parse_semver("0.99999999999999999999.0"));
  EXPECT_FALSE(
      parse_semver("99999999999999999999999.999999999999999999.99999999999999999", any_length));
}

TEST(Semver, ThirtyTwoBytesAreTheLimit) {
  EXPECT_TRUE(parse_semver("1.0.0-" + std::string(26, 'a')));
  EXPECT_FALSE(parse_semver("1.0.0-" + std::string(27, 'a')));
}

// Ascending; the first group is item 11.4's own row, the rest its rules one by one.
constexpr std::string_view ascending[] = {
    "0.0.0-0",
    "0.0.0",
    "0.0.1",
    "0.1.0",
    "1.0.0-0",
    "1.0.0-2",
    "1.0.0-10",                    // by value, not by letter
    "1.0.0-18446744073709551617",  // beyond 64 bits
    "1.0.0-99999999999999999998",
    "1.0.0-99999999999999999999",
    "1.0.0-99999999999999999999.0",
    "1.0.0--",  // a hyphen alone is alphanumeric: above every number
    "1.0.0-A",
    "1.0.0-a",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0-rc.1a",
    "1.0.0",
    "1.0.9",
    "1.0.10",
    "1.10.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
    "10.0.0",
    "18446744073709551615.0.0",
};

TEST(Semver, PrecedenceIsTotalOverTheOrderedList) {
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      SCOPED_TRACE(std::string{ascending[i]} + " against " + std::string{ascending[j]});
      const auto a = parse_semver(ascending[i]);
      const auto b = parse_semver(ascending[j]);
      ASSERT_TRUE(a && b);
      EXPECT_EQ(compare_precedence(*a, *b), i <=> j);
      EXPECT_EQ(is_newer(ascending[i], ascending[j]), i > j);
    }
  }
}

TEST(Semver, BuildMetadataDoesNotCount) {
  EXPECT_EQ(compare_precedence(*parse_semver("1.0.0+a"), *parse_semver("1.0.0+b")),
            std::strong_ordering::equal);
  EXPECT_EQ(compare_precedence(*parse_semver("1.0.0-x+9"), *parse_semver("1.0.0-x")),
            std::strong_ordering::equal);
  EXPECT_FALSE(is_newer("1.0.0+2", "1.0.0+1"));
}

TEST(Semver, AnUnreadableCandidateIsNeverNewerAndAnUnreadableRunningVersionAlwaysOlder) {
  EXPECT_FALSE(is_newer("v2.0.0", "1.0.0"));
  EXPECT_FALSE(is_newer("", ""));
  EXPECT_FALSE(is_newer("arduino-lib-builder", "arduino-lib-builder"));
  EXPECT_TRUE(is_newer("0.0.1", ""));
  EXPECT_TRUE(is_newer("0.0.1", "arduino-lib-builder"));
}

}  // namespace
}  // namespace otaria::contract
