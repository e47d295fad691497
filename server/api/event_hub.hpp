#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/broker/clock.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// One client of the event stream.
/// Threads  next() by one, push() by another.
class Subscription {
 public:
  Subscription(std::string update, std::string device)
      : update_{std::move(update)}, device_{std::move(device)} {}

  [[nodiscard]] bool wants_update(const Deployment& deployment) const;
  [[nodiscard]] bool wants_device(const std::string& id) const;
  void push(const std::string& event);
  /// What has come since, in the form of Server-Sent Events; empty: nothing yet. Nothing at all:
  /// the client fell too far behind; it connects again and lists anew.
  std::optional<std::string> next();

 private:
  const std::string update_, device_;  ///< empty: any
  std::mutex mutex_;
  std::deque<std::string> waiting_;
  bool overrun_ = false;
};

/// Tells clients what commits have changed.
///
/// Each change is read from the store after its commit, so an event is never about what was undone.
/// Several commits in a few milliseconds may become one event with the newest values. Threads  any;
/// one of its own reads and writes the events.
class EventHub {
 public:
  EventHub(Store& store, UnixClock clock, std::int64_t silence_s);
  ~EventHub();
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  void on_commit(const Changes& changes);
  /// Both filters narrow; with one of them the current object is the first event.
  std::shared_ptr<Subscription> subscribe(const std::string& update, const std::string& device);
  [[nodiscard]] std::size_t subscribers();
  void stop();

 private:
  void run();
  void tell(const Changes& changes);
  std::vector<std::shared_ptr<Subscription>> living();
  [[nodiscard]] std::string event_of(const Device& device) const;

  Store& store_;
  const UnixClock clock_;
  const std::int64_t silence_s_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Changes pending_;
  std::vector<std::weak_ptr<Subscription>> subscriptions_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace otaria::server
