#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otaria::contract {

/// Where a broker is: `mqtt://[user[:password]@]host[:1883][/]`, or `mqtts://…[:8883]` for TLS.
struct BrokerUrl {
  bool tls = false;
  std::string host;  ///< name or address; IPv6 without its brackets
  std::uint16_t port = 1883;
  std::string username, password;  ///< percent-decoded; empty: none

  /// Without the password: for logs and the API.
  [[nodiscard]] std::string shown() const;
};

struct BrokerUrlReading {
  std::optional<BrokerUrl> url;
  std::string_view defect;  ///< why there is none, as the end of a sentence; never part of the text
};

/// Source  ports: IANA; the form: RFC 3986, section 3.2.
BrokerUrlReading read_broker_url(std::string_view text);

/// Any text that was meant as a URL, for an error sentence: what stands before an `@` might be a
/// password and becomes `…`.
std::string without_credentials(std::string_view text);

}  // namespace otaria::contract
