#include "contract/fuzz/dictionary.hpp"

#include <charconv>
#include <optional>
#include <stdexcept>

namespace otaria::fuzz {
namespace {

std::optional<char> byte_from(std::string_view hex) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  if (hex.size() != 2 || error != std::errc{} || end != hex.data() + 2) return std::nullopt;
  return static_cast<char>(value);
}

/// What stands between the quotes; nothing: an escape that the format does not have.
std::optional<std::string> unescaped(std::string_view quoted) {
  std::string word;
  while (!quoted.empty()) {
    if (quoted.front() != '\\') {
      word += quoted.front();
      quoted.remove_prefix(1);
    } else if (quoted.starts_with("\\x")) {
      const auto byte = byte_from(quoted.substr(2, 2));
      if (!byte) return std::nullopt;
      word += *byte;
      quoted.remove_prefix(4);
    } else if (quoted.starts_with("\\\\") || quoted.starts_with("\\\"")) {
      word += quoted[1];
      quoted.remove_prefix(2);
    } else {
      return std::nullopt;
    }
  }
  return word;
}

std::optional<std::string> word_from(std::string_view line) {
  const auto open = line.find('"');
  if (open == std::string_view::npos || line.back() != '"' || line.size() < open + 3) {
    return std::nullopt;
  }
  return unescaped(line.substr(open + 1, line.size() - open - 2));
}

}  // namespace

std::vector<std::string> dictionary_from(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t")));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto word = word_from(line);
    if (!word) {
      throw std::runtime_error("dictionary, line " + std::to_string(number) +
                               " is no word: " + std::string{line});
    }
    words.push_back(*word);
  }
  return words;
}

}  // namespace otaria::fuzz
