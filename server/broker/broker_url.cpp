#include "server/broker/broker_url.hpp"

namespace otaria::server {

Outcome<BrokerUrl> parse_broker_url(std::string_view text) {
  auto reading = contract::read_broker_url(text);
  if (reading.url) return std::move(*reading.url);
  return Refusal{"bad_url",
                 "\"" + contract::without_credentials(text) +
                     "\" is no broker URL: " + std::string{reading.defect},
                 "write mqtt://HOST:PORT or mqtts://HOST:PORT"};
}

}  // namespace otaria::server
