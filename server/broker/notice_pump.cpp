#include "server/broker/notice_pump.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/broker/notice.hpp"

namespace otaria::server {
namespace {

constexpr auto tick = std::chrono::milliseconds{200};
constexpr auto linger = std::chrono::milliseconds{5};
constexpr double burst = 20;

}  // namespace

NoticePump::NoticePump(Store& store,
                       NoticePumpConfig config,
                       const Downloads& downloads,
                       Publish publish,
                       UnixClock clock,
                       BrokerCounters& counters)
    : store_{store},
      config_{config},
      downloads_{downloads},
      publish_{std::move(publish)},
      clock_{std::move(clock)},
      counters_{counters},
      thread_{[this] { run(); }} {}

NoticePump::~NoticePump() {
  stop();
}

void NoticePump::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void NoticePump::on_connected() {
  {
    const std::scoped_lock lock{mutex_};
    connected_ = renew_ = work_ = true;
  }
  wake_.notify_all();
}

void NoticePump::on_lost() {
  const std::scoped_lock lock{mutex_};
  connected_ = false;
}

void NoticePump::on_published(int message_id) {
  {
    const std::scoped_lock lock{mutex_};
    acknowledged_.push_back(message_id);
    work_ = true;
  }
  wake_.notify_all();
}

void NoticePump::on_outbox_changed() {
  {
    const std::scoped_lock lock{mutex_};
    work_ = true;
  }
  wake_.notify_all();
}

void NoticePump::wait() {
  std::unique_lock lock{mutex_};
  wake_.wait_for(lock, tick, [this] { return stopping_ || work_; });
  work_ = false;
}

void NoticePump::run() {
  for (;;) {
    wait();
    bool connected = false;
    bool renew = false;
    {
      const std::scoped_lock lock{mutex_};
      if (stopping_) break;
      connected = connected_;
      renew = std::exchange(renew_, false);
    }
    try {
      settle_acknowledged();
      if (renew) {
        // Acknowledgements of the connection before will not come; what it sent is sent again.
        in_flight_.clear();
        topics_in_flight_.clear();
        store_.write([&](StoreTransaction& transaction) { transaction.renew_outbox(clock_()); });
      }
      forget_unacknowledged();
      if (connected && publish_due()) on_outbox_changed();
    } catch (const std::exception& error) {
      log_.warn("outbox", error.what());  // the rows are still there: the next tick tries again
    }
  }
  try {
    settle_acknowledged();
  } catch (const std::exception& error) {
    log_.warn("outbox", error.what());
  }
}

void NoticePump::settle_acknowledged() {
  std::vector<int> ids;
  {
    const std::scoped_lock lock{mutex_};
    ids.swap(acknowledged_);
  }
  std::vector<InFlight> done;
  for (const int id : ids) {
    const auto found = in_flight_.find(id);
    if (found == in_flight_.end()) continue;
    topics_in_flight_.erase(found->second.row.device);
    done.push_back(std::move(found->second));
    in_flight_.erase(found);
  }
  if (done.empty()) return;
  const std::int64_t now = clock_();
  store_.write([&](StoreTransaction& transaction) {
    for (const InFlight& sent : done) {
      const OutboxRow& row = sent.row;
      transaction.outbox_published(row.device, row.generation, next_repeat(sent, now));
      if (row.update && sent.url_until) transaction.set_url_until(*row.update, *sent.url_until);
    }
  });
  for (const InFlight& sent : done) {
    ++(sent.row.update ? counters_.notices_published : counters_.withdrawals_published);
  }
}

std::int64_t NoticePump::next_repeat(const InFlight& sent, std::int64_t now_ms) const {
  const std::uint32_t doublings = std::min<std::uint32_t>(sent.row.attempts, 20);
  return now_ms + std::min(config_.repeat_first_ms << doublings, config_.repeat_limit_ms);
}

void NoticePump::forget_unacknowledged() {
  const std::int64_t expired = clock_() - config_.puback_limit_ms;
  std::erase_if(in_flight_, [&](const auto& entry) {
    if (entry.second.sent_at_ms > expired) return false;
    topics_in_flight_.erase(entry.second.row.device);
    return true;
  });
}

bool NoticePump::may_send() {
  const auto now = std::chrono::steady_clock::now();
  const double passed = std::chrono::duration<double>(now - tokens_at_).count();
  tokens_ = std::min(burst, tokens_ + passed * config_.rate);
  tokens_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool NoticePump::publish_due() {
  struct Due {
    OutboxRow row;
    std::optional<Deployment> deployment;
  };
  std::vector<Due> due;
  const std::size_t wanted = config_.in_flight_limit + in_flight_.size();
  store_.read([&](StoreView& view) {
    for (OutboxRow& row : view.due_notices(clock_(), wanted)) {
      if (topics_in_flight_.contains(row.device)) continue;  // one at a time keeps a topic's order
      auto deployment = row.update ? view.deployment(*row.update) : std::nullopt;
      due.push_back({std::move(row), std::move(deployment)});
    }
  });
  for (const Due& item : due) {
    if (in_flight_.size() >= config_.in_flight_limit) return false;  // the next PUBACK wakes us
    if (!may_send()) {
      std::this_thread::sleep_for(linger);
      return true;
    }
    if (!publish_row(item.row, item.deployment)) return false;
  }
  return false;
}

bool NoticePump::publish_row(const OutboxRow& row, const std::optional<Deployment>& deployment) {
  std::string payload;
  std::optional<std::int64_t> url_until;
  if (deployment && deployment->offered()) {
    auto written = write_notice(*deployment, downloads_, clock_() / 1000);
    if (!written) {  // public_url has grown since: not this one, but the others go on
      log_.warn("notice_too_long", row.device + ": " + written.refusal().detail);
      store_.write([&](StoreTransaction& transaction) {
        transaction.outbox_published(
            row.device, row.generation, clock_() + config_.repeat_limit_ms);
      });
      return true;
    }
    payload = std::move(written.value().payload);
    url_until = written.value().url_until;
  }
  const auto id = publish_(notice_topic(row.device), payload);
  if (!id) return false;
  in_flight_[*id] = {row, clock_(), url_until};
  topics_in_flight_[row.device] = *id;
  return true;
}

}  // namespace otaria::server
