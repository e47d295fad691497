#include "simulator/device/command_line.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "contract/host/broker_url.hpp"
#include "contract/semver.hpp"
#include "contract/url.hpp"
#include "device/identity/token_client.hpp"

namespace otaria::simulator {
namespace {

/// The values CLI11 fills that are no part of CommandLine.
struct Raw {
  std::string flash, factory, ca, keylist, server;
  std::string client_certificate, client_key;
  std::string mqtt, token_file, control, log;
  std::vector<std::string> faults;
  std::uint32_t size_mb = 8;
  std::uint32_t watchdog_s = 5;
  std::uint32_t telemetry_s = 30;
  std::uint32_t run_s = 0;
  std::uint64_t seed = 0;
  bool seed_given = false;
};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string content_of(const std::string& file, const std::string& flag) {
  std::ifstream in{file, std::ios::binary};
  std::string content{std::istreambuf_iterator<char>{in}, {}};
  if (!in && !in.eof()) throw UsageError{flag + ": cannot read " + file};
  return content;
}

std::string secret_of(const std::string& file, const std::string& flag) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  const fs::perms others =
      fs::status(file, unknown).permissions() & (fs::perms::group_all | fs::perms::others_all);
  if (!unknown && others != fs::perms::none) {
    throw UsageError{flag + ": " + file + " can be read by others: chmod 600 " + file};
  }
  return content_of(file, flag);
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

void add_common(CLI::App& app, CommandLine& line, Raw& raw) {
  app.add_option("--flash", raw.flash, "The flash file; its wear is kept in FILE.wear")
      ->required()
      ->type_name("FILE");
  app.add_flag(
      "--info",
      line.info,
      "Print identity, slots, boot records and what the next start would run; changes nothing");
  app.add_flag("--wear", line.wear, "Print how often each sector was erased");
  app.add_flag("--json", line.json, "With --info: one JSON object");
  app.add_option(
         "--ca",
         raw.ca,
         "PEM file of trust anchors for https and mqtts; provisioning stores it in the device")
      ->type_name("FILE");
  app.add_option(
         "--seed",
         raw.seed,
         "For the MAC, the device's random numbers and torn flash operations; default: random")
      ->each([&raw](const std::string&) { raw.seed_given = true; });
}

void add_provisioning(CLI::App& app, CommandLine& line, Raw& raw) {
  const std::string group = "Provision (with --factory; a fresh flash file)";
  const auto text = [&](const char* name, std::string& into, const char* what, const char* type) {
    app.add_option(name, into, what)->group(group)->type_name(type);
  };
  text("--factory", raw.factory, "The ESP32-S3 application image for ota_0", "IMAGE");
  app.add_flag("--development",
               line.identity.development,
               "Accept notices without a signed manifest, plain http and mqtt")
      ->group(group);
  app.add_flag("--plain-http",
               line.identity.plain_http,
               "A production device may fetch from http URLs and speak to mqtt brokers")
      ->group(group);
  text("--mac",
       line.identity.mac,
       "12 hex digits; default: random, locally administered, ending in the id's digits",
       "12HEX");
  text(
      "--id", line.identity.id, "Device id; default: sensor_ and the MAC's last four digits", "ID");
  text("--product", line.identity.product, "Default: sensor", "P");
  text("--hardware", line.identity.hardware, "Default: esp32s3-<size>mb", "H");
  text("--channel", line.identity.channel, "Default: stable", "C");
  text("--app-version",
       line.identity.app_version,
       "What the factory image counts as; default: its descriptor's version, if a semver",
       "V");
  text("--keylist",
       raw.keylist,
       "Signed key list whose roots and release keys the device trusts; required without "
       "--development",
       "FILE");
  app.add_option("--server",
                 raw.server,
                 "Origin of the server that gives tokens for the broker: https://HOST[:PORT]; "
                 "provisioning stores it in the device")
      ->type_name("URL");
  text("--claim", line.claim, "One-time secret for enrolment; kept in the device", "SECRET");
  text("--client-certificate",
       raw.client_certificate,
       "PEM certificate for servers and brokers that ask their clients for one (mutual TLS); kept "
       "in the device",
       "FILE");
  text("--client-key",
       raw.client_key,
       "Its private key, PEM, not encrypted, readable by you alone; kept in the device",
       "FILE");
  app.add_option("--size", raw.size_mb, "Flash size in MB: 4, 8 or 16; default 8")
      ->group(group)
      ->check(CLI::IsMember({4u, 8u, 16u}))
      ->type_name("MB");
  app.add_flag("--overwrite", line.overwrite, "Replace a flash file that is there")->group(group);
}

void add_running(CLI::App& app, CommandLine& line, Raw& raw) {
  const std::string group = "Run (with --mqtt)";
  app.add_option(
         "--mqtt", raw.mqtt, "mqtt://HOST[:PORT] or mqtts://HOST[:PORT] (with trust anchors)")
      ->group(group)
      ->type_name("URL");
  app.add_option("--token-file", raw.token_file, "The MQTT password")
      ->group(group)
      ->type_name("FILE");
  app.add_option(
         "--telemetry", raw.telemetry_s, "Seconds between telemetry messages; 0: none; default 30")
      ->group(group)
      ->check(CLI::Range(86400u));
  app.add_option("--exit-when-confirmed",
                 line.options.exit_when_confirmed,
                 "Leave once this version runs, is confirmed and reported")
      ->group(group)
      ->type_name("VERSION");
  app.add_option("--run-seconds", raw.run_s, "Leave after so long")
      ->group(group)
      ->check(CLI::Range(1u, 1000000u));
  app.add_option("--log", raw.log, "Append the log to this file; default: standard output")
      ->group(group)
      ->type_name("FILE");
  app.add_flag("--verbose", line.verbose, "Log more")->group(group);
}

void add_faults(CLI::App& app, Raw& raw) {
  const std::string group = "Faults (see below)";
  app.add_option("--fault", raw.faults, "What shall go wrong; may be repeated")
      ->group(group)
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--control",
                 raw.control,
                 "File whose lines are obeyed at run time: faults, clear, power-cut, crash")
      ->group(group)
      ->type_name("FILE");
  app.add_option("--watchdog-seconds", raw.watchdog_s, "When a hanging chip is reset; default 5")
      ->group(group)
      ->check(CLI::Range(1u, 3600u));
}

void add_policy(CLI::App& app, device::Policy& policy) {
  const auto limit = [&](const char* name, std::uint32_t& value, const char* what) {
    app.add_option(name, value, std::string{what} + "; default " + std::to_string(value))
        ->group("Agent's limits")
        ->check(CLI::Range(1u, std::numeric_limits<std::uint32_t>::max() / 1000));
  };
  limit("--trial-timeout", policy.trial_timeout_s, "Seconds a new image has to confirm itself");
  limit("--reconnect-first-ms", policy.reconnect_first_ms, "Broker: first back-off");
  limit("--reconnect-limit-ms", policy.reconnect_limit_ms, "Broker: longest back-off");
  limit("--retry-first-ms", policy.retry_first_ms, "Download: first back-off");
  limit("--retry-limit-ms", policy.retry_limit_ms, "Download: longest back-off");
  limit("--retries",
        policy.retries_without_progress,
        "Requests without progress before download_failed");
  limit("--stall-window-ms",
        policy.stall_window_ms,
        "A request that brings under 4096 bytes in this time is broken off");
  limit(
      "--flush-ms", policy.rebooting_flush_ms, "Longest wait for the last PUBACK before a restart");
  limit("--veto-limit", policy.veto_limit_s, "Seconds until the application's veto ends in busy");
  limit("--absent-notice-limit",
        policy.absent_notice_limit_s,
        "Connected seconds without the notice of an unfinished update");
  limit("--attempts",
        policy.failed_attempts_limit,
        "Failed attempts per image before attempts_exhausted");
}

std::string origin_from(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (url.empty()) return url;
  if (!contract::is_url(url) || contract::origin_of(url) != url) {
    throw UsageError{"--server: write https://HOST[:PORT] without a path, not " + url};
  }
  if (url.size() > device::max_server_bytes) {
    throw UsageError{"--server: longer than " + std::to_string(device::max_server_bytes) +
                     " characters"};
  }
  return url;
}

void fill_provisioning(CommandLine& line, const Raw& raw) {
  if (!line.provision) {
    if (!raw.keylist.empty() || !line.claim.empty() || line.identity.plain_http ||
        !raw.client_certificate.empty() || !raw.client_key.empty()) {
      throw UsageError{
          "--keylist, --claim, --plain-http, --client-certificate and --client-key belong to "
          "provisioning: add --factory IMAGE"};
    }
    return;
  }
  if (raw.keylist.empty() && !line.identity.development) {
    throw UsageError{
        "a production device must know whose releases it may install: add --keylist FILE, or "
        "--development for a device that takes unsigned ones"};
  }
  if (!raw.keylist.empty()) line.key_list = content_of(raw.keylist, "--keylist");
  if (raw.client_certificate.empty() != raw.client_key.empty()) {
    throw UsageError{"--client-certificate and --client-key belong together"};
  }
  if (raw.client_key.empty()) return;
  line.client = {.certificate_pem = content_of(raw.client_certificate, "--client-certificate"),
                 .key_pem = secret_of(raw.client_key, "--client-key")};
  if (const std::string why = why_unusable(line.client); !why.empty()) {
    throw UsageError{"--client-certificate, --client-key: " + why +
                     "; otaria cert client makes a pair"};
  }
}

void fill(CommandLine& line, Raw& raw) {
  line.flash = raw.flash;
  line.provision = !raw.factory.empty();
  line.factory_image = raw.factory;
  line.flash_bytes = raw.size_mb * VirtualFlash::megabyte;
  line.log = raw.log;
  line.run = !raw.mqtt.empty();
  if (!line.provision && !line.run && !line.info && !line.wear) {
    throw UsageError{
        "nothing to do: give --factory to provision, --mqtt to run, --info or --wear to look"};
  }
  fill_provisioning(line, raw);
  DeviceOptions& options = line.options;
  if (!raw.ca.empty()) {
    options.ca_pem = content_of(raw.ca, "--ca");
    if (options.ca_pem.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
      throw UsageError{"--ca: " + raw.ca + " holds no PEM certificate"};
    }
  }
  options.server = origin_from(raw.server);
  if (!raw.token_file.empty()) options.token = trimmed(content_of(raw.token_file, "--token-file"));
  if (line.run) {
    const auto broker = broker_from_url(raw.mqtt);
    if (!broker)
      throw UsageError{"--mqtt: write mqtt://HOST[:PORT] or mqtts://HOST[:PORT], not " +
                       contract::without_credentials(raw.mqtt)};
    options.broker = *broker;
  }
  if (!options.exit_when_confirmed.empty() &&
      !contract::parse_semver(options.exit_when_confirmed)) {
    throw UsageError{"--exit-when-confirmed: a semantic version such as 1.4.0"};
  }
  for (const std::string& fault : raw.faults) add_fault(line.faults, fault);
  options.watchdog = std::chrono::seconds{raw.watchdog_s};
  options.telemetry = std::chrono::seconds{raw.telemetry_s};
  if (raw.run_s != 0) options.run_for = std::chrono::seconds{raw.run_s};
  options.control = raw.control;
  options.seed = raw.seed;
  if (!raw.seed_given)
    options.seed = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
}

}  // namespace

