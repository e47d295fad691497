#include "server/api/event_hub.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/api/json.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t most_waiting = 2000;

std::string event(const char* name, const std::string& json) {
  return std::string{"event: "} + name + "\ndata: " + json + "\n\n";
}

std::string event_of(const Deployment& deployment) {
  return event("update", json_of(deployment));
}

}  // namespace

bool Subscription::wants_update(const Deployment& deployment) const {
  return (update_.empty() || update_ == deployment.id) &&
         (device_.empty() || device_ == deployment.device);
}

bool Subscription::wants_device(const std::string& id) const {
  return update_.empty() && (device_.empty() || device_ == id);
}

void Subscription::push(const std::string& event) {
  const std::scoped_lock lock{mutex_};
  if (waiting_.size() >= most_waiting) {
    overrun_ = true;
    waiting_.clear();
  }
  if (!overrun_) waiting_.push_back(event);
}

std::optional<std::string> Subscription::next() {
  const std::scoped_lock lock{mutex_};
  if (overrun_) return std::nullopt;
  std::string events;
  for (const std::string& waiting : waiting_) events += waiting;
  waiting_.clear();
  return events;
}

EventHub::EventHub(Store& store, UnixClock clock, std::int64_t silence_s)
    : store_{store}, clock_{std::move(clock)}, silence_s_{silence_s}, thread_{[this] { run(); }} {}

EventHub::~EventHub() {
  stop();
}

void EventHub::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EventHub::on_commit(const Changes& changes) {
  {
    const std::scoped_lock lock{mutex_};
    if (subscriptions_.empty()) return;
    pending_.devices.insert(changes.devices.begin(), changes.devices.end());
    pending_.deployments.insert(changes.deployments.begin(), changes.deployments.end());
  }
  changed_.notify_one();
}

std::shared_ptr<Subscription> EventHub::subscribe(const std::string& update,
                                                  const std::string& device) {
  auto subscription = std::make_shared<Subscription>(update, device);
  // Listed first, read second: a change in between comes twice rather than never.
  {
    const std::scoped_lock lock{mutex_};
    subscriptions_.push_back(subscription);
  }
  store_.read([&](StoreView& view) {
    if (const auto known = view.deployment(update); known && subscription->wants_update(*known)) {
      subscription->push(server::event_of(*known));
    }
    if (const auto known = view.device(device); known && subscription->wants_device(device)) {
      subscription->push(event_of(*known));
    }
  });
  return subscription;
}

std::string EventHub::event_of(const Device& device) const {
  return event("device", json_of(device, is_online(device, clock_() / 1000, silence_s_)));
}

std::size_t EventHub::subscribers() {
  return living().size();
}

std::vector<std::shared_ptr<Subscription>> EventHub::living() {
  const std::scoped_lock lock{mutex_};
  std::vector<std::shared_ptr<Subscription>> living;
  std::erase_if(subscriptions_, [&](const auto& weak) {
    auto subscription = weak.lock();
    if (subscription) living.push_back(std::move(subscription));
    return weak.expired();
  });
  return living;
}

void EventHub::run() {
  for (;;) {
    Changes changes;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
      if (stopping_) return;
      std::swap(changes, pending_);
    }
    try {
      tell(changes);
    } catch (const std::exception& error) {
      spdlog::warn("events: {}", error.what());
    }
  }
}

void EventHub::tell(const Changes& changes) {
  const auto subscriptions = living();
  if (subscriptions.empty()) return;
  store_.read([&](StoreView& view) {
    for (const std::string& id : changes.deployments) {
      const auto deployment = view.deployment(id);
      if (!deployment) continue;
      const std::string text = server::event_of(*deployment);
      for (const auto& subscription : subscriptions) {
        if (subscription->wants_update(*deployment)) subscription->push(text);
      }
    }
    for (const std::string& id : changes.devices) {
      const auto device = view.device(id);
      if (!device) continue;
      const std::string text = event_of(*device);
      for (const auto& subscription : subscriptions) {
        if (subscription->wants_device(id)) subscription->push(text);
      }
    }
  });
}

}  // namespace otaria::server
