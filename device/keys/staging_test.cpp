#include "device/keys/staging.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

constexpr std::uint32_t sector = Flash::sector_bytes;
constexpr std::uint32_t base = 2 * sector;
constexpr std::uint32_t limit = 2 * sector;

std::vector<std::uint8_t> bytes_of(std::uint32_t count, std::uint32_t seed) {
  std::mt19937 random{seed};
  std::vector<std::uint8_t> bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

void prepare(Staging& staging, Flash& flash) {
  for (bool ready = false; !ready;) {
    const auto prepared = staging.prepare(flash);
    ASSERT_TRUE(prepared);
    ready = prepared.value();
  }
}

TEST(Staging, WritesAFileHoweverItIsCut) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random{seed};
    FakeFlash flash{6 * sector};
    std::fill(flash.cells().begin(), flash.cells().end(), std::uint8_t{0x5A});
    const auto file =
        bytes_of(seed < 3 ? limit - seed : static_cast<std::uint32_t>(random() % limit), seed);
    Staging staging;
    staging.begin(base, limit);
    prepare(staging, flash);
    for (std::size_t at = 0; at < file.size();) {
      const std::size_t piece = std::min<std::size_t>(file.size() - at, random() % 200);
      ASSERT_TRUE(staging.append(flash, std::span{file}.subspan(at, piece)));
      at += piece;
    }
    const auto length = staging.finish(flash);
    ASSERT_TRUE(length);
    EXPECT_EQ(length.value(), file.size());
    EXPECT_FALSE(staging.active());
    EXPECT_TRUE(std::equal(file.begin(), file.end(), flash.cells().begin() + base));
    EXPECT_FALSE(flash.rule_broken());
    // Neighbours are untouched.
    EXPECT_EQ(flash.cells()[base - 1], 0x5A);
    EXPECT_EQ(flash.cells()[base + limit], 0x5A);
  }
}

TEST(Staging, ErasesOneSectorPerCallAndNoneWhileBytesCome) {
  FakeFlash flash{6 * sector};
  Staging staging;
  staging.begin(base, limit);
  const auto first = staging.prepare(flash);
  EXPECT_TRUE(first && !first.value());
  EXPECT_EQ(flash.erases(), 1U);
  const auto second = staging.prepare(flash);
  EXPECT_TRUE(second && second.value());
  EXPECT_EQ(flash.erases(), 2U);
  ASSERT_TRUE(staging.append(flash, bytes_of(limit, 1)));
  ASSERT_TRUE(staging.finish(flash));
  EXPECT_EQ(flash.erases(), 2U);
}

TEST(Staging, RefusesTheFirstByteBeyondTheLimitAndWritesNothingThere) {
  FakeFlash flash{6 * sector};
  Staging staging;
  staging.begin(base, sector);
  prepare(staging, flash);
  ASSERT_TRUE(staging.append(flash, bytes_of(sector - 1, 1)));
  const Status refused = staging.append(flash, bytes_of(2, 2));
  EXPECT_EQ(refused.error().fault, Fault::too_large);
  EXPECT_EQ(refused.error().found, sector + 1);
  EXPECT_EQ(refused.error().expected, sector);
  EXPECT_FALSE(staging.active());
  EXPECT_EQ(flash.cells()[base + sector], 0xFF);
}

TEST(Staging, SaysThatTheFlashFailed) {
  FakeFlash flash{6 * sector};
  Staging staging;
  staging.begin(base, limit);
  prepare(staging, flash);
  flash.cut_after(0);
  EXPECT_EQ(staging.append(flash, bytes_of(100, 1)).error().fault, Fault::flash_failed);
  staging.begin(base, limit);
  EXPECT_FALSE(staging.prepare(flash));
}

}  // namespace
}  // namespace otaria::device
