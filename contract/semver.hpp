#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/vocabulary.hpp"

/// Semantic versions, strictly by semver 2.0.0. No heap.
/// Source  semver.org, version 2.0.0: the grammar (BNF) and items 2 to 11.
namespace otaria::contract {

/// The parts of a version. The views point into the text that was parsed.
struct SemVer {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::string_view prerelease;  ///< without its hyphen; empty: a normal version
  std::string_view build;       ///< without its plus sign; never compared
};

/// Nothing for what is no version: a leading `v`, leading zeros, empty identifiers, characters
/// beyond the grammar's, more than `longest` bytes. A major, minor or patch above 2^64 - 1 is
/// refused too, though the grammar knows no limit.
std::optional<SemVer> parse_semver(std::string_view text, std::size_t longest = max_version_bytes);

/// Precedence by item 11: numbers, then the pre-release identifier by identifier (numeric ones of
/// any length by value, and below all others); equal for versions that differ in build metadata
/// only.
std::strong_ordering compare_precedence(const SemVer& a, const SemVer& b);

/// Whether `candidate` has the higher precedence. An unreadable candidate is never newer; every
/// readable one is newer than a running version that is not readable, or a device that does not
/// know what it runs could never leave that state.
bool is_newer(std::string_view candidate, std::string_view running);

}  // namespace otaria::contract
