#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "operator/cli/testing/program.hpp"
#include "operator/cli/testing/stage.hpp"

/// `update send --wait`, `update watch` and `monitor`, while the server's word changes.
namespace otaria::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using testing::Program;
using testing::Stage;

const std::string otaria = OTARIA_BIN_DIR "/otaria";
constexpr const char* first = "01JDUPDATE0000000000A1B200";
constexpr const char* second = "01JDUPDATE0000000000C3D400";

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(json::parse(line, nullptr, false));
  return lines;
}

json download(unsigned percent) {
  return {{"progress", percent}, {"bytes", percent * 1000}, {"total", 100000}};
}

const json fault{{"error",
                  {{"code", "self_test_failed"},
                   {"detail", "2 of 3 sensors answered."},
                   {"hint", "Check the wiring."}}}};

TEST(SendAndWait, EndsWithZeroWhenEveryDeviceSucceeded) {
  Stage stage;
  Program program(otaria,
                  {"--server",
                   stage.url(),
                   "update",
                   "send",
                   "sensor_A1B2",
                   "sensor_C3D4",
                   "--release",
                   "1.4.0",
                   "--wait"});
  ASSERT_TRUE(program.await("sensor_C3D4: offered"));
  stage.server().await_streams(1);
  stage.set_state(first, "downloading", download(42));
  ASSERT_TRUE(program.await("42 %"));
  stage.set_state(first, "succeeded");
  stage.set_state(second, "succeeded");
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("sensor_A1B2: downloading 42 % (42,000 of 100,000 bytes)\n"));
  EXPECT_THAT(outcome.out, HasSubstr("sensor_A1B2: succeeded, runs 1.4.0\n"));
  EXPECT_THAT(outcome.out, HasSubstr("2 of 2 succeeded.\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
}

TEST(SendAndWait, TellsStatesThatPassedBetweenTwoEvents) {
  Stage stage;
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"});
  ASSERT_TRUE(program.await("sensor_A1B2: offered"));
  stage.server().await_streams(1);
  for (const char* state : {"received", "verifying", "installed", "rebooting", "trial"}) {
    stage.set_state(first, state, nlohmann::json::object(), true);
  }
  stage.set_state(first, "succeeded");
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr("sensor_A1B2: received\n"
                        "sensor_A1B2: verifying\n"
                        "sensor_A1B2: installed\n"
                        "sensor_A1B2: rebooting\n"
                        "sensor_A1B2: trial\n"
                        "sensor_A1B2: succeeded, runs 1.4.0\n"));
}

TEST(SendAndWait, EndsWithThreeAndTheReasonWhenADeviceRolledBack) {
  Stage stage;
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"});
  ASSERT_TRUE(program.await("offered"));
  stage.set_state(first, "rolled_back", fault);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.out,
              HasSubstr("self_test_failed: 2 of 3 sensors answered. Check the wiring."));
  EXPECT_THAT(outcome.out, HasSubstr("0 of 1 succeeded."));
}

TEST(SendAndWait, WithJsonPrintsOneObjectAtTheEnd) {
  Stage stage;
  Program program(otaria,
                  {"--server",
                   stage.url(),
                   "update",
                   "send",
                   "sensor_A1B2",
                   "--release",
                   "1.4.0",
                   "--wait",
                   "--json"});
  stage.server().await_streams(1);
  stage.set_state(first, "rolled_back", fault);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 3);
  const auto lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 1U) << outcome.out;
  EXPECT_EQ(lines[0]["failed"], 1);
  EXPECT_EQ(lines[0]["items"][0]["state"], "rolled_back");
  EXPECT_EQ(lines[0]["error"]["code"], "update_failed");
}

TEST(SendAndWait, StopsWatchingAfterItsTimeoutAndSaysHowToGoOn) {
  Stage stage;
  const Outcome outcome = testing::run(otaria,
                                       {"--server",
                                        stage.url(),
                                        "update",
                                        "send",
                                        "sensor_A1B2",
                                        "--release",
                                        "1.4.0",
                                        "--wait",
                                        "--timeout",
                                        "1"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("[timeout]"));
  EXPECT_THAT(outcome.err, HasSubstr(std::string("otaria update watch ") + first));
}

TEST(SendAndWait, CtrlCLeavesTheUpdateRunningAndSaysHowToWatchItAgain) {
  Stage stage;
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"});
  ASSERT_TRUE(program.await("offered"));
  program.signal(SIGINT);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_THAT(outcome.err, HasSubstr(std::string("otaria update watch ") + first));
  for (const auto& seen : stage.server().seen()) EXPECT_NE(seen.method, "DELETE");
}

TEST(SendAndWait, SurvivesARestartOfTheServerAndSaysSo) {
  Stage stage;
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"});
  stage.server().await_streams(1);
  stage.server().stop();
  ASSERT_TRUE(program.await("Trying again"));
  stage.set_state(first, "succeeded", json::object(), true);
  stage.server().start();
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("The server is back."));
}

TEST(SendAndWait, AsksAgainAndAgainWhereThereAreNoEvents) {
  Stage stage;
  stage.without_events();
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"});
  ASSERT_TRUE(program.await("offered"));
  stage.set_state(first, "trial", json::object(), true);
  ASSERT_TRUE(program.await("sensor_A1B2: trial"));
  stage.set_state(first, "succeeded", json::object(), true);
  EXPECT_EQ(program.finish().exit_code, 0);
}

