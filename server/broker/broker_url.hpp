#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/registry/refusal.hpp"

namespace otaria::server {

/// Where the broker is: `mqtt://[user[:password]@]host[:port]` or `mqtts://…` (TLS, verified).
struct BrokerUrl {
  bool tls = false;
  std::string host;
  std::uint16_t port = 1883;
  std::string username, password;  ///< percent-decoded; empty: none

  /// Without the password: for logs and the API.
  [[nodiscard]] std::string shown() const;
};

/// Refusal code `bad_url`.
Outcome<BrokerUrl> parse_broker_url(std::string_view text);

}  // namespace otaria::server
