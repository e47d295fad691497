#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

/// What a program may do with the stream in front of it.
namespace otaria::terminal {

struct Traits {
  bool interactive = false;  ///< a terminal that understands cursor movements: lines may be redrawn
  bool colour = false;       ///< SGR colours wanted (NO_COLOR, TERM=dumb and pipes say no)
  bool unicode = false;      ///< the locale is UTF-8
  std::size_t width = 80;    ///< columns
  std::size_t height = 24;   ///< rows
};

/// Looks up an environment variable; empty when it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// The process' own environment.
std::optional<std::string> process_environment(const char* name);

/// Traits of an open file descriptor. Asks the terminal for its size; COLUMNS and LINES stand in
/// where it has none. Source  no-color.org: NO_COLOR set and not empty disables colour.
Traits detect(int descriptor, const Environment& environment = process_environment);

}  // namespace otaria::terminal
