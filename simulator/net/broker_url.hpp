#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otaria::simulator {

/// Where a broker listens.
struct BrokerAddress {
  std::string host;  ///< name or address; IPv6 without its brackets
  std::uint16_t port = 1883;
  bool tls = false;
};

/// `mqtt://host[:1883]` or `mqtts://host[:8883]`, IPv6 in brackets, an optional `/` at the end;
/// nothing for anything else (credentials in the URL included: a token belongs into a file).
std::optional<BrokerAddress> broker_from_url(std::string_view url);

}  // namespace otaria::simulator
