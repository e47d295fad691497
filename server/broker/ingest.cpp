#include "server/broker/ingest.hpp"

#include <spdlog/spdlog.h>

#include <exception>

#include "server/broker/message_reader.hpp"

namespace otaria::server {

Ingest::Ingest(Store& store,
               Deadlines deadlines,
               IngestConfig config,
               UnixClock clock,
               BrokerCounters& counters)
    : store_{store},
      config_{config},
      clock_{std::move(clock)},
      counters_{counters},
      keeper_{deadlines, counters, log_},
      thread_{[this] { run(); }} {}

Ingest::~Ingest() {
  stop();
}

void Ingest::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  filled_.notify_all();
  drained_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::size_t Ingest::queued() {
  const std::scoped_lock lock{mutex_};
  return queue_.size();
}

void Ingest::offer(std::string_view topic, std::string_view payload, bool retained) {
  {
    std::unique_lock lock{mutex_};
    const bool room = drained_.wait_for(lock, config_.full_wait, [this] {
      return stopping_ || queue_.size() < config_.queue_limit;
    });
    if (!room || stopping_) {
      ++counters_.dropped;
      lock.unlock();
      log_.warn("queue_full",
                "reports arrive faster than the database takes them; one was dropped");
      return;
    }
    queue_.push_back({std::string{topic}, std::string{payload}, retained});
  }
  filled_.notify_one();
}

std::vector<Ingest::Message> Ingest::next_batch() {
  std::unique_lock lock{mutex_};
  filled_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (queue_.size() < config_.batch_limit && !stopping_) {
    filled_.wait_for(
        lock, config_.linger, [this] { return stopping_ || queue_.size() >= config_.batch_limit; });
  }
  const std::size_t count = std::min(queue_.size(), config_.batch_limit);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Message> batch{std::make_move_iterator(queue_.begin()), std::make_move_iterator(end)};
  queue_.erase(queue_.begin(), end);
  lock.unlock();
  drained_.notify_all();
  return batch;
}

void Ingest::run() {
  for (;;) {
    const std::vector<Message> batch = next_batch();
    if (batch.empty()) return;  // stopping, and everything kept
    keep_batch(batch);
  }
}

// A full disk must not lose what devices said, nor one poisonous message what the others said.
void Ingest::keep_batch(const std::vector<Message>& batch) {
  for (;;) {
    try {
      keep_in_one_transaction(batch);
      return;
    } catch (const DatabaseError& error) {
      log_.warn("database", error.what());
      if (!error.may_pass()) return keep_one_by_one(batch, error.what());
      std::unique_lock lock{mutex_};
      if (filled_.wait_for(lock, config_.retry_wait, [this] { return stopping_; })) {
        spdlog::error("database: {} reports could not be kept before the stop", batch.size());
        counters_.dropped += batch.size();
        return;
      }
    } catch (const std::exception& error) {
      return keep_one_by_one(batch, error.what());
    }
  }
}

void Ingest::keep_in_one_transaction(const std::vector<Message>& batch) {
  store_.write([&](StoreTransaction& transaction) {
    for (const Message& message : batch) keep_message(transaction, message);
  });
  ++counters_.batches;
}

void Ingest::keep_one_by_one(const std::vector<Message>& batch, const std::string& reason) {
  if (batch.size() == 1) {
    ++counters_.dropped;
    log_.warn("dropped", printable(batch[0].topic) + ": " + reason);
    return;
  }
  for (const Message& message : batch) keep_batch({message});
}

void Ingest::keep_message(StoreTransaction& transaction, const Message& message) {
  const Report report = read_message(message.topic, message.payload, message.retained);
  if (const auto* status = std::get_if<StatusReport>(&report)) {
    keeper_.keep(transaction, *status, clock_());
  } else if (const auto* state = std::get_if<StateReport>(&report)) {
    keeper_.keep(transaction, *state, clock_());
  } else {
    ++counters_.bad_messages;
    log_.warn("bad_message",
              printable(message.topic) + ": " + std::get<BadMessage>(report).reason + ": " +
                  printable(message.payload));
  }
}

}  // namespace otaria::server
