#pragma once

#include <string>
#include <vector>

#include "operator/cli/terminal/text.hpp"

namespace otaria::terminal {

/// Columns aligned under their headings. Cells are made printable; on a terminal the last column is
/// cut to its width, into a pipe everything is written in full.
class Table {
 public:
  struct Column {
    std::string heading;
    bool right = false;  ///< numbers
  };
  struct Cell {
    std::string text;
    Colour colour = Colour::none;
    Cell(const std::string& content, Colour of = Colour::none);
    Cell(const char* content) : Cell(std::string(content)) {}
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> row);  ///< missing cells stay empty, surplus ones are dropped
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// One string per line, heading first, no line feeds.
  [[nodiscard]] std::vector<std::string> lines(const Traits& traits) const;
  /// The same with line feeds.
  [[nodiscard]] std::string text(const Traits& traits) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(const Traits& traits) const;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace otaria::terminal
