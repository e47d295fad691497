// firmware_server: hands out the firmware files of a directory over HTTP.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "contract/host/codec.hpp"
#include "contract/semver.hpp"
#include "device/verify/image_format.hpp"
#include "server/artifact/named_files.hpp"
#include "server/http/router.hpp"
#include "server/http/server.hpp"

namespace otaria::server {
namespace {

/// Exit codes, as of all our programs (docs: README of this folder).
constexpr int exit_usage = 2;
constexpr int exit_failed = 3;

constexpr const char* description =
    "Serves the files of DIR to devices: /firmware/NAME for a file as it is now, and\n"
    "/firmware/<sha256>.bin for exactly these bytes. Prints each file with its URL,\n"
    "its SHA-256 and a ready-made update notice.";

struct Options {
  std::string address = "0.0.0.0";
  std::uint16_t port = 8080;
  std::string directory = ".";
  std::string base_url;
  TlsFiles tls;
  bool json = false;
};

/// An address that other machines can reach this one at; loopback when there is none.
std::string reachable_address() {
  std::string found = "127.0.0.1";
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const bool usable = one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
                        (one->ifa_flags & IFF_UP) && !(one->ifa_flags & IFF_LOOPBACK);
    if (!usable) continue;
    char text[INET_ADDRSTRLEN];
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    if (::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text)) {
      found = text;
      break;
    }
  }
  ::freeifaddrs(all);
  return found;
}

std::string base_url_of(const Options& options, std::uint16_t port) {
  if (!options.base_url.empty()) return options.base_url;
  std::string host = options.address;
  if (host == "0.0.0.0" || host == "::") host = reachable_address();
  if (host.find(':') != host.npos) host = "[" + host + "]";
  return fmt::format("{}://{}:{}", options.tls.certificate.empty() ? "http" : "https", host, port);
}

/// The version in an image's descriptor; empty when the file is no image or its version is no
/// semver.
std::string version_of(const OpenFile& file) {
  std::array<std::uint8_t, device::image_head_bytes> head{};
  if (::pread(file.descriptor, head.data(), head.size(), 0) != static_cast<ssize_t>(head.size())) {
    return {};
  }
  const auto* descriptor = head.data() + device::descriptor_offset;
  if (head[0] != device::image_magic || device::read_u32(descriptor) != device::descriptor_magic) {
    return {};
  }
  const auto read =
      device::read_app_descriptor(std::span<const std::uint8_t, device::descriptor_bytes>(
          descriptor, device::descriptor_bytes));
  const std::string version(read.version.view());
  return contract::parse_semver(version) ? version : std::string{};
}

struct Offer {
  std::string url;        ///< of exactly these bytes
  std::string named_url;  ///< of whatever lies under the name
  std::string sha256;
  std::string notice;          ///< JSON, as published to a device
  bool version_known = false;  ///< else the notice says 0.0.0, and the operator must fill it in
};

Offer offer_of(const NamedFiles::Item& item, NamedFiles& files, const std::string& base_url) {
  const auto hex = contract::hex_of(item.digest);
  Offer offer;
  offer.sha256.assign(hex.data(), hex.size());
  offer.url = base_url + "/firmware/" + offer.sha256 + ".bin";
  offer.named_url = base_url + "/firmware/" + item.name;
  const auto file = files.open_name(item.name);
  const std::string version = file ? version_of(*file) : "";
  offer.version_known = !version.empty();
  contract::Notice notice;
  notice.version.assign(offer.version_known ? version : "0.0.0");
  notice.url.assign(offer.url);
  notice.digest = item.digest;
  notice.size = static_cast<std::uint32_t>(item.size);
  offer.notice = contract::encode_notice(notice);
  return offer;
}

nlohmann::json listing(NamedFiles& files, const std::string& base_url) {
  auto items = nlohmann::json::array();
  for (const auto& item : files.scan()) {
    const Offer offer = offer_of(item, files, base_url);
    items.push_back({{"name", item.name},
                     {"size", item.size},
                     {"sha256", offer.sha256},
                     {"url", offer.url},
                     {"named_url", offer.named_url},
                     {"notice", nlohmann::json::parse(offer.notice)},
                     {"version_known", offer.version_known}});
  }
  return {{"base_url", base_url}, {"files", items}};
}

