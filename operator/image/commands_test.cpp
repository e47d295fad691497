#include "operator/image/commands.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "device/slot/stock_tables.hpp"
#include "device/verify/golden_image.hpp"
#include "operator/image/test_files.hpp"

namespace otaria::image {
namespace {

constexpr std::string_view golden_sha256 =
    "c92d464004ba163cbcb33149cc2d4e32545484976c465bd8b3455752d0b539d0";

class Commands : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(device::init_crypto());
    sound = folder.put("sound.bin", device::golden_image());
    auto bytes = device::golden_image();
    bytes[0x125] ^= 1;
    damaged = folder.put("damaged.bin", bytes);
  }
  nlohmann::json json_out() const { return nlohmann::json::parse(out.str()); }

  TestFolder folder;
  std::string sound;
  std::string damaged;
  std::ostringstream out;
  std::ostringstream err;
};

TEST_F(Commands, InspectPrintsATableWithEveryPart) {
  EXPECT_EQ(inspect(sound, false, out, err), 0);
  EXPECT_EQ(err.str(), "");
  for (const char* part : {"esp32s3 (9)",
                           "DIO, 80 MHz, 4 MB",
                           "0x40374000",
                           "DROM",
                           "IRAM",
                           "1.2.3",
                           "fleet-agent",
                           "v5.5.5",
                           "Jan  1 2026 12:34:56",
                           "max 1.99",
                           "64 KiB",
                           "0xae",
                           "load ranges       passed"}) {
    EXPECT_NE(out.str().find(part), std::string::npos) << part << " is missing in\n" << out.str();
  }
  EXPECT_NE(out.str().find(golden_sha256), std::string::npos);
}

TEST_F(Commands, InspectGivesOneJsonObject) {
  EXPECT_EQ(inspect(sound, true, out, err), 0);
  const auto json = json_out();
  EXPECT_EQ(json["sha256"], golden_sha256);
  EXPECT_EQ(json["chip"], "esp32s3");
  EXPECT_EQ(json["segments"].size(), 2U);
  EXPECT_EQ(json["segments"][0]["kind"], "DROM");
  EXPECT_EQ(json["descriptor"]["version"], "1.2.3");
  EXPECT_EQ(json["checks"]["load_ranges"], true);
}

TEST_F(Commands, InspectOfADamagedImageExitsWith3AndNamesTheDefect) {
  EXPECT_EQ(inspect(damaged, false, out, err), 3);
  EXPECT_NE(out.str().find("FAILED"), std::string::npos);
  EXPECT_EQ(err.str().find("error: bad_checksum: "), 0U);
  EXPECT_NE(err.str().find("hint: "), std::string::npos);
}

TEST_F(Commands, InspectOfADamagedImageGivesTheErrorAloneAsJson) {
  EXPECT_EQ(inspect(damaged, true, out, err), 3);
  const auto json = json_out();
  EXPECT_EQ(json.size(), 1U);
  EXPECT_EQ(json["error"]["code"], "bad_checksum");
  EXPECT_FALSE(json["error"]["detail"].get<std::string>().empty());
  EXPECT_FALSE(json["error"]["hint"].get<std::string>().empty());
}

TEST_F(Commands, InspectNeverFailsOnTheChipButSaysWhatWasNotChecked) {
  auto bytes = device::golden_image();
  bytes[12] = 0x77;
  device::reseal(bytes, device::golden_digest_at);
  EXPECT_EQ(inspect(folder.put("other.bin", bytes), false, out, err), 0);
  EXPECT_NE(out.str().find("unknown (119)"), std::string::npos);
  EXPECT_NE(out.str().find("load ranges       not checked"), std::string::npos);
}

TEST_F(Commands, InspectLetsNoControlCharacterOfAFileReachTheTerminal) {
  auto bytes = device::golden_image();
  device::put_text(bytes, 0x30, "\x1b[2J\xff");
  device::reseal(bytes, device::golden_digest_at);
  const std::string path = folder.put("evil.bin", bytes);
  EXPECT_EQ(inspect(path, false, out, err), 0);
  EXPECT_EQ(out.str().find('\x1b'), std::string::npos);
  out.str("");
  EXPECT_EQ(inspect(path, true, out, err), 0);
  EXPECT_NO_THROW((void)json_out());
}

TEST_F(Commands, InspectOfEveryKindOfDamageNamesIt) {
  for (std::size_t at = 0; at < device::golden_image().size(); at += 5) {
    auto bytes = device::golden_image();
    bytes[at] ^= 0x40;
    std::ostringstream json;
    const int code = inspect(folder.put("x.bin", bytes), true, json, err);
    // A changed chip id is found by the appended digest: the chip itself is no reason to fail.
    ASSERT_EQ(code, 3) << at;
    ASSERT_FALSE(nlohmann::json::parse(json.str())["error"]["detail"].get<std::string>().empty());
  }
}

TEST_F(Commands, HashOfOneFileIsTheDigestAlone) {
  EXPECT_EQ(hash({sound}, false, out, err), 0);
  EXPECT_EQ(out.str(), std::string{golden_sha256} + "\n");
  EXPECT_EQ(err.str(), "");
}

TEST_F(Commands, HashOfSeveralFilesNamesThem) {
  EXPECT_EQ(hash({sound, sound}, false, out, err), 0);
  const std::string line = std::string{golden_sha256} + "  " + sound + "\n";
  EXPECT_EQ(out.str(), line + line);
}

