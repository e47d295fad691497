#include "simulator/chip/virtual_flash.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "device/ports/fake_flash.hpp"
#include "device/ports/flash_contract_test.hpp"
#include "simulator/chip/tearing.hpp"
#include "simulator/chip/temporary_folder.hpp"

namespace otaria::device {
namespace {

using simulator::TemporaryFolder;
using simulator::VirtualFlash;

class HeldVirtualFlash final : public FlashHolder {
 public:
  explicit HeldVirtualFlash(VirtualFlash flash) : flash_{std::move(flash)} {}
  Flash& flash() override { return flash_; }

 private:
  VirtualFlash flash_;
};

class HeldFileFlash final : public FlashHolder {
 public:
  Flash& flash() override { return flash_; }

 private:
  TemporaryFolder folder_;
  VirtualFlash flash_ =
      VirtualFlash::create_file(folder_ / "flash.bin", 4 * VirtualFlash::megabyte);
};

class HeldFakeFlash final : public FlashHolder {
 public:
  Flash& flash() override { return flash_; }

 private:
  FakeFlash flash_{16 * Flash::sector_bytes};
};

INSTANTIATE_TEST_SUITE_P(FakeFlash,
                         FlashContract,
                         testing::Values(FlashMaker{
                             "fake", [] { return std::make_unique<HeldFakeFlash>(); }}),
                         name_of_flash_maker);

INSTANTIATE_TEST_SUITE_P(
    VirtualFlash,
    FlashContract,
    testing::Values(FlashMaker{"memory",
                               [] {
                                 return std::make_unique<HeldVirtualFlash>(
                                     VirtualFlash::in_memory(VirtualFlash::megabyte));
                               }},
                    FlashMaker{"file", [] { return std::make_unique<HeldFileFlash>(); }}),
    name_of_flash_maker);

}  // namespace
}  // namespace otaria::device

namespace otaria::simulator {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr std::uint32_t sector = VirtualFlash::sector_bytes;
constexpr std::uint32_t megabyte = VirtualFlash::megabyte;

std::vector<std::uint8_t> read(VirtualFlash& flash, std::uint32_t address, std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  EXPECT_TRUE(flash.read(address, bytes));
  return bytes;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const FlashFileError& error) {
    return error.what();
  }
  return "no error";
}

TEST(VirtualFlash, CountsEachPageOfAWriteAndEachErase) {
  auto flash = VirtualFlash::in_memory(megabyte);
  ASSERT_TRUE(flash.erase_sector(0));
  ASSERT_TRUE(flash.write(200, std::vector<std::uint8_t>(600, 1)));  // pages 0, 1, 2 and 3
  EXPECT_EQ(flash.counters().sector_erases, 1u);
  EXPECT_EQ(flash.counters().page_programs, 4u);
  EXPECT_EQ(flash.counters().operations, 5u);
}

TEST(VirtualFlash, CountsAndTellsBitsThatAWriteCannotSet) {
  auto flash = VirtualFlash::in_memory(megabyte);
  std::string told;
  flash.on_misuse([&](std::string_view text) { told = text; });
  const std::array<std::uint8_t, 1> low{0xF0};
  const std::array<std::uint8_t, 1> high{0x0F};
  ASSERT_TRUE(flash.write(0x1234, low));
  EXPECT_EQ(flash.counters().forbidden_bits, 0u);
  ASSERT_TRUE(flash.write(0x1234, high));
  EXPECT_EQ(read(flash, 0x1234, 1)[0], 0);
  EXPECT_EQ(flash.counters().forbidden_bits, 4u);
  EXPECT_THAT(told, HasSubstr("0x001234"));
}

TEST(VirtualFlash, WithoutPowerEveryCallFailsAndNothingChanges) {
  auto flash = VirtualFlash::in_memory(megabyte);
  flash.cut_power_now();
  std::array<std::uint8_t, 4> bytes{};
  EXPECT_EQ(flash.read(0, bytes).error().found, VirtualFlash::no_power);
  EXPECT_EQ(flash.write(0, bytes).error().found, VirtualFlash::no_power);
  EXPECT_EQ(flash.erase_sector(0).error().found, VirtualFlash::no_power);
  flash.power_on();
  EXPECT_THAT(read(flash, 0, 4), Each(0xFF));
  EXPECT_EQ(flash.counters().power_cuts, 1u);
}

