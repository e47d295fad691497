#include "operator/cli/watch_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "contract/vocabulary.hpp"
#include "operator/cli/terminal/table.hpp"

namespace otaria::cli {
namespace {

using terminal::Traits;
constexpr std::size_t state_width = 11;  // "rolled_back", "downloading"
constexpr std::size_t bytes_width = 21;  // "901.2 KiB / 901.2 KiB"
constexpr std::size_t rate_width = 12;   // "1023.9 KiB/s"
constexpr std::size_t elapsed_width = 7;
constexpr std::size_t narrowest_bar = 10;
constexpr std::size_t widest_bar = 40;

/// Position in the life of an update: `offered` before all, then the contract's order.
int rank(const std::string& state) {
  const auto known = contract::update_state_from(state);
  return known ? static_cast<int>(*known) : -1;
}

bool is_older(const UpdateView& news, const UpdateView& known) {
  if (news.updated_at != known.updated_at) return news.updated_at < known.updated_at;
  if (news.state == "stale" || known.state == "stale") return false;
  if (rank(news.state) != rank(known.state)) return rank(news.state) < rank(known.state);
  return news.bytes < known.bytes;
}

bool same(const UpdateView& a, const UpdateView& b) {
  return a.state == b.state && a.percent == b.percent && a.bytes == b.bytes &&
         a.is_final == b.is_final && a.error_code == b.error_code && a.delivered == b.delivered;
}

unsigned shown_percent(const UpdateView& update) {
  const int position = rank(update.state);
  if (update.state == "downloading") return update.percent;
  if (update.succeeded() || (position > rank("downloading") && !update.is_final)) return 100;
  return update.total == 0 ? 0 : update.percent;
}

}  // namespace

void WatchModel::expect(const UpdateView& update, TimePoint now) {
  if (rows_.contains(update.id)) return;
  Row row{update, now, now, now, update.bytes, false, 0};
  row.said_percent = update.percent;
  order_.push_back(update.id);
  auto& placed = rows_.emplace(update.id, std::move(row)).first->second;
  measure(placed, now);
  describe(placed, "");
}

bool WatchModel::apply(const UpdateView& update, TimePoint now) {
  const auto found = rows_.find(update.id);
  if (found == rows_.end()) return false;
  Row& row = found->second;
  if (row.update.is_final || is_older(update, row.update) || same(update, row.update)) return false;
  const std::string old_state = row.update.state;
  row.update = update;
  row.changed = now;
  measure(row, now);
  describe(row, old_state);
  return true;
}

void WatchModel::measure(Row& row, TimePoint now) const {
  const bool downloading = row.update.state == "downloading";
  if (downloading && (!row.downloading || row.update.bytes < row.bytes_at_begin)) {
    row.download_began = now;
    row.bytes_at_begin = row.update.bytes;
  }
  row.downloading = downloading;
}

void WatchModel::describe(Row& row, const std::string& old_state) {
  const UpdateView& update = row.update;
  std::string line = fmt::format("{}: {}", update.device, update.state);
  if (update.state == old_state) {
    if (update.state != "downloading" || update.percent < row.said_percent + 10) return;
  }
  row.said_percent = update.percent / 10 * 10;
  if (update.state == "downloading" && update.total > 0) {
    line += fmt::format(" {} % ({} of {} bytes)",
                        update.percent,
                        terminal::grouped(update.bytes),
                        terminal::grouped(update.total));
  }
  if (update.succeeded()) line += fmt::format(", runs {}", update.target);
  if (const std::string error = error_text(update); !error.empty()) line += ", " + error;
  lines_.push_back(terminal::printable(line));
}

std::vector<std::string> WatchModel::take_lines() {
  return std::exchange(lines_, {});
}

double WatchModel::bytes_per_second(const Row& row) const {
  const std::chrono::duration<double> passed = row.changed - row.download_began;
  if (!row.downloading || passed.count() < 0.2 || row.update.bytes <= row.bytes_at_begin) return 0;
  return static_cast<double>(row.update.bytes - row.bytes_at_begin) / passed.count();
}

WatchModel::Widths WatchModel::layout(const Traits& traits) const {
  Widths widths;
  for (const auto& [id, row] : rows_) {
    widths.device =
        std::max(widths.device, terminal::columns_of(terminal::printable(row.update.device)));
  }
  // What must stand there: device, state, percent; the rest is added while there is room, most
  // telling first.
  std::size_t taken = widths.device + 2 + state_width + 2 + 5;
  const auto fits = [&](std::size_t columns) {
    if (taken + columns + 2 > traits.width) return false;
    taken += columns + 2;
    return true;
  };
  const bool has_bar = fits(narrowest_bar);
  widths.elapsed = fits(elapsed_width);
  widths.bytes = fits(bytes_width);
  widths.rate = fits(rate_width);
  if (has_bar) {
    const std::size_t left = traits.width > taken ? traits.width - taken : 0;
    widths.bar = std::min(narrowest_bar + left, widest_bar);
  }
  return widths;
}

std::string WatchModel::bar_line(const Row& row,
                                 const Widths& widths,
                                 const Traits& traits,
                                 TimePoint now) const {
  const UpdateView& update = row.update;
  const auto colour = colour_of(update.state);
  const unsigned percent = shown_percent(update);
  std::string line =
      terminal::padded_right(terminal::printable(update.device), widths.device) + "  ";
  const std::string state =
      terminal::fitted(terminal::printable(update.state), state_width, traits);
  line += terminal::padded_right(terminal::coloured(state, colour, traits), state_width) + "  ";
  if (widths.bar > 0) {
    const std::string bar = terminal::progress_bar(percent, widths.bar, traits);
    line += terminal::coloured(
                bar, colour == terminal::Colour::none ? terminal::Colour::cyan : colour, traits) +
            "  ";
  }
  line += fmt::format("{:>3} %", percent);
  if (widths.bytes) {
    std::string middle;
    if (!update.error_code.empty()) {
      middle = terminal::fitted(terminal::printable(update.error_code), bytes_width, traits);
    } else if (update.total > 0 && update.state == "downloading") {
      middle = fmt::format(
          "{} / {}", terminal::human_bytes(update.bytes), terminal::human_bytes(update.total));
    }
    line += "  " + terminal::padded_left(middle, bytes_width);
  }
  if (widths.rate) {
    const double rate = bytes_per_second(row);
    const std::string text =
        rate > 0 ? terminal::human_bytes(static_cast<std::uint64_t>(rate)) + "/s" : "";
    line += "  " + terminal::padded_left(text, rate_width);
  }
  if (widths.elapsed) {
    const auto end = update.ended() ? row.changed : now;
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(end - row.first_seen);
    line += "  " + terminal::padded_left(terminal::human_duration(elapsed), elapsed_width);
  }
  return line;
}

std::vector<std::string> WatchModel::bars(const Traits& traits, TimePoint now) const {
  const Widths widths = layout(traits);
  std::vector<const Row*> rows;
  for (const auto& id : order_) rows.push_back(&rows_.at(id));
  const std::size_t room = traits.height > 3 ? traits.height - 2 : 1;
  const bool cut = rows.size() > room;
  if (cut) {
    // Those under way, then what went wrong, then the rest: what somebody may want to act on stays
    // in sight.
    std::stable_sort(rows.begin(), rows.end(), [](const Row* a, const Row* b) {
      const auto weight = [](const UpdateView& u) {
        if (u.state == "offered") return 2;
        return !u.ended() ? 0 : u.succeeded() ? 3 : 1;
      };
      return weight(a->update) < weight(b->update);
    });
  }
  std::vector<std::string> lines;
  for (const Row* row : rows) {
    if (cut && lines.size() + 1 == room) break;
    lines.push_back(bar_line(*row, widths, traits, now));
  }
  if (cut) {
    const auto ended = static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(), [](const Row* r) { return r->update.ended(); }));
    const std::string rest =
        fmt::format("and {} more; of {} devices {} succeeded, {} did not, {} under way",
                    rows.size() - lines.size(),
                    rows.size(),
                    succeeded(),
                    ended - succeeded(),
                    rows.size() - ended);
    lines.push_back(terminal::fitted(rest, traits.width, traits));
  }
  return lines;
}

