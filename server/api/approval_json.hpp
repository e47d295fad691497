#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/access/approval.hpp"
#include "server/registry/deployment.hpp"
#include "server/registry/refusal.hpp"

/// JSON of the two-person rule; json.hpp's rules hold here too.
namespace otaria::server {

/// `whole`: with what will be done.
std::string json_of(const Approval& approval, std::int64_t now, bool whole);
/// The answer to a request that waits: a list without items beside the approval.
std::string awaiting_json(const Approval& approval, std::int64_t now);
std::string json_of(const ApprovalRules& rules);

/// Reads the body of POST /approvals/{id}/approve: the digest that is approved. Code bad_request.
Outcome<std::string> approved_digest_from(const std::string& body);
/// Reads the body of POST /approvals/{id}/reject, which may be empty. Code bad_request.
Outcome<std::string> rejection_reason_from(const std::string& body);

/// What a request for updates would do, as text: the request (the body of POST /updates), and which
/// image each device would get. Equal texts: equal deeds.
std::string updates_content(const std::string& request, const std::vector<Deployment>& updates);
/// The request in such a text. Throws std::runtime_error for another text: the database was changed
/// by somebody else.
std::string request_of_content(const std::string& content);

/// `{"updates":[ids]}`
std::string updates_result(const std::vector<Deployment>& updates);

}  // namespace otaria::server
