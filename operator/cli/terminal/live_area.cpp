#include "operator/cli/terminal/live_area.hpp"

#include <algorithm>

namespace otaria::terminal {

void LiveArea::go_back() {
  if (drawn_ > 0) out_ << "\x1b[" << drawn_ << "A\r";
}

void LiveArea::draw(const std::vector<std::string>& lines, const Traits& traits) {
  go_back();
  // One row stays free for the cursor below the area, else the terminal scrolls at every frame.
  const std::size_t rows = traits.height > 1 ? traits.height - 1 : 1;
  const std::size_t count = std::min(lines.size(), rows);
  for (std::size_t i = 0; i < count; ++i) out_ << lines[i] << "\x1b[K\n";
  out_ << "\x1b[J" << std::flush;
  drawn_ = count;
}

void LiveArea::clear() {
  go_back();
  if (drawn_ > 0) out_ << "\x1b[J" << std::flush;
  drawn_ = 0;
}

}  // namespace otaria::terminal
