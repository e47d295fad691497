#include "server/oidc/key_cache.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace otaria::server::oidc {
namespace {

constexpr std::chrono::seconds fetched_again_after{3600};
constexpr std::chrono::seconds failed_again_after{10};

}  // namespace

KeyCache::~KeyCache() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void KeyCache::start() {
  thread_ = std::thread{[this] { run(); }};
}

void KeyCache::run() {
  for (;;) {
    load();
    std::unique_lock lock{mutex_};
    const auto pause = keys_->empty() ? failed_again_after : fetched_again_after;
    changed_.wait_for(lock, pause, [this] { return wanted_ || stopping_; });
    if (stopping_) return;
  }
}

void KeyCache::load() {
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock{mutex_};
    wanted_ = false;
    number = ++loads_begun_;
  }
  KeySet fetched;
  try {
    auto set = key_set_from(loader_());
    if (set) {
      fetched = std::make_shared<const std::vector<ProviderKey>>(std::move(set.value()));
      spdlog::info("oidc: the provider has {} keys", fetched->size());
    } else {
      spdlog::error(
          "oidc: the provider's key set {}; {}", set.refusal().detail, set.refusal().hint);
    }
  } catch (const std::exception& error) {
    spdlog::error("oidc: the provider's keys cannot be had: {}", error.what());
  }
  const std::scoped_lock lock{mutex_};
  if (fetched) keys_ = std::move(fetched);
  loads_ended_ = number;
  changed_.notify_all();
}

KeySet KeyCache::keys() {
  const std::scoped_lock lock{mutex_};
  return keys_;
}

KeySet KeyCache::newer() {
  std::unique_lock lock{mutex_};
  if (thread_.joinable() && loads_ended_ == 0) {
    // Nothing was ever fetched: that first answer is awaited, and costs nobody the minute's
    // question.
    await_load(lock, 1);
    return keys_;
  }
  const std::int64_t now = clock_() / 1000;
  const bool clock_set_back = now < last_question_;
  if (!clock_set_back && now - last_question_ < seconds_between_questions) return keys_;
  last_question_ = now;
  if (!thread_.joinable()) {
    lock.unlock();
    load();
    return keys();
  }
  wanted_ = true;
  changed_.notify_all();
  // What is under way may have been answered before the provider had the key: the next one counts.
  await_load(lock, loads_begun_ + 1);
  return keys_;
}

void KeyCache::await_load(std::unique_lock<std::mutex>& lock, std::uint64_t number) {
  changed_.wait_for(lock, patience_, [&] { return loads_ended_ >= number || stopping_; });
}

}  // namespace otaria::server::oidc
