#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "operator/cli/context.hpp"

namespace otaria::cli {

struct UpArguments {
  std::string data = "./otaria-data";
  std::string bind = "127.0.0.1";  ///< address of both listeners
  std::uint16_t mqtt_port = 1883;
  std::string http;        ///< ADDR:PORT; empty: bind:8080
  std::string public_url;  ///< base of the URLs in notices; empty: derived
};

/// Runs Mosquitto and otariad on this machine until Ctrl-C or SIGTERM. Returns exit_ok after a
/// clean stop; throws Failure when it cannot start: exit_usage for what the operator can mend
/// (ports, folder, missing programs), exit_refused when a child does not become ready.
int up(Context& context, const UpArguments& arguments);

/// The Mosquitto configuration for `data`, a folder by absolute path. Throws Failure for a path
/// that the configuration's syntax cannot hold.
std::string mosquitto_configuration(const std::string& data,
                                    const std::string& bind,
                                    std::uint16_t port,
                                    const std::string& user);

/// An IPv4 or IPv6 address with port.
struct Endpoint {
  std::string address;  ///< without brackets
  std::uint16_t port = 0;
};
/// `127.0.0.1:8080`, `[::1]:8080`.
std::optional<Endpoint> endpoint_from(const std::string& text);
/// Why nobody may listen there; empty when one can.
std::string listen_obstacle(const Endpoint& endpoint);
std::string host_and_port(const Endpoint& endpoint);  ///< with brackets where needed

}  // namespace otaria::cli
