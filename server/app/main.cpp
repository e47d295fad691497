#include <signal.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "server/app/application.hpp"
#include "server/app/config.hpp"
#include "server/app/logging.hpp"

namespace {

using namespace otaria::server;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct CommandLine {
  std::string file;
  std::map<std::string, std::string> by_key;
  bool check_only = false;
};

ConfigSources sources_of(const CommandLine& line) {
  ConfigSources sources;
  const char* file = std::getenv("OTARIAD_CONFIG");
  if (!line.file.empty()) {
    sources.file = line.file;
  } else if (file != nullptr && *file != '\0') {
    sources.file = file;
  }
  for (const NamedKey& row : named_keys()) {
    const char* value = std::getenv(std::string{row.variable}.c_str());
    if (value != nullptr && *value != '\0') sources.environment.emplace_back(row.key, value);
    const auto flag = line.by_key.find(std::string{row.key});
    if (flag != line.by_key.end() && !flag->second.empty()) {
      sources.flags.emplace_back(row.key, flag->second);
    }
  }
  return sources;
}

void add_flags(CLI::App& app, CommandLine& line) {
  const std::map<std::string_view, std::pair<const char*, const char*>> help{
      {"data", {"DIR", "where database and images lie (otaria-data)"}},
      {"http.listen", {"ADDR:PORT", "where to listen (127.0.0.1:8080)"}},
      {"http.certificate", {"FILE", "serve HTTPS: certificate and its chain, PEM"}},
      {"http.private_key", {"FILE", "the certificate's key, PEM, mode 0600"}},
      {"mqtt.url", {"URL", "the broker: mqtt://HOST:PORT or mqtts://… (mqtt://127.0.0.1:1883)"}},
      {"public_url", {"URL", "base of every URL in notices (made from --http)"}},
      {"development", {"", "a server on a bench: allows what production must not"}},
      {"access.mode",
       {"MODE", "tokens, or open: nobody is asked; with --development only (tokens)"}},
      {"downloads.secret_file",
       {"FILE", "secret of download URLs that several otariad of one fleet share"}},
      {"log.level", {"LEVEL", "debug, info, warn or error (info)"}},
      {"log.format", {"FORMAT", "text or json (text)"}},
  };
  app.add_option(
         "--config", line.file, "configuration in TOML; all keys: docs/guide/configuration.md")
      ->type_name("FILE");
  for (const NamedKey& row : named_keys()) {
    const auto& [type, text] = help.at(row.key);
    std::string& value = line.by_key[std::string{row.key}];
    const std::string told = std::string{text} + " [" + std::string{row.variable} + "]";
    if (*type == '\0') {
      app.add_flag_callback(
          std::string{row.flag}, [&value] { value = "true"; }, told);
    } else {
      app.add_option(std::string{row.flag}, value, told)->type_name(type);
    }
  }
  app.add_flag(
      "--check-config", line.check_only, "say whether the configuration can be used, and end");
  app.set_version_flag("--version", std::string{"otariad "} + OTARIA_VERSION);
}

// Blocked before any thread starts, so that sigwait is the only one who hears them.
sigset_t block_signals() {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGINT);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return awaited;
}

int serve(const Config& config) {
  const sigset_t awaited = block_signals();
  Application application{config, OTARIA_VERSION};
  application.start();
  int received = 0;
  while (sigwait(&awaited, &received) == 0 && received == SIGHUP) {
    spdlog::info("signal {}: reading the certificate again", received);
    application.reload();
  }
  spdlog::info("signal {}: stopping", received);
  pthread_sigmask(SIG_UNBLOCK, &awaited, nullptr);  // a second one ends the program at once
  application.stop();
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "otariad: the server of Otaria, over-the-air firmware updates for fleets of ESP32-S3 "
      "sensors"};
  CommandLine line;
  add_flags(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  try {
    Config config = load_config(sources_of(line));
    const auto warnings = complete(config);
    if (line.check_only) {
      std::printf("The configuration can be used.\n");
      for (const std::string& warning : warnings) std::printf("warning: %s\n", warning.c_str());
      return 0;
    }
    set_up_logging(config.log_level, config.log_format);
    for (const std::string& warning : warnings) spdlog::warn("{}", warning);
    return serve(config);
  } catch (const ConfigError& error) {
    std::fprintf(stderr, "otariad: %s\n", error.what());
    return exit_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "otariad: %s\n", error.what());
    return exit_failed;
  }
}
