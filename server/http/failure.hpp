#pragma once

#include "server/http/message.hpp"

namespace otaria::server {

/// What the HTTP layer itself answers when no handler can: problem details (RFC 9457) with our
/// `code` and `hint`, so that a client finds a reason in every failure. `status` 400 to 599.
Response failure_response(int status);

}  // namespace otaria::server
