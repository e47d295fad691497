#include "operator/cli/terminal/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace otaria::terminal {
namespace {

constexpr std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::red:
      return "\x1b[31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::cyan:
      return "\x1b[36m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::none:
      break;
  }
  return "";
}

/// Length of the well-formed UTF-8 sequence that starts `text`, 0 if there is none.
/// Source  RFC 3629 section 4 (overlong forms and surrogates are refused).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (first < 0x20 || first == 0x7F) return true;
  // C1 controls, U+0080..U+009F: some terminals obey them.
  return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

/// The bytes of the SGR sequence at the start of `text`, 0 if there is none.
std::size_t sgr_length(std::string_view text) {
  if (text.size() < 3 || text[0] != '\x1b' || text[1] != '[') return 0;
  const std::size_t end = text.find('m');
  return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

std::string coloured(std::string_view text, Colour colour, const Traits& traits) {
  if (!traits.colour || colour == Colour::none) return std::string(text);
  return fmt::format("{}{}\x1b[0m", code_of(colour), text);
}

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0 || is_control(text.substr(0, length))) {
      safe += '?';
      text.remove_prefix(std::max<std::size_t>(length, 1));
      continue;
    }
    safe += text.substr(0, length);
    text.remove_prefix(length);
  }
  return safe;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    if (const std::size_t skipped = sgr_length(text); skipped > 0) {
      text.remove_prefix(skipped);
      continue;
    }
    text.remove_prefix(std::max<std::size_t>(utf8_length(text), 1));
    ++columns;
  }
  return columns;
}

std::string fitted(std::string_view text, std::size_t columns, const Traits& traits) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string cut;
  for (std::size_t taken = 0; taken + 1 < columns; ++taken) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
    cut += text.substr(0, length);
    text.remove_prefix(length);
  }
  return cut + (traits.unicode ? "…" : ".");
}

std::string padded_right(std::string_view text, std::size_t columns) {
  const std::size_t taken = columns_of(text);
  return std::string(text) + std::string(columns > taken ? columns - taken : 0, ' ');
}

std::string padded_left(std::string_view text, std::size_t columns) {
  const std::size_t taken = columns_of(text);
  return std::string(columns > taken ? columns - taken : 0, ' ') + std::string(text);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string human_duration(std::chrono::seconds duration) {
  const auto seconds = std::max<std::int64_t>(duration.count(), 0);
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string human_time(std::int64_t unix_seconds) {
  if (unix_seconds == 0) return "-";
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  std::array<char, 32> text{};
  if (::localtime_r(&time, &parts) == nullptr) return std::to_string(unix_seconds);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string progress_bar(unsigned percent, std::size_t width, const Traits& traits) {
  if (width < 3) return {};
  const std::size_t inner = width - 2;
  const std::size_t full = inner * std::min(percent, 100U) / 100;
  std::string bar = traits.unicode ? "▕" : "[";
  for (std::size_t i = 0; i < inner; ++i) {
    if (traits.unicode) {
      bar += i < full ? "█" : "░";
    } else {
      bar += i < full ? '#' : '-';
    }
  }
  return bar + (traits.unicode ? "▏" : "]");
}

}  // namespace otaria::terminal