TEST(VirtualFlash, TheOperationNamedByTheCutIsTheLastOne) {
  auto flash = VirtualFlash::in_memory(megabyte);
  flash.cut_power_in(3);
  const std::array<std::uint8_t, 1> zero{0};
  EXPECT_TRUE(flash.write(0, zero));
  EXPECT_TRUE(flash.write(1, zero));
  EXPECT_FALSE(flash.write(2, zero));
  EXPECT_FALSE(flash.powered());
  EXPECT_FALSE(flash.write(3, zero));
  flash.power_on();
  EXPECT_EQ(read(flash, 3, 1)[0], 0xFF);
  EXPECT_TRUE(flash.write(3, zero)) << "a cut happens once";
}

TEST(VirtualFlash, ACutInsideALongWriteLeavesEarlierPagesWholeAndLaterOnesBlank) {
  auto flash = VirtualFlash::in_memory(megabyte);
  flash.cut_power_in(2);
  EXPECT_FALSE(flash.write(0, std::vector<std::uint8_t>(std::size_t{3} * 256, 0)));
  flash.power_on();
  EXPECT_THAT(read(flash, 0, 256), Each(0));
  EXPECT_THAT(read(flash, 512, 256), Each(0xFF));
}

std::vector<std::uint8_t> after_torn_write(std::uint64_t seed) {
  auto flash = VirtualFlash::in_memory(megabyte);
  flash.seed_tearing(seed);
  flash.cut_power_in(1);
  EXPECT_FALSE(flash.write(0, std::vector<std::uint8_t>(256, 0x5A)));
  flash.power_on();
  return read(flash, 0, 256);
}

TEST(VirtualFlash, TheSameSeedTearsAlikeAndSeedsDiffer) {
  std::set<std::vector<std::uint8_t>> outcomes;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    const auto torn = after_torn_write(seed);
    EXPECT_EQ(torn, after_torn_write(seed));
    outcomes.insert(torn);
  }
  EXPECT_GT(outcomes.size(), 10u);
}

TEST(Tearing, AProgramNeverClearsABitItWasNotAskedTo) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::vector<std::uint8_t> cells(64, 0xF3);
    const std::vector<std::uint8_t> wanted(64, 0x5A);
    tear_program(cells, wanted, seed);
    for (std::uint8_t cell : cells) {
      EXPECT_EQ(cell & (0xF3 & 0x5A), 0xF3 & 0x5A);
      EXPECT_EQ(cell & ~0xF3, 0);
    }
  }
}

enum class Torn { untouched, done, partly };

TEST(Tearing, EveryKindOfTornProgramOccurs) {
  std::map<Torn, int> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::vector<std::uint8_t> cells(64, 0xFF);
    tear_program(cells, std::vector<std::uint8_t>(64, 0), seed);
    const auto cleared = std::ranges::count(cells, 0);
    const auto whole = std::ranges::count(cells, 0xFF);
    ++seen[cleared == 64 ? Torn::done : whole == 64 ? Torn::untouched : Torn::partly];
  }
  EXPECT_GT(seen[Torn::untouched], 50);
  EXPECT_GT(seen[Torn::done], 50);
  EXPECT_GT(seen[Torn::partly], 150);
}

TEST(Tearing, ATornEraseCanLeaveZeroesOldBytesNewBytesAndMixtures) {
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::vector<std::uint8_t> cells(sector, 0xA5);
    tear_erase(cells, seed);
    const auto all = [&](std::uint8_t value) { return std::ranges::count(cells, value) == sector; };
    ++seen[all(0) ? "zero" : all(0xFF) ? "erased" : all(0xA5) ? "untouched" : "mixed"];
  }
  EXPECT_GT(seen["zero"], 30);
  EXPECT_GT(seen["erased"], 30);
  EXPECT_GT(seen["untouched"], 30);
  EXPECT_GT(seen["mixed"], 100);
}