void print_for_people(NamedFiles& files, const Options& options, const std::string& base_url) {
  const auto items = files.scan();
  fmt::print("Serving {} file{} of {} at {}/firmware/\n",
             items.size(),
             items.size() == 1 ? "" : "s",
             options.directory,
             base_url);
  for (const auto& item : items) {
    const Offer offer = offer_of(item, files, base_url);
    fmt::print("\n{}  ({} bytes)\n  url      {}\n           {}\n  sha256   {}\n  notice   {}\n",
               item.name,
               item.size,
               offer.url,
               offer.named_url,
               offer.sha256,
               offer.notice);
    if (!offer.version_known) {
      fmt::print("           (the file names no version: put yours in place of 0.0.0)\n");
    }
  }
  fmt::print("\nCtrl-C stops.\n");
}

Response answer(const Request& request, NamedFiles& files, const std::string& base_url) {
  Response response;
  if (request.method != "GET" && request.method != "HEAD") {
    response.status = 405;
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if ((response.file = files.open(request.path))) return response;
  if (request.path == "/healthz") {
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = "ok\n";
  } else if (request.path == "/" || request.path == "/firmware/") {
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = listing(files, base_url).dump(2) + "\n";
  } else {
    response.status = 404;
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = "No such file. GET / lists what there is.\n";
  }
  return response;
}

/// Thousands of devices may be connected at once, each with a descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const Options& options) {
  raise_descriptor_limit();
  // Before any thread starts, so that all inherit the mask and only sigwait() takes the signals.
  sigset_t awaited;
  ::sigemptyset(&awaited);
  ::sigaddset(&awaited, SIGINT);
  ::sigaddset(&awaited, SIGTERM);
  ::sigaddset(&awaited, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &awaited, nullptr);

  NamedFiles files(options.directory);
  std::string base_url;
  HttpConfig config;
  config.address = options.address;
  config.port = options.port;
  config.tls = options.tls;
  HttpServer server(
      config,
      [&](const Request& request) { return answer(request, files, base_url); },
      [&](std::string_view path, std::string_view) { return files.find_open(path); });
  files.scan();
  base_url = base_url_of(options, options.port);
  server.start();
  if (options.port == 0) base_url = base_url_of(options, server.port());
  if (options.json) {
    fmt::print("{}\n", listing(files, base_url).dump());
  } else {
    print_for_people(files, options, base_url);
  }
  std::fflush(stdout);

  int received = 0;
  while (::sigwait(&awaited, &received) == 0 && received == SIGHUP) server.reload_certificate();
  server.stop(std::chrono::seconds(10));
  return 0;
}

}  // namespace
}  // namespace otaria::server

int main(int argc, char** argv) {
  using namespace otaria::server;
  CLI::App app{description, "firmware_server"};
  Options options;
  app.set_version_flag("--version", "firmware_server " OTARIA_VERSION);
  app.add_option("DIR", options.directory, "Directory to serve, default: the current one");
  app.add_option("--port", options.port, "TCP port, default 8080; 0: any free one");
  app.add_option(
      "--address",
      options.address,
      "Address to listen on. The default, 0.0.0.0, is reachable by devices and by everyone else\n"
      "on the network; 127.0.0.1 is this machine only");
  app.add_option("--base-url",
                 options.base_url,
                 "What URLs begin with, default http://<this machine's address>:<port>");
  auto* certificate = app.add_option("--certificate",
                                     options.tls.certificate,
                                     "Serve HTTPS: the certificate and its chain, PEM; read again "
                                     "when it changes")
                          ->type_name("FILE");
  auto* key =
      app.add_option(
             "--private-key", options.tls.private_key, "The certificate's key, PEM, mode 0600")
          ->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  app.add_flag("--json", options.json, "Print the list as one JSON object");
  app.footer(
      "Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 usage, 3 cannot read DIR, "
      "certificate or key, or listen.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : exit_usage;
  }
  while (options.base_url.ends_with('/')) options.base_url.pop_back();
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S %l %v");
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "firmware_server: {}\n", error.what());
    return exit_failed;
  }
}
