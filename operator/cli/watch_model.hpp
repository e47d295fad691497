#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "operator/cli/terminal/traits.hpp"
#include "operator/cli/update_view.hpp"

namespace otaria::cli {

/// What is known about the updates that somebody waits for, and how it looks. No I/O and no clock
/// of its own.
class WatchModel {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Takes news; false when it is none: an unknown update, a repeat, or older than what is known (a
  /// slow event that a query has overtaken).
  bool apply(const UpdateView& update, TimePoint now);
  /// Waits for this one too.
  void expect(const UpdateView& update, TimePoint now);

  /// What a pipe should get to read about the news since the last call: one line per change of
  /// state, and progress at most every 10 points.
  std::vector<std::string> take_lines();
  /// One line per update for a terminal: those under way first; cut to the height, with a line that
  /// counts the rest.
  [[nodiscard]] std::vector<std::string> bars(const terminal::Traits& traits, TimePoint now) const;
  [[nodiscard]] std::string summary(const terminal::Traits& traits, TimePoint now) const;

  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] std::size_t count() const { return rows_.size(); }
  [[nodiscard]] std::size_t succeeded() const;
  [[nodiscard]] std::vector<std::string> open_ids()
      const;  ///< those not final; a stale one may still heal
  [[nodiscard]] bool knows(const std::string& id) const { return rows_.contains(id); }

 private:
  struct Row {
    UpdateView update;
    TimePoint first_seen;
    TimePoint changed;
    TimePoint download_began;
    std::uint64_t bytes_at_begin = 0;
    bool downloading = false;
    unsigned said_percent = 0;
  };
  struct Widths {
    std::size_t device = 0;
    std::size_t bar = 0;
    bool bytes = false;
    bool rate = false;
    bool elapsed = false;
  };
  void measure(Row& row, TimePoint now) const;
  void describe(Row& row, const std::string& old_state);
  [[nodiscard]] Widths layout(const terminal::Traits& traits) const;
  [[nodiscard]] std::string bar_line(const Row& row,
                                     const Widths& widths,
                                     const terminal::Traits& traits,
                                     TimePoint now) const;
  [[nodiscard]] double bytes_per_second(const Row& row) const;

  std::map<std::string, Row> rows_;
  std::vector<std::string> order_;  ///< ids as they came
  std::vector<std::string> lines_;
};

}  // namespace otaria::cli