TEST(VirtualFlash, TakesTheTimeOfItsTiming) {
  auto flash = VirtualFlash::in_memory(megabyte);
  std::chrono::microseconds slept{0};
  flash.set_sleeper([&](std::chrono::microseconds time) { slept += time; });
  flash.set_timing(FlashTiming::typical(2));
  ASSERT_TRUE(flash.erase_sector(0));
  ASSERT_TRUE(flash.write(0, std::vector<std::uint8_t>(512, 0)));
  EXPECT_EQ(slept, std::chrono::microseconds{2 * 45'000 + 2 * 2 * 400});
}

TEST(FlashFile, KeepsItsContentAndItsWearWhenItIsOpenedAgain) {
  TemporaryFolder folder;
  const auto file = folder / "flash.bin";
  {
    auto flash = VirtualFlash::create_file(file, 8 * megabyte);
    ASSERT_TRUE(flash.erase_sector(5 * sector));
    ASSERT_TRUE(flash.erase_sector(5 * sector));
    ASSERT_TRUE(flash.write(5 * sector + 7, std::array<std::uint8_t, 1>{0x42}));
  }
  auto flash = VirtualFlash::open_file(file);
  EXPECT_EQ(flash.size(), 8 * megabyte);
  EXPECT_EQ(read(flash, 5 * sector + 7, 1)[0], 0x42);
  EXPECT_EQ(flash.erases_per_sector()[5], 2u);
  EXPECT_EQ(flash.erases_per_sector()[6], 0u);
}

TEST(FlashFile, KeepsWhatWasProgrammedWhenTheProcessIsKilled) {
  TemporaryFolder folder;
  const auto file = folder / "flash.bin";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto flash = VirtualFlash::create_file(file, 4 * megabyte);
    const bool written{flash.write(100, std::array<std::uint8_t, 1>{0x42})};
    if (written) ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int how = 0;
  ASSERT_EQ(::waitpid(child, &how, 0), child);
  ASSERT_TRUE(WIFSIGNALED(how));
  auto flash = VirtualFlash::open_file(file);
  EXPECT_EQ(read(flash, 100, 1)[0], 0x42);
}

TEST(FlashFile, ASecondUserOfTheSameFileIsRefusedInWords) {
  TemporaryFolder folder;
  const auto file = folder / "flash.bin";
  auto flash = VirtualFlash::create_file(file, 4 * megabyte);
  ASSERT_TRUE(flash.write(0, std::array<std::uint8_t, 1>{0x42}));
  EXPECT_THAT(error_of([&] { VirtualFlash::open_file(file); }), HasSubstr("another process runs"));
  EXPECT_THAT(error_of([&] { VirtualFlash::create_file(file, 4 * megabyte); }),
              HasSubstr("another process runs"));
  EXPECT_EQ(read(flash, 0, 1)[0], 0x42);
}

TEST(FlashFile, AMissingFileAFolderAndAFileOfAnotherSizeAreRefused) {
  TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { VirtualFlash::open_file(folder / "none.bin"); }),
              HasSubstr("No such file"));
  EXPECT_THAT(error_of([&] { VirtualFlash::open_file(folder / ""); }), HasSubstr("directory"));
  std::ofstream{folder / "short.bin"} << "short";
  EXPECT_THAT(error_of([&] { VirtualFlash::open_file(folder / "short.bin"); }),
              HasSubstr("is 5 bytes long"));
}

TEST(FlashFile, AWearFileOfAnotherChipIsBegunAnew) {
  TemporaryFolder folder;
  const auto file = folder / "flash.bin";
  { VirtualFlash::create_file(file, 4 * megabyte); }
  std::ofstream{VirtualFlash::wear_file_of(file)} << "nonsense";
  auto flash = VirtualFlash::open_file(file);
  EXPECT_EQ(flash.erases_per_sector().size(), 1024u);
  EXPECT_THAT(flash.erases_per_sector(), Each(0u));
}

}  // namespace
}  // namespace otaria::simulator
