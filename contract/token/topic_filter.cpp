#include "contract/token/topic_filter.hpp"

#include <cstddef>

#include "contract/slice.hpp"

namespace otaria::token {
namespace {

using contract::slice;

constexpr std::size_t longest_topic = 65535;  // MQTT's strings carry a length of 16 bits

/// The levels of a topic, one after the other. A topic has at least one, perhaps empty.
class Levels {
 public:
  explicit Levels(std::string_view text) : rest_{text} {}
  [[nodiscard]] bool at_end() const { return at_end_; }
  std::string_view next() {
    const std::size_t slash = rest_.find('/');
    const std::string_view level = slice(rest_, 0, slash);
    at_end_ = slash == std::string_view::npos;
    rest_ = at_end_ ? std::string_view{} : slice(rest_, slash + 1);
    return level;
  }

 private:
  std::string_view rest_;
  bool at_end_ = false;
};

bool is_wildcard(std::string_view level) {
  return level == "#" || level == "+";
}

bool is_well_formed(std::string_view filter) {
  if (filter.empty() || filter.size() > longest_topic) return false;
  if (filter.find('\0') != std::string_view::npos) return false;
  for (Levels levels{filter}; !levels.at_end();) {
    const std::string_view level = levels.next();
    if (level == "#") return levels.at_end();
    if (level != "+" && level.find_first_of("#+") != std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

bool is_rule(std::string_view filter) {
  if (!is_well_formed(filter) || filter.front() == '$') return false;
  return filter.find("${") == std::string_view::npos && !filter.starts_with("eq ");
}

bool covers(std::string_view rule, std::string_view requested) {
  if (!is_well_formed(rule) || !is_well_formed(requested)) return false;
  Levels allowed{rule};
  Levels asked{requested};
  for (bool first = true; !allowed.at_end(); first = false) {
    const std::string_view may = allowed.next();
    if (first && is_wildcard(may) && requested.front() == '$') return false;
    if (may == "#") return true;  // also the level above it: a/# selects a (4.7.1.2)
    if (asked.at_end()) return false;
    const std::string_view wants = asked.next();
    if (may == "+" ? wants == "#" : may != wants) return false;
  }
  return asked.at_end();
}

bool matches(std::string_view rule, std::string_view topic) {
  return topic.find_first_of("#+") == std::string_view::npos && covers(rule, topic);
}

std::string_view without_share(std::string_view filter) {
  constexpr std::string_view prefix = "$share/";
  if (!filter.starts_with(prefix)) return filter;
  const std::size_t group_end = filter.find('/', prefix.size());
  if (group_end == std::string_view::npos || group_end == prefix.size()) return filter;
  const std::string_view inner = slice(filter, group_end + 1);
  return inner.empty() ? filter : inner;
}

}  // namespace otaria::token
