#include "operator/cli/send_ota_update.hpp"

#include <fmt/format.h>
#include <algorithm>

#include <fstream>
#include <set>

#include "contract/host/codec.hpp"
#include "contract/semver.hpp"
#include "contract/url.hpp"
#include "operator/cli/approval_verbs.hpp"
#include "operator/cli/image_fetch.hpp"
#include "operator/cli/notice_publisher.hpp"
#include "operator/cli/terminal/table.hpp"
#include "operator/cli/ulid.hpp"
#include "operator/cli/update_verbs.hpp"

namespace otaria::cli {
namespace {

constexpr const char* default_broker = "mqtt://127.0.0.1:1883";
constexpr std::chrono::seconds acknowledgement_patience{10};

Failure usage(const char* code, const std::string& detail, const std::string& hint) {
  return {exit_usage, code, detail, hint};
}

std::vector<std::string> ids_in_file(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw usage("no_such_file",
                fmt::format("{} cannot be read.", path),
                "It holds one device id per line.");
  std::vector<std::string> ids;
  for (std::string line; std::getline(file, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    ids.push_back(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
  }
  return ids;
}

std::vector<std::string> all_devices(const SendOtaUpdateArguments& arguments) {
  std::vector<std::string> named = arguments.devices;
  if (!arguments.devices_file.empty()) {
    for (auto& id : ids_in_file(arguments.devices_file)) named.push_back(std::move(id));
  }
  check_device_ids(named);
  std::vector<std::string> devices;
  std::set<std::string> seen;
  for (const auto& id : named) {
    if (seen.insert(id).second) devices.push_back(id);
  }
  if (devices.empty())
    throw usage("no_device",
                "No device is named.",
                "Name one or more: --device sensor_A1B2, or --devices-file F.");
  return devices;
}

void check_version_and_url(const SendOtaUpdateArguments& arguments) {
  if (!contract::parse_semver(arguments.version)) {
    throw usage("bad_version",
                fmt::format("`{}` is no semantic version of at most {} characters.",
                            arguments.version,
                            contract::max_version_bytes),
                "Write MAJOR.MINOR.PATCH, like 1.4.0 (no leading v).");
  }
  if (!contract::is_url(arguments.url)) {
    throw usage("bad_url",
                fmt::format("`{}` is no URL a device can fetch.", arguments.url),
                "Write it like https://fw.example/firmware.bin.");
  }
  if (arguments.url.size() > contract::max_url_bytes) {
    throw usage("url_too_long",
                fmt::format("The URL has {} characters; a notice carries {} at most.",
                            arguments.url.size(),
                            contract::max_url_bytes),
                "Use a shorter path.");
  }
}

struct Image {
  contract::Digest digest;
  std::uint64_t size = 0;  ///< 0: unknown
};

Image image_of(Context& context, const SendOtaUpdateArguments& arguments) {
  if (!arguments.signature.empty()) {
    std::string digits =
        arguments.signature;  // some tools print it in upper case; the wire has lower case
    std::ranges::transform(digits, digits.begin(), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const auto digest = contract::digest_from_hex(digits);
    if (!digest) {
      throw usage("bad_signature",
                  fmt::format("`{}` is not 64 hex digits.", arguments.signature),
                  "`generate_firmware_hash FILE` prints the right ones.");
    }
    return {*digest, 0};
  }
  context.note(fmt::format("Fetching {} to hash it.", arguments.url));
  const FetchedImage fetched = fetch_and_hash(arguments.url, context.options().ca_file, {});
  return {fetched.digest, fetched.size};
}

std::string hex(const contract::Digest& digest) {
  const auto text = contract::hex_of(digest);
  return {text.data(), text.size()};
}

void warn(Context& context, const SendOtaUpdateArguments& arguments) {
  context.note(
      "Note: the notice's `signature` is the SHA-256 of the image. It shows damage, it proves no "
      "origin: only devices provisioned with --development install by it alone.");
  if (is_loopback(host_of(arguments.url))) {
    context.note(
        fmt::format("Warning: the URL's host is {}: another machine, a sensor too, would look for "
                    "the image on itself.",
                    host_of(arguments.url)));
  }
}

bool server_answers(Context& context) {
  Client& client = context.client();
  client.set_connect_limit(std::chrono::seconds(2));
  try {
    client.get("/server");
    return true;
  } catch (const Failure& failure) {
    if (failure.exit_code != exit_unreachable) throw;
    context.note(
        fmt::format("No otariad at {}; the notices go straight to the broker.", client.server()));
    return false;
  }
}

int send_through_server(Context& context,
                        const SendOtaUpdateArguments& arguments,
                        const std::vector<std::string>& devices,
                        Image image) {
  if (image.size == 0) image.size = announced_size(arguments.url, context.options().ca_file);
  Json body{{"devices", devices},
            {"version", arguments.version},
            {"url", arguments.url},
            {"signature", hex(image.digest)},
            {"force", arguments.force}};
  if (image.size != 0) body["size"] = image.size;
  const Json answer = context.client().post("/updates", body);
  if (awaits_approval(answer)) return say_awaiting(context, answer);
  if (context.json()) {
    context.print({{"via", "server"},
                   {"server", context.client().server()},
                   {"version", arguments.version},
                   {"url", arguments.url},
                   {"signature", hex(image.digest)},
                   {"items", answer.contains("items") ? answer["items"] : Json::array()}});
    return exit_ok;
  }
  context.say(fmt::format(
      "Accepted by {}: {} to {}. Watch: otaria update watch",
      context.client().server(),
      arguments.version,
      devices.size() == 1 ? devices.front() : std::to_string(devices.size()) + " devices"));
  return exit_ok;
}

contract::Notice notice_for(const SendOtaUpdateArguments& arguments, const Image& image) {
  contract::Notice notice;
  // Lengths were judged before: each of these fits.
  notice.version.assign(arguments.version);
  notice.url.assign(arguments.url);
  notice.digest = image.digest;
  if (image.size != 0) notice.size = static_cast<std::uint32_t>(image.size);
  notice.force = arguments.force;
  // An id of its own makes a second call a second attempt, and its reports distinct.
  notice.update.assign(new_ulid());
  return notice;
}

BrokerAddress broker_address(Context& context, const SendOtaUpdateArguments& arguments) {
  const std::string url = arguments.broker.empty() ? default_broker : arguments.broker;
  const auto read = contract::read_broker_url(url).url;
  if (!read)
    throw usage("bad_broker_url",
                "The --broker URL cannot be read.",
                "Write it like mqtt://HOST, mqtts://USER:PASSWORD@HOST:8883.");
  BrokerAddress broker{*read, context.options().ca_file};
  if (!context.options().token_file.empty() && broker.password.empty()) {
    const std::string token = read_token(context.options().token_file);
    // An API token is a secret between us and otariad; no broker gets to see it.
    if (token.starts_with("ota_")) return broker;
    broker.password = token;
    if (broker.username.empty()) broker.username = "send_ota_update";
  }
  return broker;
}

int send_through_broker(Context& context,
                        const SendOtaUpdateArguments& arguments,
                        const std::vector<std::string>& devices,
                        const Image& image) {
  const BrokerAddress broker = broker_address(context, arguments);
  std::vector<OutgoingNotice> notices;
  Json items = Json::array();
  for (const auto& device : devices) {
    const contract::Notice notice = notice_for(arguments, image);
    notices.push_back({device,
                       device + std::string(contract::notice_topic_suffix),
                       contract::encode_notice(notice)});
    if (contract::notice_packet_bytes(device, notices.back().payload) >
        contract::max_packet_bytes) {
      throw usage("notice_too_long",
                  fmt::format("The notice for {} does not fit a device's {} bytes.",
                              device,
                              contract::max_packet_bytes),
                  "Use a shorter URL.");
    }
    items.push_back({{"device", device},
                     {"topic", notices.back().topic},
                     {"update", std::string(notice.update.view())}});
  }
  publish_notices(broker, notices, acknowledgement_patience);
  std::size_t missing = 0;
  for (std::size_t i = 0; i < notices.size(); ++i) {
    items[i]["acknowledged"] = notices[i].acknowledged;
    if (!notices[i].acknowledged) ++missing;
    context.say(
        fmt::format("{}: {}",
                    notices[i].topic,
                    notices[i].acknowledged ? "the broker has it, retained" : "NOT acknowledged"));
  }
  const std::string detail =
      fmt::format("The broker did not acknowledge {} of {} notices.", missing, notices.size());
  const std::string hint =
      "It may have closed the connection: see its log and its topic rules, then send those again.";
  if (context.json()) {
    Json result{{"via", "broker"},
                {"version", arguments.version},
                {"url", arguments.url},
                {"signature", hex(image.digest)},
                {"items", items}};
    if (missing > 0) result.update(error_object("not_acknowledged", detail, hint));
    context.print(result);
    return missing == 0 ? exit_ok : exit_refused;
  }
  if (missing > 0) throw Failure(exit_refused, "not_acknowledged", detail, hint);
  if (!context.quiet()) context.say("Watch: mosquitto_sub -t '+/ota/status' -v");
  return exit_ok;
}

}  // namespace

int send_ota_update(Context& context, const SendOtaUpdateArguments& arguments) {
  const auto devices = all_devices(arguments);
  check_version_and_url(arguments);
  if (!arguments.broker.empty())
    broker_address(context, arguments);  // judged before anything is fetched
  warn(context, arguments);
  const Image image = image_of(context, arguments);
  if (arguments.broker.empty() && server_answers(context))
    return send_through_server(context, arguments, devices, image);
  return send_through_broker(context, arguments, devices, image);
}

}  // namespace otaria::cli
