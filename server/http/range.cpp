#include "server/http/range.hpp"

#include <algorithm>
#include <limits>

namespace otaria::server {
namespace {

constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Digits only; a number beyond 64 bits saturates, for it is as far behind the end as any.
std::optional<std::uint64_t> number(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (huge - digit) / 10 ? huge : value * 10 + digit;
  }
  return value;
}

bool is_bytes_unit(std::string_view unit) {
  constexpr std::string_view bytes = "bytes";
  return unit.size() == bytes.size() &&
         std::equal(unit.begin(), unit.end(), bytes.begin(), [](char a, char b) {
           return (a | 0x20) == b;
         });
}

FileSelection suffix(std::uint64_t wanted, std::uint64_t size) {
  if (wanted == 0) return {416, 0, 0};
  // Content-Range has no form for the last bytes of an empty file.
  if (size == 0) return {200, 0, 0};
  const std::uint64_t length = std::min(wanted, size);
  return {206, size - length, length};
}

bool any_tag_matches(std::string_view list, std::string_view etag) {
  if (trim(list) == "*") return true;
  while (!list.empty()) {
    list = trim(list);
    if (list.starts_with(',')) {
      list.remove_prefix(1);
      continue;
    }
    if (list.starts_with("W/")) list.remove_prefix(2);  // If-None-Match compares weakly
    if (!list.starts_with('"')) return false;
    const auto end = list.find('"', 1);
    if (end == list.npos) return false;
    if (list.substr(0, end + 1) == etag) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

FileSelection select_range(std::string_view range, std::uint64_t size) {
  const FileSelection whole{200, 0, size};
  const auto equals = range.find('=');
  if (equals == range.npos || !is_bytes_unit(range.substr(0, equals))) return whole;
  const std::string_view spec = trim(range.substr(equals + 1));
  const auto dash = spec.find('-');
  if (dash == spec.npos || spec.find(',') != spec.npos) return whole;
  const auto first = number(spec.substr(0, dash));
  const auto last = number(spec.substr(dash + 1));
  if (dash == 0) return last ? suffix(*last, size) : whole;
  const bool open_ended = dash + 1 == spec.size();
  if (!first || (!last && !open_ended)) return whole;
  if (last && *last < *first) return whole;
  if (*first >= size) return {416, 0, 0};
  const std::uint64_t end = open_ended ? size - 1 : std::min(*last, size - 1);
  return {206, *first, end - *first + 1};
}

FileSelection select_part(const FileConditions& conditions,
                          std::string_view etag,
                          std::uint64_t size) {
  if (!etag.empty() && !conditions.if_none_match.empty() &&
      any_tag_matches(conditions.if_none_match, etag)) {
    return {304, 0, 0};
  }
  if (conditions.range.empty()) return {200, 0, size};
  if (!conditions.if_range.empty() && (etag.empty() || trim(conditions.if_range) != etag)) {
    return {200, 0, size};
  }
  return select_range(conditions.range, size);
}

}  // namespace otaria::server
