#pragma once

#include "server/http/message.hpp"
#include "server/registry/refusal.hpp"

namespace otaria::server {

/// The HTTP status that a refusal's code stands for; 400 for one not in the table.
int status_of(const std::string& code);

/// A refusal as RFC 9457 problem details.
Response problem(const Refusal& refusal);

}  // namespace otaria::server
