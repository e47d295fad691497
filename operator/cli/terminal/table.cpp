#include "operator/cli/terminal/table.hpp"

#include <algorithm>

namespace otaria::terminal {
namespace {
constexpr std::size_t gap = 2;

std::string cell_text(const Table::Cell& cell,
                      const Table::Column& column,
                      std::size_t width,
                      bool last,
                      const Traits& traits) {
  const std::string cut = last && traits.interactive ? fitted(cell.text, width, traits) : cell.text;
  const std::string shown = coloured(cut, cell.colour, traits);
  if (column.right) return padded_left(shown, width);
  return last ? shown : padded_right(shown, width);
}

void trim_end(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

}  // namespace

Table::Cell::Cell(const std::string& content, Colour of) : text(printable(content)), colour(of) {}

void Table::add(std::vector<Cell> row) {
  row.resize(columns_.size(), Cell(std::string()));
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths(const Traits& traits) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_of(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i].text));
    widths.push_back(width);
  }
  if (!traits.interactive || widths.empty()) return widths;
  std::size_t before = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + gap;
  // Never less than 8: on a very narrow terminal a wrapped line still says more than an empty
  // column.
  const std::size_t left = traits.width > before + 8 ? traits.width - before : 8;
  widths.back() = std::min(widths.back(), left);
  return widths;
}

std::vector<std::string> Table::lines(const Traits& traits) const {
  const auto width = widths(traits);
  std::vector<std::string> lines;
  std::vector<Cell> headings;
  for (const auto& column : columns_) headings.emplace_back(column.heading, Colour::bold);
  const auto line_of = [&](const std::vector<Cell>& row) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line.append(gap, ' ');
      line += cell_text(row[i], columns_[i], width[i], i + 1 == columns_.size(), traits);
    }
    trim_end(line);
    return line;
  };
  lines.push_back(line_of(headings));
  for (const auto& row : rows_) lines.push_back(line_of(row));
  return lines;
}

std::string Table::text(const Traits& traits) const {
  std::string all;
  for (const auto& line : lines(traits)) all += line + "\n";
  return all;
}

}  // namespace otaria::terminal
