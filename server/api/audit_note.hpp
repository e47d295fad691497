#pragma once

#include <string>

#include "server/api/services.hpp"
#include "server/http/message.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// Appends to the audit log that the request's caller did this. Call it in the transaction of the
/// change, so that neither is kept without the other. `verb` like `token.revoke`, `subject` the id
/// of what was changed, `detail` by contract::audit_detail: no secrets.
void note(StoreTransaction& transaction,
          const Services& services,
          const Request& request,
          std::string verb,
          std::string subject,
          std::string detail = "{}");

}  // namespace otaria::server
