#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "operator/cli/testing/program.hpp"
#include "operator/cli/testing/stage.hpp"

/// `otaria` as an operator meets it: command line in; exit code, standard output and error out.
namespace otaria::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::run;
using testing::Stage;

const std::string otaria = OTARIA_BIN_DIR "/otaria";
constexpr const char* update_id = "01JDUPDATE0000000000A1B200";

std::string image_file() {
  std::string path = ::testing::TempDir() + "image" + std::to_string(::getpid()) + ".bin";
  std::ofstream(path, std::ios::binary) << "\xE9" << std::string(5000, 'x');
  return path;
}

Outcome against(Stage& stage, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--server", stage.url()});
  return run(otaria, std::move(arguments));
}

struct Case {
  std::vector<std::string> arguments;
  int exit_code;
  std::string out;  ///< contained in standard output; with --json: a code or key
  std::string err;
};

TEST(Otaria, AnswersEachCommandLineWithItsExitCodeAndText) {
  Stage stage;
  const std::string file = image_file();
  ASSERT_EQ(against(stage, {"update", "send", "sensor_A1B2", "--release", "1.4.0"}).exit_code, 0);
  const std::vector<Case> cases{
      {{"version"}, 0, "otaria 0.", ""},
      {{"release", "publish", file, "--version", "1.4.0"}, 0, "Published.", ""},
      {{"release", "publish", file, "--version", "1.3.9"}, 0, "was there already", ""},
      {{"release", "publish", file, "--version", "9.9.9"}, 3, "", "release_exists"},
      {{"release", "publish", "/nowhere.bin"}, 2, "", "no such file"},
      {{"release", "publish", file, "--security-fix"}, 2, "", "key_required"},
      {{"release", "list"}, 0, "922,809", ""},
      {{"release", "list", "--version", "5.0.0"}, 0, "No releases", ""},
      {{"release", "show", Stage::release_id}, 0, "esp32s3-8mb", ""},
      {{"release", "show", "1.4.0"}, 0, Stage::release_id, ""},
      {{"release", "show", "2.0.0"}, 3, "", "ambiguous_release"},
      {{"release", "show", "5.0.0"}, 3, "", "unknown_release"},
      {{"update", "send", "sensor_A1B2", "--release", "1.4.0"}, 0, "Accepted: 1 update", ""},
      {{"update", "send", "sensor_FFFF", "--release", "1.4.0"}, 3, "", "unknown_device"},
      {{"update", "send", "a/b", "--release", "1.4.0"}, 2, "", "bad_device_id"},
      {{"update", "send", "sensor_A1B2"}, 2, "", "--release is required"},
      {{"update", "send", "sensor_A1B2", "--release", "1", "--spread", "soon"}, 2, "", "duration"},
      {{"update", "send", "sensor_A1B2", "--release", "1", "--deadline", "soon"}, 2, "", "time"},
      {{"update", "list", "--open"}, 0, update_id, ""},
      {{"update", "show", update_id}, 0, "offered", ""},
      {{"update", "show", "nope"}, 3, "", "unknown_update"},
      {{"update", "withdraw", update_id}, 0, "withdrawn", ""},
      {{"device", "list"}, 0, "sensor_A1B2", ""},
      {{"device", "show", "sensor_A1B2"}, 0, "3,342,336 bytes", ""},
      {{"device", "show", "sensor_0000"}, 3, "", "unknown_device"},
      {{"device", "history", "sensor_A1B2"}, 0, "downloading", ""},
      {{"device", "show", "list"},
       3,
       "",
       "unknown_device"},  // a verb's name is an id like any other
      {{"completion", "tcsh"}, 2, "", "bash"},
      {{}, 2, "", "subcommand is required"},
      {{"update"}, 2, "", "otaria update --help"},
      {{"nonsense"}, 2, "", "nonsense"},
      {{"device", "list", "--nonsense"}, 2, "", "--nonsense"},
      {{"up", "--http", "nonsense"}, 2, "", "ADDR:PORT"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(json(each.arguments).dump());
    const Outcome outcome = against(stage, each.arguments);
    EXPECT_EQ(outcome.exit_code, each.exit_code);
    EXPECT_THAT(outcome.out, HasSubstr(each.out));
    EXPECT_THAT(outcome.err, HasSubstr(each.err));
    if (each.exit_code != 0) {
      EXPECT_THAT(outcome.out, IsEmpty());
      EXPECT_THAT(outcome.err, HasSubstr("What to do: "));
    }
  }
}

TEST(Otaria, WithJsonPrintsExactlyOneObjectWhateverHappens) {
  Stage stage;
  const std::string file = image_file();
  ASSERT_EQ(against(stage, {"update", "send", "sensor_A1B2", "--release", "1.4.0"}).exit_code, 0);
  const std::vector<Case> cases{
      {{"version"}, 0, "version", ""},
      {{"completion", "bash"}, 0, "script", ""},
      {{"release", "publish", file, "--version", "1.4.0"}, 0, "sha256", ""},
      {{"release", "publish", file, "--version", "9.9.9"}, 3, "", "release_exists"},
      {{"release", "publish", "/nowhere.bin"}, 2, "", "no_such_file"},
      {{"release", "list"}, 0, "items", ""},
      {{"release", "show", "1.4.0"}, 0, "sha256", ""},
      {{"release", "show", "5.0.0"}, 3, "", "unknown_release"},
      {{"update", "send", "sensor_A1B2", "--release", "1.4.0"}, 0, "items", ""},
      {{"update", "send", "sensor_FFFF", "--release", "1.4.0"}, 3, "", "unknown_device"},
      {{"update", "send", "sensor_A1B2"}, 2, "", "usage"},
      {{"update", "list"}, 0, "items", ""},
      {{"update", "show", update_id}, 0, "history", ""},
      {{"update", "withdraw", update_id}, 0, "items", ""},
      {{"device", "list"}, 0, "items", ""},
      {{"device", "show", "sensor_A1B2"}, 0, "updates", ""},
      {{"device", "history", "sensor_A1B2"}, 0, "items", ""},
      {{"nonsense"}, 2, "", "usage"},
      {{"up", "--data", "/proc/nowhere"}, 2, "", ""},
  };
  for (const Case& each : cases) {
    for (const bool before : {true, false}) {
      SCOPED_TRACE(json(each.arguments).dump());
      std::vector<std::string> arguments = each.arguments;
      arguments.insert(before ? arguments.begin() : arguments.end(), "--json");
      const Outcome outcome = against(stage, arguments);
      EXPECT_EQ(outcome.exit_code, each.exit_code);
      const json object = json::parse(outcome.out, nullptr, false);
      ASSERT_TRUE(object.is_object()) << outcome.out;
      EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
      if (each.exit_code == 0) {
        EXPECT_TRUE(object.contains(each.out)) << outcome.out;
        continue;
      }
      ASSERT_TRUE(object.contains("error")) << outcome.out;
      for (const char* member : {"code", "detail", "hint"})
        EXPECT_TRUE(object["error"][member].is_string()) << outcome.out;
      if (!each.err.empty()) {
        EXPECT_EQ(object["error"]["code"], each.err);
      }
      EXPECT_THAT(outcome.err, IsEmpty());
    }
  }
}

TEST(Otaria, SaysUnreachableForEveryVerbThatNeedsAServer) {
  std::string url;
  {
    testing::FakeServer gone([](const auto&) { return testing::FakeServer::Reply{}; });
    url = gone.url();
  }
  const std::vector<std::vector<std::string>> verbs{{"release", "list"},
                                                    {"release", "show", "1.0.0"},
                                                    {"release", "publish", image_file()},
                                                    {"update", "send", "a", "--release", "1.0.0"},
                                                    {"update", "list"},
                                                    {"update", "show", "x"},
                                                    {"update", "watch"},
                                                    {"update", "withdraw", "x"},
                                                    {"device", "list"},
                                                    {"device", "show", "a"},
                                                    {"device", "history", "a"},
                                                    {"monitor"}};
  for (const auto& verb : verbs) {
    SCOPED_TRACE(json(verb).dump());
    const Outcome outcome = run(otaria, verb, {{"OTARIA_SERVER", url}});
    EXPECT_EQ(outcome.exit_code, 4);
    EXPECT_THAT(outcome.err, HasSubstr(url));
    EXPECT_THAT(outcome.err, HasSubstr("otaria up"));
  }
}

TEST(Otaria, SendsWhatTheCommandLineSays) {
  Stage stage;
  ASSERT_EQ(against(stage,
                    {"update",
                     "send",
                     "sensor_A1B2",
                     "sensor_C3D4",
                     "sensor_A1B2",
                     "--release",
                     "1.4.0",
                     "--product",
                     "sensor",
                     "--force",
                     "--spread",
                     "5m",
                     "--not-before",
                     "1790000000",
                     "--deadline",
                     "2030-01-01T00:00:00Z"})
                .exit_code,
            0);
  const json body = json::parse(stage.server().seen().back().body);
  EXPECT_EQ(body,
            json({{"devices", {"sensor_A1B2", "sensor_C3D4"}},
                  {"release", "1.4.0"},
                  {"product", "sensor"},
                  {"force", true},
                  {"spread", 300},
                  {"not_before", 1790000000},
                  {"deadline", 1893456000}}));
}

TEST(Otaria, PublishesHardwareOnceEachAndTheFileAfterThem) {
  Stage stage;
  ASSERT_EQ(against(stage,
                    {"release",
                     "publish",
                     "--hardware",
                     "a",
                     "--hardware",
                     "b c",
                     image_file(),
                     "--notes",
                     "50 % faster"})
                .exit_code,
            0);
  const auto seen = stage.server().seen().back();
  EXPECT_EQ(seen.target, "/api/v1/releases?notes=50%20%25%20faster&hardware=a&hardware=b%20c");
  EXPECT_EQ(seen.body.size(), 5001U);
}

TEST(Otaria, TakesServerAndTokenFromTheEnvironmentAndPrefersTheFlags) {
  Stage stage;
  Stage other;
  const std::string file = ::testing::TempDir() + "token" + std::to_string(::getpid());
  std::ofstream(file) << "tok\n";
  ::chmod(file.c_str(), 0600);
  ASSERT_EQ(
      run(otaria, {"device", "list"}, {{"OTARIA_SERVER", stage.url()}, {"OTARIA_TOKEN_FILE", file}})
          .exit_code,
      0);
  EXPECT_THAT(stage.server().seen().at(0).head, HasSubstr("Authorization: Bearer tok"));
  ASSERT_EQ(
      run(otaria, {"device", "list", "--server", other.url()}, {{"OTARIA_SERVER", stage.url()}})
          .exit_code,
      0);
  EXPECT_EQ(stage.server().seen().size(), 1U);
  ::chmod(file.c_str(), 0644);
  const Outcome exposed =
      run(otaria, {"device", "list", "--token-file", file}, {{"OTARIA_SERVER", stage.url()}});
  EXPECT_EQ(exposed.exit_code, 2);
  EXPECT_THAT(exposed.err, HasSubstr("chmod 600"));
}

TEST(Otaria, EveryVerbsHelpListsItsOptionsAndAnExample) {
  const std::map<std::string, std::vector<std::string>> verbs{
      {"release publish",
       {"--version", "--product", "--hardware", "--channel", "--notes", "--key"}},
      {"release list", {"--product", "--version", "--limit"}},
      {"release show", {"--product"}},
      {"update send",
       {"--release",
        "--product",
        "--force",
        "--spread",
        "--not-before",
        "--deadline",
        "--wait",
        "--timeout"}},
      {"update list", {"--device", "--state", "--open", "--limit"}},
      {"update show", {}},
      {"update watch", {"--device", "--timeout"}},
      {"update withdraw", {}},
      {"device list", {"--limit"}},
      {"device show", {}},
      {"device history", {"--update"}},
      {"monitor", {"--timeout"}},
      {"up", {"--data", "--bind", "--mqtt-port", "--http", "--public-url"}},
      {"completion", {}},
      {"version", {}},
  };
  for (const auto& [verb, options] : verbs) {
    SCOPED_TRACE(verb);
    std::istringstream words(verb);
    std::vector<std::string> arguments{std::istream_iterator<std::string>(words), {}};
    arguments.emplace_back("--help");
    const Outcome outcome = run(otaria, arguments);
    EXPECT_EQ(outcome.exit_code, 0);
    for (const auto& option : options) EXPECT_THAT(outcome.out, HasSubstr(option));
    EXPECT_THAT(outcome.out, HasSubstr("Example:\n  "));
    EXPECT_THAT(outcome.out, HasSubstr(verb));
  }
}

TEST(Otaria, MakesInspectsAndHashesAnImageWithoutAServer) {
  const std::string file = ::testing::TempDir() + "made" + std::to_string(::getpid()) + ".bin";
  ASSERT_EQ(run(otaria,
                {"image",
                 "make",
                 file,
                 "--version",
                 "1.4.0",
                 "--project",
                 "sensor",
                 "--size",
                 "400000",
                 "--chip",
                 "esp32c3"})
                .exit_code,
            0);
  EXPECT_EQ(std::filesystem::file_size(file), 400000U);
  const Outcome table = run(otaria, {"image", "inspect", file});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, HasSubstr("1.4.0"));
  EXPECT_THAT(table.out, HasSubstr("esp32c3"));
  EXPECT_TRUE(json::parse(run(otaria, {"--json", "image", "inspect", file}).out, nullptr, false)
                  .is_object());
  const Outcome hash = run(otaria, {"image", "hash", file});
  EXPECT_EQ(hash.out, run("/usr/bin/sha256sum", {file}).out.substr(0, 64) + "\n");
  for (const char* size : {"", "-16", "1.5M", "9999999999", "16G", "17592186044417M", " +16"}) {
    EXPECT_EQ(run(otaria, {"image", "make", file, "--size", size}).exit_code, 2) << size;
  }
  EXPECT_EQ(run(otaria, {"image", "make", file, "--chip", "z80"}).exit_code, 2);
  std::ofstream(file, std::ios::binary) << "no image";
  EXPECT_EQ(run(otaria, {"image", "inspect", file}).exit_code, 3);
  std::filesystem::remove(file);
}

TEST(Otaria, AReaderThatLeavesIsNoCrash) {
  Stage stage;
  const Outcome outcome =
      run("/bin/sh", {"-c", otaria + " --server " + stage.url() + " device list | true; exit 0"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, Not(HasSubstr("signal")));
}

}  // namespace
}  // namespace otaria::cli
