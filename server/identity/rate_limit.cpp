#include "server/identity/rate_limit.hpp"

#include <algorithm>

namespace otaria::server {

std::optional<std::int64_t> RateLimit::take(const std::string& key, std::int64_t now_ms) {
  const std::scoped_lock lock{mutex_};
  const std::int64_t whole_burst_ms = rate_.burst * rate_.interval_ms;
  const auto found = full_again_at_.find(key);
  // A clock that was set back must not lock a key for longer than its whole burst.
  std::int64_t full_at = found == full_again_at_.end()
                             ? now_ms
                             : std::clamp(found->second, now_ms, now_ms + whole_burst_ms);
  full_at += rate_.interval_ms;
  if (full_at > now_ms + whole_burst_ms) {
    found->second = full_at - rate_.interval_ms;
    const std::int64_t wait_ms = full_at - whole_burst_ms - now_ms;
    return std::max<std::int64_t>(1, (wait_ms + 999) / 1000);
  }
  if (found != full_again_at_.end()) {
    found->second = full_at;
    return std::nullopt;
  }
  if (full_again_at_.size() >= most_keys_) make_room(now_ms);
  full_again_at_.emplace(key, full_at);
  return std::nullopt;
}

void RateLimit::make_room(std::int64_t now_ms) {
  std::erase_if(full_again_at_, [now_ms](const auto& entry) { return entry.second <= now_ms; });
  if (full_again_at_.size() < most_keys_) return;
  full_again_at_.erase(std::min_element(
      full_again_at_.begin(), full_again_at_.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      }));
}

std::size_t RateLimit::keys() {
  const std::scoped_lock lock{mutex_};
  return full_again_at_.size();
}

}  // namespace otaria::server
