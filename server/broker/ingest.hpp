#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/broker/clock.hpp"
#include "server/broker/report_keeper.hpp"

namespace otaria::server {

struct IngestConfig {
  std::size_t queue_limit = 20'000;  ///< messages; a device sends at most 1,024 bytes each
  std::size_t batch_limit = 1000;
  std::chrono::milliseconds linger{
      20};  ///< a batch waits this long for more: one fsync for all of them
  std::chrono::milliseconds full_wait{
      2000};  ///< offer() holds the broker back for so long when the queue is full
  std::chrono::milliseconds retry_wait{1000};  ///< after the database refused a batch
};

/// Takes messages from the broker and keeps them, many in one transaction.
///
/// Threads  one of its own; offer() from any.
/// Errors   never thrown to the broker: what is no message of the contract is counted and logged; a
/// database that fails is tried
///          again until it works or the server stops.
class Ingest {
 public:
  Ingest(Store& store,
         Deadlines deadlines,
         IngestConfig config,
         UnixClock clock,
         BrokerCounters& counters);
  ~Ingest();  ///< keeps what was offered, then stops
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  void offer(std::string_view topic, std::string_view payload, bool retained);
  void stop();
  [[nodiscard]] std::size_t queued();

 private:
  struct Message {
    std::string topic, payload;
    bool retained;
  };
  void run();
  std::vector<Message> next_batch();
  void keep_batch(const std::vector<Message>& batch);
  void keep_in_one_transaction(const std::vector<Message>& batch);
  void keep_one_by_one(const std::vector<Message>& batch, const std::string& reason);
  void keep_message(StoreTransaction& transaction, const Message& message);

  Store& store_;
  const IngestConfig config_;
  const UnixClock clock_;
  BrokerCounters& counters_;
  LimitedLog log_;
  ReportKeeper keeper_;
  std::mutex mutex_;
  std::condition_variable filled_, drained_;
  std::deque<Message> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace otaria::server
