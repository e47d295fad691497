#include "server/access/lockout.hpp"

#include <algorithm>

namespace otaria::server {
namespace {

// A clock that was set back must not lock anybody for longer than a window.
bool is_over(std::int64_t began, std::int64_t now) {
  return now - began >= Lockout::window_s || now < began;
}

}  // namespace

std::optional<std::int64_t> Lockout::locked_for(const std::string& source, std::int64_t now) {
  const std::scoped_lock lock{mutex_};
  const auto found = windows_.find(source);
  if (found == windows_.end()) return std::nullopt;
  const Window& window = found->second;
  if (is_over(window.began, now)) {
    windows_.erase(found);
    return std::nullopt;
  }
  if (window.failures <= failures_allowed) return std::nullopt;
  return window.began + window_s - now;
}

void Lockout::failed(const std::string& source, std::int64_t now) {
  const std::scoped_lock lock{mutex_};
  if (!windows_.contains(source) && windows_.size() >= most_sources) make_room(now);
  Window& window = windows_[source];
  if (window.failures == 0 || is_over(window.began, now)) window = {now, 0};
  ++window.failures;
}

void Lockout::make_room(std::int64_t now) {
  std::erase_if(windows_, [now](const auto& entry) { return is_over(entry.second.began, now); });
  if (windows_.size() < most_sources) return;
  windows_.erase(
      std::min_element(windows_.begin(), windows_.end(), [](const auto& a, const auto& b) {
        return a.second.failures < b.second.failures;
      }));
}

std::size_t Lockout::sources() {
  const std::scoped_lock lock{mutex_};
  return windows_.size();
}

}  // namespace otaria::server