TEST_F(Commands, HashOfSomethingElseIsPrintedWithANote) {
  EXPECT_EQ(hash({folder.put_text("abc", "abc")}, false, out, err), 0);
  EXPECT_EQ(out.str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
  EXPECT_EQ(err.str().find("note: not a sound ESP application image"), 0U);
}

TEST_F(Commands, HashGoesOnAfterAnUnreadableFileAndThenExitsWith3) {
  EXPECT_EQ(hash({folder.at("absent"), sound}, false, out, err), 3);
  EXPECT_NE(out.str().find(golden_sha256), std::string::npos);
  EXPECT_NE(err.str().find("No such file"), std::string::npos);
}

TEST_F(Commands, HashAsJsonIsOneObject) {
  EXPECT_EQ(hash({sound}, true, out, err), 0);
  EXPECT_EQ(json_out()["sha256"], golden_sha256);
  EXPECT_EQ(json_out()["valid_image"], true);
  out.str("");
  EXPECT_EQ(hash({sound, damaged}, true, out, err), 0);
  EXPECT_EQ(json_out()["files"][1]["valid_image"], false);
  out.str("");
  EXPECT_EQ(hash({folder.at("absent")}, true, out, err), 3);
  EXPECT_EQ(json_out()["error"]["code"], "unreadable");
}

TEST_F(Commands, MakeWritesAnImageThatInspectAccepts) {
  MakeOptions options;
  options.version = "1.4.0";
  EXPECT_EQ(make(options, folder.at("made.bin"), true, out, err), 0);
  EXPECT_EQ(json_out()["bytes"], options.bytes);
  out.str("");
  EXPECT_EQ(inspect(folder.at("made.bin"), true, out, err), 0);
  EXPECT_EQ(json_out()["descriptor"]["version"], "1.4.0");
}

TEST_F(Commands, MakeWithBadOptionsIsAUsageErrorAndWritesNothing) {
  MakeOptions options;
  options.bytes = 100;
  EXPECT_EQ(make(options, folder.at("made.bin"), false, out, err), 2);
  EXPECT_FALSE(std::filesystem::exists(folder.at("made.bin")));
  options = {};
  EXPECT_EQ(make(options, folder.at("absent/made.bin"), false, out, err), 3);
}

TEST_F(Commands, PartitionsConvertBothWays) {
  const std::string csv =
      folder.put_text("t.csv", "nvs,data,nvs,,16K,\notadata,data,ota,,8K,\na,app,ota_0,,1M,\n");
  EXPECT_EQ(partitions({csv, folder.at("t.bin")}, false, out, err), 0);
  EXPECT_EQ(folder.get("t.bin").size(), device::table_bytes);
  EXPECT_EQ(partitions({folder.at("t.bin"), folder.at("again.csv")}, false, out, err), 0);
  EXPECT_EQ(partitions({folder.at("again.csv"), folder.at("again.bin")}, false, out, err), 0);
  EXPECT_EQ(folder.get("again.bin"), folder.get("t.bin"));
}

TEST_F(Commands, PartitionsPrintATableOrJson) {
  const std::string csv = folder.put_text("t.csv", "nvs,data,nvs,,16K,encrypted:readonly\n");
  EXPECT_EQ(partitions({csv, ""}, false, out, err), 0);
  EXPECT_NE(out.str().find("nvs               data             nvs        0x00009000          16  "
                           "encrypted:readonly"),
            std::string::npos)
      << out.str();
  out.str("");
  EXPECT_EQ(partitions({csv, ""}, true, out, err), 0);
  EXPECT_EQ(json_out()["partitions"][0]["offset"], 0x9000);
}

TEST_F(Commands, PartitionsNameWhatIsWrong) {
  EXPECT_EQ(partitions({folder.put_text("t.csv", "\nnvs,disk,nvs,,16K\n"), ""}, false, out, err),
            3);
  EXPECT_NE(err.str().find("bad_type"), std::string::npos);
  EXPECT_NE(err.str().find("line 2"), std::string::npos);
  std::vector<std::uint8_t> broken(device::table_bytes);
  ASSERT_TRUE(device::write_partition_table(device::otaria_8mb(),
                                            std::span<std::uint8_t, device::table_bytes>{broken}));
  broken[40] ^= 1;
  EXPECT_EQ(partitions({folder.put("t.bin", broken), ""}, true, out, err), 3);
  EXPECT_EQ(json_out()["error"]["code"], "bad_md5");
}

/// Output and exit code of the program itself.
std::pair<std::string, int> run(const std::string& arguments) {
  std::FILE* pipe = popen((GENERATE_FIRMWARE_HASH " " + arguments + " 2>/dev/null").c_str(), "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  return {output, WEXITSTATUS(pclose(pipe))};
}

TEST_F(Commands, GenerateFirmwareHashIsTheProgramOfTheBrief) {
  EXPECT_EQ(run(sound), std::pair(std::string{golden_sha256} + "\n", 0));
  EXPECT_EQ(run("-- " + damaged).second, 0);
  EXPECT_EQ(run(folder.at("absent")).second, 3);
  EXPECT_EQ(run("").second, 2);
  EXPECT_EQ(run("--wrong " + sound).second, 2);
  EXPECT_EQ(run("--help").second, 0);
  EXPECT_EQ(nlohmann::json::parse(run("--json " + sound).first)["sha256"], golden_sha256);
}

}  // namespace
}  // namespace otaria::image
