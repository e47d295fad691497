#include "operator/cli/terminal/traits.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>

namespace otaria::terminal {
namespace {

std::size_t size_from(const std::optional<std::string>& text, std::size_t otherwise) {
  std::size_t value = 0;
  if (!text) return otherwise;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value == 0) return otherwise;
  return value;
}

bool names_utf8(std::string locale) {
  std::transform(locale.begin(), locale.end(), locale.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
}

/// POSIX: the first of these that is set and not empty decides.
bool locale_is_utf8(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment(name);
    if (value && !value->empty()) return names_utf8(*value);
  }
  return false;
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

Traits detect(int descriptor, const Environment& environment) {
  Traits traits;
  const auto term = environment("TERM");
  const bool dumb = !term || term->empty() || *term == "dumb";
  const bool terminal = ::isatty(descriptor) == 1;
  const auto no_colour = environment("NO_COLOR");

  traits.interactive = terminal && !dumb;
  traits.colour = traits.interactive && (!no_colour || no_colour->empty());
  traits.unicode = locale_is_utf8(environment);
  traits.width = size_from(environment("COLUMNS"), 80);
  traits.height = size_from(environment("LINES"), 24);

  winsize size{};
  if (terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0) {
    if (size.ws_col > 0) traits.width = size.ws_col;
    if (size.ws_row > 0) traits.height = size.ws_row;
  }
  return traits;
}

}  // namespace otaria::terminal
