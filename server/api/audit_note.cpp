#include "server/api/audit_note.hpp"

#include "server/access/caller.hpp"

namespace otaria::server {

void note(StoreTransaction& transaction,
          const Services& services,
          const Request& request,
          std::string verb,
          std::string subject,
          std::string detail) {
  transaction.append_audit({.at = services.now(),
                            .actor = request.caller->actor,
                            .source = request.caller->source,
                            .verb = std::move(verb),
                            .subject = std::move(subject),
                            .outcome = "done",
                            .detail = std::move(detail)});
  request.caller->audited = true;
}

}  // namespace otaria::server
