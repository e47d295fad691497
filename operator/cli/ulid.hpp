#pragma once

#include <array>
#include <cstdint>
#include <string>

/// Universally unique lexicographically sortable identifiers: 48 bits of milliseconds, 80 random
/// ones. Source  github.com/ulid/spec.
namespace otaria::cli {

/// 26 characters of Crockford's base 32 for this time and these random bytes.
std::string ulid_of(std::uint64_t unix_milliseconds, const std::array<std::uint8_t, 10>& random);

/// A fresh one; random bytes from the kernel.
std::string new_ulid();

}  // namespace otaria::cli
