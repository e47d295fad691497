#include "simulator/device/command_line.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "simulator/chip/temporary_folder.hpp"

namespace otaria::simulator {
namespace {

using testing::HasSubstr;

struct Parsed {
  std::variant<CommandLine, int> result;
  std::string out;
  std::string errors;

  [[nodiscard]] const CommandLine& line() const { return std::get<CommandLine>(result); }
  [[nodiscard]] int code() const {
    return std::holds_alternative<int>(result) ? std::get<int>(result) : -1;
  }
};

Parsed parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "otaria-device");
  std::ostringstream out;
  std::ostringstream errors;
  auto result =
      parse_command_line(static_cast<int>(arguments.size()), arguments.data(), out, errors);
  return {std::move(result), out.str(), errors.str()};
}

TEST(CommandLine, ProvisioningTakesTheFlagsOfTheDesign) {
  const Parsed parsed = parse({"--flash",
                               "a.flash",
                               "--factory",
                               "old.bin",
                               "--development",
                               "--mac",
                               "a4cf12e0a1b2",
                               "--id",
                               "sensor_A1B2",
                               "--product",
                               "p",
                               "--hardware",
                               "h",
                               "--channel",
                               "c",
                               "--app-version",
                               "1.3.0",
                               "--size",
                               "16"});
  ASSERT_EQ(parsed.code(), -1) << parsed.errors;
  const CommandLine& line = parsed.line();
  EXPECT_TRUE(line.provision);
  EXPECT_FALSE(line.run);
  EXPECT_EQ(line.flash, "a.flash");
  EXPECT_EQ(line.factory_image, "old.bin");
  EXPECT_TRUE(line.identity.development);
  EXPECT_EQ(line.identity.mac, "a4cf12e0a1b2");
  EXPECT_EQ(line.identity.id, "sensor_A1B2");
  EXPECT_EQ(line.identity.product, "p");
  EXPECT_EQ(line.identity.hardware, "h");
  EXPECT_EQ(line.identity.channel, "c");
  EXPECT_EQ(line.identity.app_version, "1.3.0");
  EXPECT_EQ(line.flash_bytes, 16u * 1024 * 1024);
}

TEST(CommandLine, RunningTakesFaultsLimitsAndEnds) {
  const Parsed parsed = parse({"--flash",
                               "a.flash",
                               "--mqtt",
                               "mqtt://127.0.0.1:1884",
                               "--fault",
                               "slow-flash=2",
                               "--fault",
                               "crash-on-boot=1.4.0",
                               "--trial-timeout",
                               "3",
                               "--retry-first-ms",
                               "100",
                               "--watchdog-seconds",
                               "2",
                               "--telemetry",
                               "0",
                               "--run-seconds",
                               "9",
                               "--seed",
                               "7",
                               "--exit-when-confirmed",
                               "1.4.0",
                               "--control",
                               "c",
                               "--log",
                               "l",
                               "--verbose"});
  ASSERT_EQ(parsed.code(), -1) << parsed.errors;
  const CommandLine& line = parsed.line();
  EXPECT_TRUE(line.run);
  EXPECT_EQ(line.options.broker.port, 1884);
  EXPECT_EQ(line.faults.slow_flash, 2);
  EXPECT_TRUE(line.faults.crash_on_boot.contains("1.4.0"));
  EXPECT_EQ(line.options.policy.trial_timeout_s, 3u);
  EXPECT_EQ(line.options.policy.retry_first_ms, 100u);
  EXPECT_EQ(line.options.watchdog, std::chrono::seconds{2});
  EXPECT_EQ(line.options.telemetry.count(), 0);
  EXPECT_EQ(line.options.run_for, std::chrono::seconds{9});
  EXPECT_EQ(line.options.seed, 7u);
  EXPECT_EQ(line.options.exit_when_confirmed, "1.4.0");
  EXPECT_EQ(line.options.control, "c");
  EXPECT_EQ(line.log, "l");
  EXPECT_TRUE(line.verbose);
}

TEST(CommandLine, TelemetryComesEvery30SecondsUnlessToldOtherwise) {
  EXPECT_EQ(parse({"--flash", "f", "--mqtt", "mqtt://h"}).line().options.telemetry,
            std::chrono::seconds{30});
}

struct Mistake {
  std::vector<const char*> arguments;
  const char* answer;
};

