#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "operator/image/image_file.hpp"

namespace otaria::image {

/// What a command says when it fails: design's `{"error":{"code","detail","hint"}}`.
struct Problem {
  std::string code;
  std::string detail;  ///< a sentence with figures
  std::string hint;    ///< what to do
};

/// The defect of a report that has one, in words.
Problem problem_of(const ImageReport& report);

/// A table for people.
void print_report(const ImageReport& report, std::ostream& out);
/// One JSON object on one line.
void print_report_json(const ImageReport& report, std::ostream& out);
void print_problem_json(const Problem& problem, std::ostream& out);
/// `PROGRAM: detail` and the hint below.
void print_problem(const Problem& problem, std::ostream& err);

std::string hex_text(const contract::Digest& digest);
/// Text from a file for a terminal: everything that is not printable ASCII becomes '?'.
std::string printable(std::string_view text);

}  // namespace otaria::image
