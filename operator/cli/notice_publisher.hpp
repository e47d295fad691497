#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Notices straight to a broker, without otariad.
namespace otaria::cli {

struct BrokerAddress {
  bool tls = false;
  std::string host;
  std::uint16_t port = 1883;
  std::string user;  ///< empty: none
  std::string password;
  std::string ca_file;  ///< not of the URL: PEM, CAs to trust; empty: the system's
};

/// `mqtt[s]://[user[:password]@]host[:port]`, percent-encoded user and password; nothing else.
/// Source  ports: IANA, 1883 and 8883.
std::optional<BrokerAddress> broker_from(const std::string& url);

struct OutgoingNotice {
  std::string device;
  std::string topic;
  std::string payload;
  bool acknowledged = false;  ///< the broker's PUBACK came
};

/// Publishes every notice retained at QoS 1 and waits for the PUBACKs, as long as one comes within
/// `patience`. A PUBACK says that the broker has it, not that it may pass it on nor that a device
/// got it. TLS: 1.2 or newer, chain and host name always verified. Throws Failure: exit_unreachable
/// when no broker answers or is not to be trusted, exit_refused when it refuses the connection.
/// After a lost connection it returns with what was acknowledged till then.
void publish_notices(const BrokerAddress& broker,
                     std::vector<OutgoingNotice>& notices,
                     std::chrono::seconds patience);

}  // namespace otaria::cli
