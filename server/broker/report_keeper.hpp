#pragma once

#include <cstdint>

#include "server/broker/counters.hpp"
#include "server/broker/limited_log.hpp"
#include "server/registry/deployment.hpp"
#include "server/registry/reports.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// Decides anew what a device's retained notice says: its newest offered deployment, or nothing.
void restate_notice(StoreTransaction& transaction, const std::string& device, std::int64_t now_ms);

/// Applies the registry's rules to reports, inside the transaction of the caller.
/// Threads  one at a time.
class ReportKeeper {
 public:
  ReportKeeper(Deadlines deadlines, BrokerCounters& counters, LimitedLog& log)
      : deadlines_{deadlines}, counters_{counters}, log_{log} {}

  void keep(StoreTransaction& transaction, const StatusReport& report, std::int64_t now_ms);
  void keep(StoreTransaction& transaction, const StateReport& report, std::int64_t now_ms);

 private:
  void advance(StoreTransaction& transaction,
               const StatusReport& report,
               Sequence place,
               std::int64_t now_ms);
  void note_belied(const Deployment& deployment);
  void withdraw_unsigned(StoreTransaction& transaction,
                         const std::string& device,
                         std::int64_t now_ms);
  void heal_by_last(StoreTransaction& transaction,
                    const LastOutcome& last,
                    const Device& device,
                    std::int64_t now_ms);
  void settle(StoreTransaction& transaction,
              const Deployment& before,
              const Decision& decision,
              std::int64_t now_ms);

  const Deadlines deadlines_;
  BrokerCounters& counters_;
  LimitedLog& log_;
};

}  // namespace otaria::server
