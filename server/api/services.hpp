#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "server/access/approval.hpp"
#include "server/artifact/store.hpp"
#include "server/broker/clock.hpp"
#include "server/broker/counters.hpp"
#include "server/broker/dispatcher.hpp"
#include "server/http/server.hpp"
#include "server/registry/ulid.hpp"
#include "server/store/store.hpp"
#include "server/trust/counters.hpp"

namespace otaria::server {

class EventHub;
class Gate;
class IdentityService;

/// What the endpoints work with; owned by the application, alive as long as requests run. All of it
/// is safe from any thread.
struct Services {
  Store& store;
  ArtifactStore& artifacts;
  Downloads& downloads;
  Dispatcher& dispatcher;
  UlidGenerator& ulids;
  EventHub& events;
  Gate& gate;
  IdentityService& identity;
  BrokerCounters& counters;
  TrustCounters& trust;
  UnixClock clock;
  std::string version;     ///< of this program
  std::string public_url;  ///< without a slash at its end
  std::string broker_url;  ///< without the password
  std::int64_t started_at = 0;
  std::int64_t silence_s = 0;  ///< see is_online
  ApprovalRules approvals = {};
  std::function<bool()> broker_connected;
  std::function<HttpStatistics()> http_statistics;
  std::function<std::size_t()> queued_reports;

  [[nodiscard]] std::int64_t now() const { return clock() / 1000; }
};

}  // namespace otaria::server
