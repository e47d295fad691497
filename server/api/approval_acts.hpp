#pragma once

#include <string>
#include <vector>

#include "server/access/approval.hpp"
#include "server/api/services.hpp"
#include "server/http/message.hpp"
#include "server/registry/refusal.hpp"
#include "server/store/store.hpp"

/// What waits for a second person, and what is done once he has approved it.
namespace otaria::server {

struct Wish {
  ApprovalVerb verb = ApprovalVerb::force;
  std::string content;
  std::string summary;
};

/// Puts down what the caller asks for, with its row of the audit log. The same wish of the same
/// person that is pending already comes back as it is. Codes: person_unknown, too_many_approvals.
Outcome<Approval> await_approval(StoreTransaction& transaction,
                                 const Request& request,
                                 Services& services,
                                 Wish wish);

/// The answer to a request that waits: 202.
Response awaiting_reply(const Approval& approval, std::int64_t now);

/// One line about updates: `1.4.0 to 3 devices: a, b, c`.
std::string summary_of(const std::vector<Deployment>& updates);

/// Does what was approved, in the transaction of the approval: both are kept, or neither. The
/// result is JSON. Codes: approval_stale (it would no longer be the same), and those of what is
/// done.
Outcome<std::string> act(StoreTransaction& transaction,
                         const Request& request,
                         Services& services,
                         const Approval& approval);

}  // namespace otaria::server