TEST(CommandLine, EveryMistakeExits2AndSaysWhatIsWrong) {
  const Mistake mistakes[] = {
      {{}, "--flash"},
      {{"--flash", "f"}, "nothing to do"},
      {{"--flash", "f", "--factory", "i"}, "add --keylist FILE"},
      {{"--flash", "f", "--factory", "i", "--keylist", "/nonexistent"}, "--keylist"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--claim", "s"}, "add --factory IMAGE"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--plain-http"}, "add --factory IMAGE"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--client-key", "k"}, "add --factory IMAGE"},
      {{"--flash", "f", "--factory", "i", "--development", "--client-key", "k"}, "belong together"},
      {{"--flash",
        "f",
        "--factory",
        "i",
        "--development",
        "--client-certificate",
        "/nonexistent",
        "--client-key",
        "/nonexistent"},
       "cannot read"},
      {{"--flash", "f", "--factory", "i", "--development", "--size", "5"}, "--size"},
      {{"--flash", "f", "--mqtt", "127.0.0.1"}, "mqtt://HOST"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--fault", "explode=1"}, "crash-on-boot=VERSION"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--fault", "crash-on-boot=1"},
       "crash-on-boot=VERSION"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--ca", "/nonexistent"}, "--ca"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--token-file", "/nonexistent"}, "--token-file"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--exit-when-confirmed", "new"}, "semantic version"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--trial-timeout", "-1"}, "--trial-timeout"},
      {{"--flash", "f", "--mqtt", "mqtt://h", "--trial-timeout", "soon"}, "--trial-timeout"},
      {{"--flash", "f", "--nonsense"}, "--nonsense"},
  };
  for (const Mistake& mistake : mistakes) {
    const Parsed parsed = parse(mistake.arguments);
    EXPECT_EQ(parsed.code(), 2) << mistake.answer;
    EXPECT_THAT(parsed.errors, HasSubstr(mistake.answer));
  }
}

TEST(CommandLine, HelpNamesEveryFaultAndExits0) {
  const Parsed parsed = parse({"--help"});
  EXPECT_EQ(parsed.code(), 0);
  EXPECT_THAT(parsed.out, HasSubstr("power-cut-at-bytes=N"));
  EXPECT_THAT(parsed.out, HasSubstr("--exit-when-confirmed"));
  EXPECT_THAT(parsed.out, HasSubstr("Exit codes"));
}

TEST(CommandLine, ProductionDeviceIsProvisionedWithAKeyListAndMayHaveAClaim) {
  const TemporaryFolder folder;
  std::ofstream{folder / "keys.jws"} << "a.b.c\n";
  const std::string keys = (folder / "keys.jws").string();
  const Parsed parsed = parse({"--flash",
                               "f",
                               "--factory",
                               "i",
                               "--keylist",
                               keys.c_str(),
                               "--claim",
                               "secret",
                               "--plain-http"});
  ASSERT_EQ(parsed.code(), -1) << parsed.errors;
  EXPECT_FALSE(parsed.line().identity.development);
  EXPECT_TRUE(parsed.line().identity.plain_http);
  EXPECT_EQ(parsed.line().key_list, "a.b.c\n");
  EXPECT_EQ(parsed.line().claim, "secret");
}

// A pair that works, and one that does not fit, are in mosquitto_link_test and the case mutual_tls.
TEST(CommandLine, AClientKeyThatOthersCanReadIsRefused) {
  TemporaryFolder folder;
  std::ofstream{folder / "c.pem"} << "no certificate\n";
  std::ofstream{folder / "c.key"} << "no key\n";
  const std::string certificate = (folder / "c.pem").string();
  const std::string key = (folder / "c.key").string();
  const auto attempt = [&](std::filesystem::perms mode) {
    std::filesystem::permissions(folder / "c.key", mode);
    return parse({"--flash",
                  "f",
                  "--factory",
                  "i",
                  "--development",
                  "--client-certificate",
                  certificate.c_str(),
                  "--client-key",
                  key.c_str()});
  };
  using std::filesystem::perms;
  EXPECT_THAT(attempt(perms::owner_read | perms::group_read).errors, HasSubstr("chmod 600"));
  EXPECT_THAT(attempt(perms::owner_read | perms::others_read).errors, HasSubstr("chmod 600"));
  const Parsed private_one = attempt(perms::owner_read | perms::owner_write);
  EXPECT_EQ(private_one.code(), 2);
  EXPECT_THAT(private_one.errors, HasSubstr("none in PEM"));
}

TEST(CommandLine, TokenAndTrustAnchorsComeFromFiles) {
  TemporaryFolder folder;
  std::ofstream{folder / "token"} << "secret\n";
  std::ofstream{folder / "ca.pem"} << "-----BEGIN CERTIFICATE-----\n";
  const std::string token = (folder / "token").string();
  const std::string ca = (folder / "ca.pem").string();
  const Parsed parsed = parse(
      {"--flash", "f", "--mqtt", "mqtts://h", "--token-file", token.c_str(), "--ca", ca.c_str()});
  ASSERT_EQ(parsed.code(), -1) << parsed.errors;
  EXPECT_EQ(parsed.line().options.token, "secret");
  EXPECT_THAT(parsed.line().options.ca_pem, HasSubstr("BEGIN"));
  EXPECT_EQ(parse({"--flash", "f", "--mqtt", "mqtts://h", "--ca", token.c_str()}).code(), 2);
}

}  // namespace
}  // namespace otaria::simulator
