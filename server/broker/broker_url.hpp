#pragma once

#include <string_view>

#include "contract/host/broker_url.hpp"
#include "server/registry/refusal.hpp"

namespace otaria::server {

using contract::BrokerUrl;

/// Refusal code `bad_url`; it shows nothing of a user or password.
Outcome<BrokerUrl> parse_broker_url(std::string_view text);

}  // namespace otaria::server
