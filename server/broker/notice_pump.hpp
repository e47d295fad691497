#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/broker/clock.hpp"
#include "server/broker/counters.hpp"
#include "server/broker/limited_log.hpp"
#include "server/download/downloads.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

struct NoticePumpConfig {
  /// Retained publishes per second. EMQX keeps at most 1,000 a second and drops the rest without a
  /// word.
  double rate = 800;
  std::size_t in_flight_limit = 100;
  std::int64_t repeat_first_ms =
      30'000;  ///< an unanswered notice again after this, doubled each time
  std::int64_t repeat_limit_ms = 3'600'000;
  std::int64_t puback_limit_ms = 20'000;  ///< published again when the broker is silent for longer
};

/// Publishes what the outbox holds, paced, and settles a row only when the broker has it; a notice
/// stays until the device answers.
///
/// Threads  one of its own; the on_… calls from any.
class NoticePump {
 public:
  /// Sends a retained message, or nothing while the broker is away. MqttLink::publish_retained.
  using Publish =
      std::function<std::optional<int>(const std::string& topic, std::string_view payload)>;

  NoticePump(Store& store,
             NoticePumpConfig config,
             const Downloads& downloads,
             Publish publish,
             UnixClock clock,
             BrokerCounters& counters);
  ~NoticePump();
  NoticePump(const NoticePump&) = delete;
  NoticePump& operator=(const NoticePump&) = delete;

  void stop();
  void on_connected();  ///< every unanswered notice is published again
  void on_lost();
  void on_published(int message_id);  ///< PUBACK
  void on_outbox_changed();

 private:
  struct InFlight {
    OutboxRow row;
    std::int64_t sent_at_ms;
    std::optional<std::int64_t> url_until;  ///< Unix seconds
  };
  void run();
  void wait();
  void settle_acknowledged();
  bool publish_due();  ///< false: nothing left that is due
  bool publish_row(const OutboxRow& row, const std::optional<Deployment>& deployment);
  void forget_unacknowledged();
  bool may_send();
  [[nodiscard]] std::int64_t next_repeat(const InFlight& sent, std::int64_t now_ms) const;

  Store& store_;
  const NoticePumpConfig config_;
  const Downloads& downloads_;
  const Publish publish_;
  const UnixClock clock_;
  BrokerCounters& counters_;
  LimitedLog log_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool connected_ = false;
  bool renew_ = false;
  bool work_ = true;
  std::vector<int> acknowledged_;

  // Of the pump's own thread:
  std::map<int, InFlight> in_flight_;
  std::map<std::string, int> topics_in_flight_;
  double tokens_ = 1;
  std::chrono::steady_clock::time_point tokens_at_ = std::chrono::steady_clock::now();
  std::thread thread_;
};

}  // namespace otaria::server
