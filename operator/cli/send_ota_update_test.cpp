#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "contract/host/codec.hpp"
#include "contract/ulid.hpp"
#include "operator/cli/testing/broker.hpp"
#include "operator/cli/testing/program.hpp"
#include "operator/cli/testing/stage.hpp"
#include "operator/cli/ulid.hpp"

namespace otaria::cli {
namespace {

using nlohmann::json;
using testing::Broker;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using testing::run;
using testing::Stage;

const std::string program = OTARIA_BIN_DIR "/send_ota_update";
const std::string digest(64, 'a');
// SHA-256 of 0xE9 followed by 99,999 times `x`, what the stage serves: computed by sha256sum.
const std::string served_digest =
    "391d79c729f1588815a001e480b5e71704c31c196bcace8497676c8728dcfcc5";

TEST(SendOtaUpdate, StraightToTheBrokerTheNoticeIsRetainedForEveryDevice) {
  Broker broker;
  const Outcome outcome = run(program,
                              {"1.4.0",
                               "https://fw.example/a.bin",
                               "--signature",
                               digest,
                               "--device",
                               "sensor_A1B2",
                               "--device",
                               "sensor_C3D4",
                               "--broker",
                               broker.url()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const std::string device : {"sensor_A1B2", "sensor_C3D4"}) {
    const std::string message = broker.retained(device + "/firmware/update");
    ASSERT_THAT(message, HasSubstr("1 1 {"));  // retained, QoS 1
    const auto notice = contract::decode_notice(message.substr(4, message.find_last_of('}') - 3));
    ASSERT_TRUE(notice) << message;
    EXPECT_EQ(notice.value->version.view(), "1.4.0");
    EXPECT_EQ(notice.value->url.view(), "https://fw.example/a.bin");
    EXPECT_FALSE(notice.value->force);
    EXPECT_TRUE(contract::is_ulid(notice.value->update.view())) << message;
    EXPECT_FALSE(notice.value->size.has_value());
  }
  EXPECT_NE(broker.retained("sensor_A1B2/firmware/update"),
            broker.retained("sensor_C3D4/firmware/update"));  // an id each
}

TEST(SendOtaUpdate, WithoutSignatureHashesWhatTheUrlServes) {
  Broker broker;
  Stage stage;
  const Outcome outcome = run(program,
                              {"1.4.0",
                               stage.url() + "/firmware/a.bin",
                               "--device",
                               "sensor_A1B2",
                               "--force",
                               "--broker",
                               broker.url(),
                               "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out;
  const json result = json::parse(outcome.out);
  EXPECT_EQ(result["via"], "broker");
  EXPECT_EQ(result["signature"], served_digest);
  EXPECT_EQ(result["items"][0]["acknowledged"], true);
  const std::string message = broker.retained("sensor_A1B2/firmware/update");
  EXPECT_THAT(message, HasSubstr("\"size\":100000"));
  EXPECT_THAT(message, HasSubstr("\"force\":true"));
  EXPECT_THAT(message, HasSubstr(served_digest));
}

TEST(SendOtaUpdate, GoesThroughOtariadWhenOneAnswers) {
  Stage stage;
  const Outcome outcome = run(program,
                              {"1.4.0", stage.url() + "/firmware/a.bin", "--device", "sensor_A1B2"},
                              {{"OTARIA_SERVER", stage.url()}});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Accepted by " + stage.url()));
  EXPECT_EQ(json::parse(stage.server().seen().back().body),
            json({{"devices", {"sensor_A1B2"}},
                  {"version", "1.4.0"},
                  {"url", stage.url() + "/firmware/a.bin"},
                  {"signature", served_digest},
                  {"size", 100000},
                  {"force", false}}));
}

TEST(SendOtaUpdate, ARefusalOfOtariadIsNotWorkedAround) {
  Stage stage;
  const Outcome outcome = run(program,
                              {"1.4.0",
                               "https://fw.invalid/a.bin",
                               "--signature",
                               digest,
                               "--device",
                               "sensor_FFFF",
                               "--server",
                               stage.url()});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("unknown_device"));
}

TEST(SendOtaUpdate, SaysWhatTheSignatureIsAndWarnsOfALoopbackUrl) {
  Stage stage;
  const std::vector<std::string> arguments{
      "1.4.0", stage.url() + "/firmware/a.bin", "--device", "sensor_A1B2", "--server", stage.url()};
  const Outcome outcome = run(program, arguments);
  EXPECT_THAT(outcome.err, HasSubstr("SHA-256"));
  EXPECT_THAT(outcome.err, HasSubstr("proves no origin"));
  EXPECT_THAT(outcome.err, HasSubstr("would look for the image on itself"));
  const Outcome elsewhere = run(program,
                                {"1.4.0",
                                 "https://fw.invalid/a.bin",
                                 "--signature",
                                 digest,
                                 "--device",
                                 "sensor_A1B2",
                                 "--server",
                                 stage.url()});
  EXPECT_EQ(elsewhere.exit_code, 0);
  EXPECT_THAT(elsewhere.err, Not(HasSubstr("on itself")));
}

TEST(SendOtaUpdate, RefusesWhatCannotStandInANoticeBeforeSendingAnything) {
  Stage stage;
  const std::string url = stage.url() + "/firmware/a.bin";
  const struct {
    std::vector<std::string> arguments;
    int exit_code;
    std::string code;
  } cases[]{
      {{"v1.4.0", url, "--device", "a"}, 2, "bad_version"},
      {{"1.4", url, "--device", "a"}, 2, "bad_version"},
      {{"1.4.0-" + std::string(40, 'a'), url, "--device", "a"}, 2, "bad_version"},
      {{"1.4.0", "ftp://x/a.bin", "--device", "a"}, 2, "bad_url"},
      {{"1.4.0", "http://x/a b", "--device", "a"}, 2, "bad_url"},
      {{"1.4.0", "http://x/" + std::string(256, 'a'), "--device", "a"}, 2, "url_too_long"},
      {{"1.4.0", url}, 2, "no_device"},
      {{"1.4.0", url, "--device", "a/b"}, 2, "bad_device_id"},
      {{"1.4.0", url, "--devices-file", "/nowhere"}, 2, "no_such_file"},
      {{"1.4.0", url, "--device", "a", "--signature", std::string(63, 'a')}, 2, "bad_signature"},
      {{"1.4.0", url, "--device", "a", "--signature", std::string(64, 'G')}, 2, "bad_signature"},
      {{"1.4.0", url, "--device", "a", "--broker", "http://x"}, 2, "bad_broker_url"},
      {{"1.4.0"}, 2, "usage"},
      {{"1.4.0", stage.url() + "/firmware/page.bin", "--device", "a"}, 3, "not_an_image"},
      {{"1.4.0", stage.url() + "/firmware/gone.bin", "--device", "a"}, 3, "download_failed"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(json(each.arguments).dump());
    auto arguments = each.arguments;
    arguments.insert(arguments.end(), {"--json", "--server", stage.url()});
    const Outcome outcome = run(program, arguments);
    EXPECT_EQ(outcome.exit_code, each.exit_code);
    const json object = json::parse(outcome.out, nullptr, false);
    ASSERT_TRUE(object.is_object() && object.contains("error")) << outcome.out;
    EXPECT_EQ(object["error"]["code"], each.code);
  }
  for (const auto& seen : stage.server().seen()) EXPECT_NE(seen.method, "POST");
}

TEST(SendOtaUpdate, TakesADigestInUpperCaseAndSendsItInLowerCase) {
  Stage stage;
  const Outcome outcome = run(program,
                              {"1.4.0",
                               stage.url() + "/firmware/a.bin",
                               "--device",
                               "sensor_A1B2",
                               "--signature",
                               std::string(64, 'A'),
                               "--server",
                               stage.url()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::string sent;
  for (const auto& seen : stage.server().seen()) sent += seen.method == "POST" ? seen.body : "";
  EXPECT_THAT(sent, ::testing::HasSubstr(std::string(64, 'a')));
}

TEST(SendOtaUpdate, ReadsDeviceIdsFromAFile) {
  Broker broker;
  const std::string file = testing::new_folder("devices") + "/ids";
  std::ofstream(file) << "# kitchen\nsensor_0001\r\n\n  sensor_0002  # spare\nsensor_0001\n";
  const Outcome outcome = run(program,
                              {"1.4.0",
                               "https://x/a.bin",
                               "--signature",
                               digest,
                               "--devices-file",
                               file,
                               "--broker",
                               broker.url(),
                               "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out;
  const json items = json::parse(outcome.out)["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[1]["topic"], "sensor_0002/firmware/update");
}

TEST(SendOtaUpdate, FiveHundredDevicesAreAllAcknowledged) {
  Broker broker;
  const std::string file = testing::new_folder("devices") + "/ids";
  std::ofstream ids(file);
  for (int i = 0; i < 500; ++i) ids << "sensor_" << i << "\n";
  ids.close();
  const Outcome outcome = run(program,
                              {"1.4.0",
                               "https://x/a.bin",
                               "--signature",
                               digest,
                               "--devices-file",
                               file,
                               "--broker",
                               broker.url(),
                               "--json"});
  EXPECT_EQ(outcome.exit_code, 0);
  std::size_t acknowledged = 0;
  const json result = json::parse(outcome.out);
  for (const auto& item : result["items"]) acknowledged += item["acknowledged"] == true ? 1 : 0;
  EXPECT_EQ(acknowledged, 500U);
  EXPECT_THAT(broker.retained("sensor_499/firmware/update"), HasSubstr("1.4.0"));
}

TEST(SendOtaUpdate, SaysWhenNoBrokerAnswersOrTheBrokerRefuses) {
  const std::string nobody = "mqtt://127.0.0.1:" + std::to_string(testing::free_port());
  const std::vector<std::string> arguments{
      "1.4.0", "https://x/a.bin", "--signature", digest, "--device", "a", "--broker"};
  auto with = [&](const std::string& broker) {
    auto all = arguments;
    all.push_back(broker);
    return run(program, all);
  };
  const Outcome unreachable = with(nobody);
  EXPECT_EQ(unreachable.exit_code, 4);
  EXPECT_THAT(unreachable.err, HasSubstr("broker_unreachable"));
  Broker closed("allow_anonymous false\n");
  const Outcome refused = with(closed.url());
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("broker_refused"));
}

TEST(SendOtaUpdate, HelpListsEveryOptionWithAnExample) {
  const Outcome outcome = run(program, {"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* text : {"--signature",
                           "--device",
                           "--devices-file",
                           "--force",
                           "--broker",
                           "--token-file",
                           "--server",
                           "--json",
                           "VERSION",
                           "URL",
                           "Example:\n  send_ota_update "}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
}

}  // namespace
}  // namespace otaria::cli
