#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace otaria::contract {

/// As text.substr(begin, count), but a `begin` behind the end gives an empty view in place of an
/// exception: substr() would link the standard library's throwing code into the device.
constexpr std::string_view slice(std::string_view text,
                                 std::size_t begin,
                                 std::size_t count = std::string_view::npos) {
  begin = std::min(begin, text.size());
  return {text.data() + begin, std::min(count, text.size() - begin)};
}

}  // namespace otaria::contract