std::string WatchModel::summary(const Traits& traits, TimePoint now) const {
  terminal::Table table({{"DEVICE"}, {"FROM"}, {"TO"}, {"OUTCOME"}, {"TIME", true}, {"WHY"}});
  for (const auto& id : order_) {
    const Row& row = rows_.at(id);
    const UpdateView& update = row.update;
    const auto end = update.ended() ? row.changed : now;
    table.add({update.device,
               update.from.empty() ? "-" : update.from,
               update.target,
               {update.state, colour_of(update.state)},
               terminal::human_duration(
                   std::chrono::duration_cast<std::chrono::seconds>(end - row.first_seen)),
               error_text(update)});
  }
  return table.text(traits) + fmt::format("{} of {} succeeded.\n", succeeded(), count());
}

bool WatchModel::all_ended() const {
  return std::all_of(
      rows_.begin(), rows_.end(), [](const auto& item) { return item.second.update.ended(); });
}

std::size_t WatchModel::succeeded() const {
  return static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [](const auto& item) { return item.second.update.succeeded(); }));
}

std::vector<std::string> WatchModel::open_ids() const {
  std::vector<std::string> ids;
  for (const auto& id : order_) {
    if (!rows_.at(id).update.is_final) ids.push_back(id);
  }
  return ids;
}

}  // namespace otaria::cli
