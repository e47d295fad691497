#include "contract/fuzz/driver.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace {

/// A parser with a defect of each kind, behind words that only its seeds and its dictionary have.
int parse(std::string_view text) {
  if (text.find("crash") != text.npos) std::abort();
  if (text.find("throw") != text.npos) throw std::runtime_error("on purpose");
  if (text.find("exit") != text.npos) _exit(3);
  while (text.find("hang") != text.npos) usleep(1000);
  return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return parse({reinterpret_cast<const char*>(data), size});
}

namespace otaria::fuzz {
namespace {

namespace fs = std::filesystem;

class FuzzDriver : public testing::Test {
 protected:
  FuzzDriver() {
    std::string pattern = testing::TempDir() + "fuzz_driver_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    fs::create_directory(folder_ / "seeds");
    options_.paths = {(folder_ / "seeds").string()};
    options_.artifact_prefix = (folder_ / "findings" / "parser-").string();
    options_.most_runs = 3000;
  }
  ~FuzzDriver() override { fs::remove_all(folder_); }

  void seed(std::string_view text) const { std::ofstream{folder_ / "seeds" / "one"} << text; }
  [[nodiscard]] int run() const { return fuzz::run("fuzz_parser", options_); }

  /// The only finding: its file's name, and what stands in it.
  [[nodiscard]] std::pair<std::string, std::string> finding() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder_ / "findings"}) {
      files.push_back(entry.path());
    }
    if (files.size() != 1) return {std::to_string(files.size()) + " findings", ""};
    std::ifstream file{files.front()};
    return {files.front().filename().string(), {std::istreambuf_iterator<char>{file}, {}}};
  }

  fs::path folder_;
  Options options_;
};

TEST_F(FuzzDriver, TargetThatHoldsIsRunAsOftenAsAsked) {
  seed("harmless");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(), 0);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("1 seeds, 3000 runs, seed 1: nothing found"), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(folder_ / "findings"));
}

TEST_F(FuzzDriver, SeedThatCrashesIsWrittenAsItIs) {
  seed("a crash at once");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(), 1);
  const std::string said = testing::internal::GetCapturedStderr();
  const auto [name, text] = finding();
  EXPECT_TRUE(name.starts_with("parser-crash-")) << name;
  EXPECT_EQ(text, "a crash at once");
  EXPECT_NE(said.find("fuzz_parser " + (folder_ / "findings" / name).string()), std::string::npos)
      << said;
}

TEST_F(FuzzDriver, WordOfTheDictionaryLeadsToTheCrash) {
  seed("harmless");
  std::ofstream{folder_ / "words"} << "\"crash\"\n";
  options_.dictionary = (folder_ / "words").string();
  EXPECT_EQ(run(), 1);
  EXPECT_NE(finding().second.find("crash"), std::string::npos);
}

TEST_F(FuzzDriver, ExceptionsAndEarlyEndsAreFindingsToo) {
  for (const char* text : {"throw", "exit"}) {
    seed(text);
    EXPECT_EQ(run(), 1) << text;
    EXPECT_EQ(finding().second, text);
    fs::remove_all(folder_ / "findings");
  }
}

TEST_F(FuzzDriver, InputThatHangsIsEndedAndKept) {
  seed("hang");
  options_.longest_run = std::chrono::seconds{0};
  EXPECT_EQ(run(), 1);
  const auto [name, text] = finding();
  EXPECT_TRUE(name.starts_with("parser-timeout-")) << name;
  // On a busy machine the child may be ended before it has come to the seed.
  EXPECT_TRUE(text == "hang" || text.empty()) << text;
}

TEST_F(FuzzDriver, FileIsRunInThisProcessToBeLookedAt) {
  seed("throw");
  options_.paths = {(folder_ / "seeds" / "one").string()};
  EXPECT_THROW((void)run(), std::runtime_error);
  seed("harmless");
  EXPECT_EQ(run(), 0);
}

TEST_F(FuzzDriver, FolderThatIsNotThereIsAnError) {
  options_.paths = {(folder_ / "elsewhere").string()};
  EXPECT_THROW((void)run(), std::runtime_error);
}

TEST(FuzzDriverOptions, AreLibFuzzers) {
  const Options options = options_from({"-seed=7",
                                        "-max_total_time=60",
                                        "-max_len=0",
                                        "-runs=9",
                                        "-timeout=3",
                                        "-dict=words",
                                        "-artifact_prefix=a/b-",
                                        "seeds",
                                        "more"});
  EXPECT_EQ(options.seed, 7U);
  EXPECT_EQ(options.most_seconds.count(), 60);
  EXPECT_EQ(options.longest, 1U);
  EXPECT_EQ(options.most_runs, 9U);
  EXPECT_EQ(options.longest_run.count(), 3);
  EXPECT_EQ(options.dictionary, "words");
  EXPECT_EQ(options.artifact_prefix, "a/b-");
  EXPECT_EQ(options.paths, (std::vector<std::string>{"seeds", "more"}));
}

TEST(FuzzDriverOptions, UnknownOnesAndBadNumbersAreErrors) {
  for (const char* bad : {"-fork=2", "-seed=x", "-runs", "-max_len=", "-"}) {
    EXPECT_THROW((void)options_from({bad}), std::runtime_error) << bad;
  }
}

}  // namespace
}  // namespace otaria::fuzz
