#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otaria::fuzz {

/// The words of a libFuzzer dictionary: `"word"` or `name="word"` on a line each, with \\, \" and
/// \xAB inside; blank lines and `#` comments between them.
/// Errors  std::runtime_error, with the line's number and text.
/// Source  LLVM, "libFuzzer", section "Dictionaries".
std::vector<std::string> dictionary_from(std::string_view text);

}  // namespace otaria::fuzz
