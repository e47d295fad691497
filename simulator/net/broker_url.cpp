#include "simulator/net/broker_url.hpp"

#include "contract/host/broker_url.hpp"

namespace otaria::simulator {

std::optional<BrokerAddress> broker_from_url(std::string_view url) {
  auto broker = contract::read_broker_url(url).url;
  if (!broker || !broker->username.empty()) return std::nullopt;
  return BrokerAddress{std::move(broker->host), broker->port, broker->tls};
}

}  // namespace otaria::simulator
