#include "server/access/denials.hpp"

namespace otaria::server {
namespace {

std::string kind_of(const Denial& denial) {
  return denial.actor + "\n" + denial.source + "\n" + denial.code;
}

}  // namespace

std::optional<Denial> Denials::note(const Denial& denial) {
  const std::scoped_lock lock{mutex_};
  Denial first = denial;
  first.repeated = 0;
  if (!kinds_.contains(kind_of(first)) && kinds_.size() >= most_kinds) {
    first.actor = "anonymous";
    first.source = "others";
    first.code = "too_many_kinds";
    first.subject.clear();
  }
  const auto [entry, is_new] = kinds_.try_emplace(kind_of(first), first);
  if (is_new) return first;
  ++entry->second.repeated;
  return std::nullopt;
}

std::vector<Denial> Denials::due(std::int64_t now, bool all) {
  const std::scoped_lock lock{mutex_};
  std::vector<Denial> over;
  std::erase_if(kinds_, [&](const auto& entry) {
    const Denial& denial = entry.second;
    if (!all && now - denial.at < window_s && now >= denial.at) return false;
    if (denial.repeated > 0) {
      over.push_back(denial);
      over.back().at = now;
    }
    return true;
  });
  return over;
}

}  // namespace otaria::server
