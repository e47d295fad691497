#include "server/broker/plugin/sessions.hpp"

#include <algorithm>

#include "contract/token/topic_filter.hpp"

namespace otaria::broker_plugin {
namespace {

bool any_covers(const std::vector<std::string>& rules, std::string_view requested) {
  const std::string_view filter = token::without_share(requested);
  return std::any_of(rules.begin(), rules.end(), [filter](const std::string& rule) {
    return token::covers(rule, filter);
  });
}

bool any_matches(const std::vector<std::string>& rules, std::string_view topic) {
  return std::any_of(rules.begin(), rules.end(), [topic](const std::string& rule) {
    return token::matches(rule, topic);
  });
}

}  // namespace

void Sessions::look_at(const std::string& client_id, Entry& entry, std::int64_t when_s) {
  looks_.erase({entry.look_s, client_id});
  entry.look_s = when_s;
  looks_.emplace(when_s, client_id);
}

void Sessions::admit(const void* client,
                     token::Claims claims,
                     const contract::Digest& token,
                     std::uint64_t key_set,
                     std::int64_t now_s) {
  const auto [place, is_new] = entries_.try_emplace(claims.client_id);
  Entry& entry = place->second;
  const std::int64_t expires_s = claims.expires;
  entry.client = client;
  entry.claims = std::move(claims);
  entry.token = token;
  entry.key_set = key_set;
  // Whoever was admitted only by the leeway for clocks keeps it; nobody else is given it.
  entry.end_s = now_s < expires_s ? expires_s : expires_s + token::clock_leeway_s;
  entry.phase = Phase::active;
  entry.withdrawn = false;
  look_at(place->first, entry, entry.end_s);
}

const token::Claims* Sessions::recall(std::string_view client_id,
                                      std::string_view username,
                                      const contract::Digest& token,
                                      std::uint64_t key_set,
                                      std::int64_t now_s) const {
  const auto found = entries_.find(client_id);
  if (found == entries_.end()) return nullptr;
  const Entry& entry = found->second;
  const bool same = entry.claims.username == username && entry.token == token &&
                    entry.key_set == key_set && !entry.withdrawn && now_s < entry.end_s;
  return same ? &entry.claims : nullptr;
}

void Sessions::resume(const void* client, std::string_view client_id) {
  const auto found = entries_.find(client_id);
  if (found == entries_.end()) return;
  found->second.client = client;
  found->second.phase = Phase::active;
}

bool Sessions::may(Access access,
                   std::string_view client_id,
                   std::string_view username,
                   std::string_view topic,
                   std::int64_t now_s) const {
  if (access == Access::unsubscribe) return true;
  const auto found = entries_.find(client_id);
  if (found == entries_.end()) return false;
  const Entry& entry = found->second;
  if (entry.claims.username != username) return false;
  // The broker asks for the will after it has told of the disconnection.
  const bool is_will = access == Access::write && entry.phase == Phase::closing;
  if ((entry.withdrawn || now_s >= entry.end_s) && !is_will) return false;
  switch (access) {
    case Access::read:
      return any_matches(entry.claims.subscribe, topic);
    case Access::write:
      return any_matches(entry.claims.publish, topic);
    case Access::subscribe:
      return any_covers(entry.claims.subscribe, topic);
    case Access::unsubscribe:
      break;
  }
  return false;
}

void Sessions::close(const void* client, std::string_view client_id) {
  const auto found = entries_.find(client_id);
  if (found != entries_.end() && found->second.client == client) {
    found->second.phase = Phase::closing;
  }
}

std::vector<std::string> Sessions::take_ended(std::int64_t now_s, std::size_t limit) {
  std::vector<std::string> ended;
  while (!looks_.empty() && looks_.begin()->first <= now_s && ended.size() < limit) {
    const auto found = entries_.find(looks_.begin()->second);
    Entry& entry = found->second;
    if (entry.phase == Phase::active) {
      entry.phase = Phase::closing;
      ended.push_back(found->first);
    } else if (now_s >= entry.end_s + kept_after_end_s) {
      looks_.erase(looks_.begin());
      entries_.erase(found);
      continue;
    }
    look_at(found->first, entry, std::max(entry.end_s + kept_after_end_s, now_s + 1));
  }
  return ended;
}

std::vector<std::string> Sessions::take_if(const std::function<bool(const token::Claims&)>& named) {
  std::vector<std::string> taken;
  for (auto& [client_id, entry] : entries_) {
    if (entry.withdrawn || !named(entry.claims)) continue;
    entry.withdrawn = true;
    if (entry.phase != Phase::active) continue;
    entry.phase = Phase::closing;
    taken.push_back(client_id);
  }
  return taken;
}

bool Sessions::is_closing(std::string_view client_id) const {
  const auto found = entries_.find(client_id);
  return found == entries_.end() || found->second.phase == Phase::closing;
}

}  // namespace otaria::broker_plugin
