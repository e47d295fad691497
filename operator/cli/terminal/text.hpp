#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "operator/cli/terminal/traits.hpp"

/// Text for people: measured, cut and padded in columns, numbers with units.
namespace otaria::terminal {

enum class Colour { none, red, green, yellow, cyan, dim, bold };

/// Wraps `text` in SGR codes when the stream takes colours.
std::string coloured(std::string_view text, Colour colour, const Traits& traits);

/// What came over the network, made harmless: control characters (also C1, and bytes that are not
/// UTF-8) become `?`, so that no device can move the operator's cursor or retitle his window.
std::string printable(std::string_view text);

/// Columns `text` takes; SGR sequences take none, every code point one.
std::size_t columns_of(std::string_view text);

/// At most `columns` wide; a text that is cut ends in `…` (or `.` without UTF-8). Only for text
/// without SGR codes.
std::string fitted(std::string_view text, std::size_t columns, const Traits& traits);

std::string padded_right(std::string_view text, std::size_t columns);
std::string padded_left(std::string_view text, std::size_t columns);

/// `922,809`.
std::string grouped(std::uint64_t number);

/// `512 B`, `901.2 KiB`, `1.4 MiB`.
std::string human_bytes(std::uint64_t bytes);

/// `0:07`, `12:30`, `1:02:03`.
std::string human_duration(std::chrono::seconds duration);

/// Local time, `2026-11-24 20:33:54`; `-` for zero.
std::string human_time(std::int64_t unix_seconds);

/// A bar `width` columns wide, frame included; `percent` is clamped to 0..100.
std::string progress_bar(unsigned percent, std::size_t width, const Traits& traits);

}  // namespace otaria::terminal
