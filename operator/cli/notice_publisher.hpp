#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "contract/host/broker_url.hpp"

/// Notices straight to a broker, without otariad.
namespace otaria::cli {

struct BrokerAddress : contract::BrokerUrl {
  std::string ca_file;  ///< not of the URL: PEM, CAs to trust; empty: the system's
};

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
