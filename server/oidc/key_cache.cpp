#include "server/oidc/key_cache.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace otaria::server::oidc {
namespace {

constexpr std::chrono::seconds fetched_again_after{3600};
constexpr std::chrono::seconds failed_again_after{60};

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
    wanted_ = false;
  }
}

void KeyCache::load() {
  KeySet fetched;
  try {
    auto set = key_set_from(loader_());
    if (set) {
      fetched = std::make_shared<const std::vector<ProviderKey>>(std::move(set.value()));
    } else {
      spdlog::error(
          "oidc: the provider's key set {}; {}", set.refusal().detail, set.refusal().hint);
    }
  } catch (const std::exception& error) {
    spdlog::error("oidc: the provider's keys cannot be had: {}", error.what());
  }
  const std::scoped_lock lock{mutex_};
  if (fetched) keys_ = std::move(fetched);
  ++loads_;
  changed_.notify_all();
}

KeySet KeyCache::keys() {
  const std::scoped_lock lock{mutex_};
  return keys_;
}

KeySet KeyCache::newer() {
  std::unique_lock lock{mutex_};
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
  changed_.wait_for(
      lock, patience, [this, before = loads_] { return loads_ != before || stopping_; });
  return keys_;
}

}  // namespace otaria::server::oidc