TEST(SendAndWait, OnATerminalDrawsABarPerDeviceInPlace) {
  Stage stage;
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"},
      {{"LANG", "C.UTF-8"}},
      true);
  stage.server().await_streams(1);
  stage.set_state(first, "downloading", download(50));
  ASSERT_TRUE(program.await(" 50 %"));
  EXPECT_THAT(program.out(), HasSubstr("█"));
  EXPECT_THAT(program.out(), HasSubstr("\x1b[1A"));
  EXPECT_THAT(program.out(), HasSubstr("48.8 KiB / 97.7 KiB"));
  stage.set_state(first, "succeeded");
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("1 of 1 succeeded."));
}

TEST(SendAndWait, NoColorKeepsTheBarsAndDropsTheColours) {
  Stage stage;
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"},
      {{"NO_COLOR", "1"}},
      true);
  stage.server().await_streams(1);
  stage.set_state(first, "succeeded");
  const Outcome outcome = program.finish();
  EXPECT_THAT(outcome.out, HasSubstr("[#####"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b[3")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b[0m")));
}

TEST(SendAndWait, ADumbTerminalGetsPlainLines) {
  Stage stage;
  Program program(
      otaria,
      {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0", "--wait"},
      {{"TERM", "dumb"}},
      true);
  stage.server().await_streams(1);
  stage.set_state(first, "succeeded");
  const Outcome outcome = program.finish();
  EXPECT_THAT(outcome.out, HasSubstr("sensor_A1B2: succeeded"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
}

TEST(Watch, WithJsonPrintsALinePerChangeAndASummary) {
  Stage stage;
  ASSERT_EQ(
      testing::run(otaria,
                   {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0"})
          .exit_code,
      0);
  Program program(otaria, {"--server", stage.url(), "update", "watch", first, "--json"});
  stage.server().await_streams(1);
  stage.set_state(first, "received");
  stage.set_state(first, "succeeded");
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0);
  const auto lines = lines_of(outcome.out);
  ASSERT_GE(lines.size(), 3U) << outcome.out;
  for (const auto& line : lines) ASSERT_TRUE(line.is_object()) << outcome.out;
  EXPECT_EQ(lines.front()["update"]["state"], "offered");
  EXPECT_EQ(lines[lines.size() - 2]["update"]["state"], "succeeded");
  EXPECT_EQ(lines.back()["event"], "summary");
  EXPECT_EQ(lines.back()["succeeded"], 1);
}

TEST(Watch, WithoutIdsWatchesWhatIsOpenAndEndsAtOnceWhenNothingIs) {
  Stage stage;
  const Outcome nothing = testing::run(otaria, {"--server", stage.url(), "update", "watch"});
  EXPECT_EQ(nothing.exit_code, 0);
  EXPECT_THAT(nothing.out, HasSubstr("No update is open."));
  ASSERT_EQ(
      testing::run(otaria,
                   {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0"})
          .exit_code,
      0);
  Program program(otaria, {"--server", stage.url(), "update", "watch"});
  ASSERT_TRUE(program.await("sensor_A1B2: offered"));
  stage.set_state(first, "succeeded");
  EXPECT_EQ(program.finish().exit_code, 0);
}

TEST(Monitor, TellsChangesAsLinesAndAsJsonAndLeavesQuietlyOnCtrlC) {
  for (const bool as_json : {false, true}) {
    Stage stage;
    ASSERT_EQ(testing::run(
                  otaria,
                  {"--server", stage.url(), "update", "send", "sensor_A1B2", "--release", "1.4.0"})
                  .exit_code,
              0);
    std::vector<std::string> arguments{"--server", stage.url(), "monitor"};
    if (as_json) arguments.emplace_back("--json");
    Program program(otaria, arguments);
    stage.server().await_streams(1);
    stage.set_state(first, "trial");
    ASSERT_TRUE(program.await("trial"));
    stage.server().send_event("device",
                              {{"id", "sensor_C3D4"}, {"online", false}, {"version", "2.0.0"}});
    ASSERT_TRUE(program.await("sensor_C3D4"));
    program.signal(SIGINT);
    const Outcome outcome = program.finish();
    EXPECT_EQ(outcome.exit_code, 0);
    if (as_json) {
      for (const auto& line : lines_of(outcome.out))
        EXPECT_TRUE(line.is_object() && line.contains("event")) << outcome.out;
    } else {
      EXPECT_THAT(outcome.out, HasSubstr("sensor_A1B2: online, runs 1.3.0\n"));
      EXPECT_THAT(outcome.out, HasSubstr("sensor_A1B2: trial to 1.4.0\n"));
      EXPECT_THAT(outcome.out, HasSubstr("sensor_C3D4: offline, runs 2.0.0\n"));
    }
  }
}

TEST(Monitor, OnATerminalRedrawsATable) {
  Stage stage;
  Program program(otaria, {"--server", stage.url(), "monitor", "--timeout", "2"}, {}, true);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("broker connected"));
  EXPECT_THAT(outcome.out, HasSubstr("PRESENCE"));
  EXPECT_THAT(outcome.out, HasSubstr("\x1b[3A"));
}

}  // namespace
}  // namespace otaria::cli
