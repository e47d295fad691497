#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "operator/cli/terminal/traits.hpp"

namespace otaria::terminal {

/// The last lines of a terminal, drawn again and again in place. Only for interactive streams; the
/// caller writes plain lines otherwise. Lines must already fit the width (a wrapped one would break
/// the count); surplus lines are dropped at the height. The cursor rests below the area, so that
/// whatever is printed after it starts on a line of its own.
class LiveArea {
 public:
  explicit LiveArea(std::ostream& out) : out_(out) {}
  /// Replaces what was drawn before.
  void draw(const std::vector<std::string>& lines, const Traits& traits);
  /// Removes the area; the next draw starts where it stood.
  void clear();

 private:
  void go_back();
  std::ostream& out_;
  std::size_t drawn_ = 0;
};

}  // namespace otaria::terminal
