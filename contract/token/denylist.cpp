#include "contract/token/denylist.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "contract/slice.hpp"

namespace otaria::token {
namespace {

using contract::slice;

constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > Denylist::longest_name) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<std::int64_t> seconds(std::string_view text) {
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

Denylist::Reading Denylist::parse(std::string_view text) {
  if (text.size() > max_bytes) {
    return {std::nullopt, "it is larger than " + std::to_string(max_bytes) + " bytes"};
  }
  Denylist list;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t line_end = std::min(text.find('\n'), text.size());
    std::string_view line = slice(text, 0, line_end);
    text = slice(text, line_end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (!list.add(line)) {
      return {std::nullopt,
              "line " + std::to_string(number) +
                  " is not \"sub:<subject>\" or \"jti:<token id>\" with an optional "
                  "\" until:<Unix seconds>\""};
    }
  }
  return {std::move(list), {}};
}

bool Denylist::add(std::string_view line) {
  const bool subject = line.starts_with("sub:");
  if (!subject && !line.starts_with("jti:")) return false;
  const std::size_t name_end = std::min(line.find(' '), line.size());
  const std::string_view name = slice(line, 4, name_end - 4);
  const std::string_view rest = slice(line, name_end);
  std::int64_t until = for_ever;
  if (!rest.empty()) {
    constexpr std::string_view prefix = " until:";
    const auto limit = seconds(slice(rest, prefix.size()));
    if (!rest.starts_with(prefix) || !limit) return false;
    until = *limit;
  }
  if (!is_name(name)) return false;
  std::int64_t& entry = (subject ? subjects_ : token_ids_)[std::string{name}];
  entry = std::max(entry, until);  // named twice: the longer one counts
  return true;
}

bool Denylist::is_in_force(const Entries& entries, std::string_view name, std::int64_t now_s) {
  const auto found = entries.find(name);
  return found != entries.end() && now_s < found->second;
}

bool Denylist::denies(std::string_view subject,
                      std::string_view token_id,
                      std::int64_t now_s) const {
  return is_in_force(subjects_, subject, now_s) || is_in_force(token_ids_, token_id, now_s);
}

}  // namespace otaria::token
