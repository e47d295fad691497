#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "device/result/figures.hpp"
#include "device/result/result.hpp"

namespace otaria::device {

/// What an error says to a person: what happened, with figures, and what to do about it.
struct Sentence {
  std::string_view detail;
  std::string_view hint;
};

/// What the figures of an Error are about.
struct ErrorContext {
  std::string_view target;   ///< version of the notice; may be empty
  std::string_view running;  ///< version that runs now
  std::string_view product = {};
  std::string_view hardware = {};
  std::string_view channel = {};
};

/// Tells an error in words. `memory` holds the detail afterwards; 200 bytes always do.
/// The meaning of `found` and `expected` per fault stands in sentence.cpp beside its words.
Sentence tell(const Error& error, const ErrorContext& context, std::span<char> memory);

}  // namespace otaria::device
