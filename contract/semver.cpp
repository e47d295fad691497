#include "contract/semver.hpp"

#include <limits>

#include "contract/slice.hpp"

namespace otaria::contract {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_identifier_character(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

constexpr bool is_numeric(std::string_view identifier) {
  for (char c : identifier) {
    if (!is_digit(c)) return false;
  }
  return true;
}

constexpr bool has_leading_zero(std::string_view number) {
  return number.size() > 1 && number.front() == '0';
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || !is_numeric(text) || has_leading_zero(text)) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

/// Takes the text up to `separator` (or all of it) off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view taken = slice(rest, 0, end);
  rest = end == std::string_view::npos ? std::string_view{} : slice(rest, end + 1);
  return taken;
}

bool are_identifiers(std::string_view dotted, bool leading_zeros_allowed) {
  if (dotted.empty() || dotted.back() == '.') return false;
  while (!dotted.empty()) {
    const std::string_view identifier = take_until(dotted, '.');
    if (identifier.empty()) return false;
    for (char c : identifier) {
      if (!is_identifier_character(c)) return false;
    }
    if (!leading_zeros_allowed && is_numeric(identifier) && has_leading_zero(identifier)) {
      return false;
    }
  }
  return true;
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const bool a_numeric = is_numeric(a);
  const bool b_numeric = is_numeric(b);
  if (a_numeric != b_numeric) {
    return a_numeric ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  // Without leading zeros the longer number is the larger one, so no identifier is too long to be
  // compared.
  if (a_numeric && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

std::strong_ordering compare_prereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty())
    return a.empty() <=> b.empty();  // a normal version is above its pre-releases
  while (!a.empty() && !b.empty()) {
    const auto order = compare_identifiers(take_until(a, '.'), take_until(b, '.'));
    if (order != std::strong_ordering::equal) return order;
  }
  return b.empty() <=> a.empty();  // all equal so far: more identifiers win
}

}  // namespace

std::optional<SemVer> parse_semver(std::string_view text, std::size_t longest) {
  if (text.size() > longest) return std::nullopt;
  SemVer version;
  if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
    version.build = slice(text, plus + 1);
    if (!are_identifiers(version.build, true)) return std::nullopt;
    text = slice(text, 0, plus);
  }
  if (const std::size_t hyphen = text.find('-'); hyphen != std::string_view::npos) {
    version.prerelease = slice(text, hyphen + 1);
    if (!are_identifiers(version.prerelease, false)) return std::nullopt;
    text = slice(text, 0, hyphen);
  }
  const auto major = parse_number(take_until(text, '.'));
  const auto minor = parse_number(take_until(text, '.'));
  const auto patch = parse_number(text);
  if (!major || !minor || !patch) return std::nullopt;
  version.major = *major;
  version.minor = *minor;
  version.patch = *patch;
  return version;
}

std::strong_ordering compare_precedence(const SemVer& a, const SemVer& b) {
  if (const auto order = a.major <=> b.major; order != std::strong_ordering::equal) return order;
  if (const auto order = a.minor <=> b.minor; order != std::strong_ordering::equal) return order;
  if (const auto order = a.patch <=> b.patch; order != std::strong_ordering::equal) return order;
  return compare_prereleases(a.prerelease, b.prerelease);
}

bool is_newer(std::string_view candidate, std::string_view running) {
  const auto offered = parse_semver(candidate);
  if (!offered) return false;
  const auto current = parse_semver(running);
  return !current || compare_precedence(*offered, *current) == std::strong_ordering::greater;
}

}  // namespace otaria::contract