std::variant<CommandLine, int> parse_command_line(int argc,
                                                  const char* const* argv,
                                                  std::ostream& out,
                                                  std::ostream& errors) {
  CommandLine line;
  Raw raw;
  CLI::App app{
      "otaria-device: one virtual ESP32-S3 with a real update agent. Its flash is a file."};
  app.set_version_flag("--version", OTARIA_VERSION);
  add_common(app, line, raw);
  add_provisioning(app, line, raw);
  add_running(app, line, raw);
  add_policy(app, line.options.policy);
  add_faults(app, raw);
  app.footer(
      "Faults:\n" + fault_help() +
      "\nExit codes: 0 done or switched off (SIGTERM, SIGINT); 1 --run-seconds passed without "
      "--exit-when-confirmed coming true;\n2 usage; 3 the flash file, or what lies in it, cannot "
      "be used.");
  try {
    app.parse(argc, argv);
    fill(line, raw);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, errors) == 0 ? exit_code::done : exit_code::usage;
  } catch (const UsageError& error) {
    errors << "otaria-device: " << error.what() << '\n';
    return exit_code::usage;
  } catch (const FaultError& error) {
    errors << "otaria-device: " << error.what() << '\n';
    return exit_code::usage;
  }
  return line;
}

}  // namespace otaria::simulator
