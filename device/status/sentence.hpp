#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "device/result/result.hpp"

namespace otaria::device {

/// `expected` of a digest_mismatch that is about the whole file against the notice (`found`: its
/// bytes), not about what the image says of itself.
inline constexpr std::int64_t whole_file = -1;

/// What an error says to a person: what happened, with figures, and what to do about it.
struct Sentence {
  std::string_view detail;
  std::string_view hint;
};

/// What the figures of an Error are about.
struct ErrorContext {
  std::string_view target;   ///< version of the notice; may be empty
  std::string_view running;  ///< version that runs now
};

/// Tells an error in words. `memory` holds the detail afterwards; 200 bytes always do.
/// The meaning of `found` and `expected` per fault stands in sentence.cpp beside its words.
Sentence tell(const Error& error, const ErrorContext& context, std::span<char> memory);

}  // namespace otaria::device
