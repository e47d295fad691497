#pragma once

#include <atomic>
#include <cstdint>

namespace otaria::server {

/// What went over the broker since the start. Threads: any.
struct BrokerCounters {
  using Counter = std::atomic<std::uint64_t>;
  Counter statuses{0};           ///< recorded
  Counter states{0};             ///< taken over
  Counter repeats{0};            ///< seen before, or overtaken
  Counter bad_messages{0};       ///< not of the contract, or under another device's topic
  Counter id_conflicts{0};       ///< a second MAC for one id
  Counter unknown_updates{0};    ///< statuses of updates we did not send
  Counter contradictions{0};     ///< reports that cannot follow a final state
  Counter dropped{0};            ///< queue full, or the database refused them for good
  Counter notices_published{0};  ///< acknowledged by the broker
  Counter withdrawals_published{0};
  Counter connects{0};
  Counter batches{0};  ///< transactions of reports
};

}  // namespace otaria::server
