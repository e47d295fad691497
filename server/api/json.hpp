#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/broker/dispatcher.hpp"
#include "server/download/downloads.hpp"
#include "server/registry/deployment.hpp"
#include "server/registry/device.hpp"
#include "server/registry/refusal.hpp"
#include "server/registry/release.hpp"
#include "server/store/store.hpp"
#include "server/trust/key_list_file.hpp"

/// The REST API's JSON: the only place here that knows nlohmann. Each function returns one JSON
/// text. Bytes that are no UTF-8 become U+FFFD. Source  docs/spec/rest.md.
namespace otaria::server {

/// With the URLs as they are made at `now` (Unix seconds).
std::string json_of(const Release& release, const Downloads& downloads, std::int64_t now);
std::string json_of(const Device& device, bool online);
std::string json_of(const Device& device, bool online, const std::vector<Deployment>& updates);
std::string json_of(const Deployment& deployment);
std::string json_of(const Deployment& deployment, const std::vector<StatusRecord>& history);
std::string json_of(const StatusRecord& record);
std::string json_of(const StoredKeyList& list, const KeyListContent& content);
std::string problem_json(int status, const std::string& title, const Refusal& refusal);

/// The `code` of problem details; empty when the text has none.
std::string problem_code(const std::string& problem);

struct ServerView {
  std::string version, public_url, broker_url;
  std::int64_t started_at = 0;
  bool broker_connected = false;
  bool open_access = false, development = false;
  ApprovalRules approvals = {};
  StoreCounts counts;
};
std::string json_of(const ServerView& server);

/// `{"items":[…],"next":…}` of items that are JSON already; an empty `next` is null.
std::string list_json(const std::vector<std::string>& items, const std::string& next);

/// Reads the body of POST /updates. Code bad_request: no JSON object, or a member of the wrong type
/// or range. Unknown members are ignored.
Outcome<SendRequest> send_request_from(const std::string& body);

}  // namespace otaria::server
