#include "operator/cli/watch.hpp"

#include <fmt/format.h>

#include <map>

#include "contract/vocabulary.hpp"
#include "operator/cli/interrupt.hpp"
#include "operator/cli/terminal/live_area.hpp"
#include "operator/cli/terminal/text.hpp"
#include "operator/cli/watch_model.hpp"

namespace otaria::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds frame{200};
constexpr seconds query_interval_with_events{10};
constexpr seconds query_interval_without{1};

class Watch {
 public:
  Watch(Context& context, const std::vector<Json>& updates, const WatchOptions& options)
      : context_(context), options_(options), area_(context.out()), began_(Clock::now()) {
    for (const Json& update : updates) {
      const UpdateView view = update_view(update);
      model_.expect(view, began_);
      latest_[view.id] = update;
      tell(update);
    }
    const Query query =
        updates.size() == 1 ? Query{{"update", text_member(updates.front(), "id")}} : Query{};
    stream_ = context.client().events(query);
  }

  int run() {
    show();
    while (!model_.all_ended() && !interrupted()) {
      if (options_.timeout.count() > 0 && Clock::now() - began_ >= options_.timeout)
        return timed_out();
      take_events();
      if (query_due() && !interrupted()) query();
      show();
    }
    return interrupted() ? leave() : finish();
  }

 private:
  void take_events() {
    for (const ServerEvent& event : stream_->poll(frame)) {
      if (event.name != "update") continue;
      take(Json::parse(event.data, nullptr, false));
    }
  }

  void take(const Json& update) {
    if (!context_.live()) tell_skipped(update);
    take_one(update);
  }

  /// States that pass within milliseconds come as one piece of news. Bars need the last only; a log
  /// is told each, from the update's history.
  void tell_skipped(const Json& update) {
    const std::string id = text_member(update, "id");
    const auto known = latest_.find(id);
    if (known == latest_.end() ||
        text_member(known->second, "state") == text_member(update, "state"))
      return;
    Json whole;
    try {
      whole = context_.client().get("/updates/" + url_encoded(id));
    } catch (const Failure&) {
      return;  // the server is away: the query that follows says so
    }
    const Json history = whole.value("history", Json::array());
    std::size_t& told = history_told_[id];
    for (; told < history.size(); ++told) take_one(as_it_was(update, history[told]));
  }

  /// The update at the time of one status of its history.
  static Json as_it_was(Json update, const Json& status) {
    for (const char* member : {"state", "progress", "bytes", "total", "error"}) {
      if (status.contains(member)) update[member] = status[member];
    }
    if (status.contains("at")) update["updated_at"] = status["at"];
    const auto state = contract::update_state_from(text_member(status, "state"));
    update["final"] = state && contract::is_final(*state);
    return update;
  }

  void take_one(const Json& update) {
    const UpdateView view = update_view(update);
    if (!model_.apply(view, Clock::now())) return;
    latest_[view.id] = update;
    tell(update);
  }

  bool query_due() {
    const auto interval =
        stream_->healthy() && !away_since_ ? query_interval_with_events : query_interval_without;
    return stream_->freshly_opened() || Clock::now() - asked_ >= interval;
  }

  void query() {
    try {
      for (const std::string& id : model_.open_ids()) {
        if (interrupted()) return;
        take(context_.client().get("/updates/" + url_encoded(id)));
      }
      if (away_since_) aside("The server is back.");
      away_since_.reset();
    } catch (const Failure& failure) {
      if (failure.exit_code != exit_unreachable) throw;
      endure(failure);
    }
    asked_ = Clock::now();
  }

  /// The server is away: say so once, go on for a while.
  void endure(const Failure& failure) {
    if (!away_since_) {
      away_since_ = Clock::now();
      aside(fmt::format("{} Trying again for {} s; the update itself does not need this command.",
                        failure.detail,
                        options_.patience.count()));
    }
    if (Clock::now() - *away_since_ >= options_.patience) throw failure;
  }

  /// A line between the bars and what stood above them.
  void aside(const std::string& line) {
    if (context_.live()) area_.clear();
    context_.note(terminal::printable(line));
  }

  void tell(const Json& update) {
    if (context_.json() && options_.json_lines)
      context_.print({{"event", "update"}, {"update", update}});
  }

  void show() {
    if (context_.live()) {
      const terminal::Traits traits = terminal::detect(1);  // the window may have been resized
      model_.take_lines();                                  // said by the bars
      area_.draw(model_.bars(traits, Clock::now()), traits);
      return;
    }
    for (const std::string& line : model_.take_lines()) {
      if (!context_.quiet()) context_.say(line);
    }
  }

  Json result() const {
    Json items = Json::array();
    for (const auto& [id, update] : latest_) items.push_back(update);
    return {{"items", items},
            {"succeeded", model_.succeeded()},
            {"failed", model_.count() - model_.succeeded() - open()},
            {"open", open()}};
  }

  std::size_t open() const {
    std::size_t count = 0;
    for (const auto& [id, update] : latest_) count += update_view(update).ended() ? 0 : 1;
    return count;
  }

  std::string again() const {
    std::string command = "otaria update watch";
    if (model_.count() > 8) return command;
    for (const auto& [id, update] : latest_) {
      if (!update_view(update).ended()) command += " " + id;
    }
    return command;
  }

  void print_result(Json object) {
    if (options_.json_lines) object["event"] = "summary";
    context_.print(object);
  }

  int finish() {
    const bool all = model_.succeeded() == model_.count();
    const std::string detail = fmt::format(
        "{} of {} updates did not succeed.", model_.count() - model_.succeeded(), model_.count());
    if (context_.json()) {
      Json object = result();
      if (!all)
        object.update(error_object(
            "update_failed", detail, "`otaria update show ID` tells each one's history."));
      print_result(object);
    } else {
      if (context_.live()) area_.clear();
      context_.out() << model_.summary(context_.out_traits(), Clock::now()) << std::flush;
      if (!all)
        context_.note(
            "What to do: `otaria update show ID` and `otaria device history DEVICE` tell each "
            "one's history.");
    }
    return all ? exit_ok : exit_refused;
  }

  int timed_out() {
    const std::string detail = fmt::format("{} of {} updates have not ended after {} s.",
                                           open(),
                                           model_.count(),
                                           options_.timeout.count());
    const std::string hint = "They go on. Watch again: " + again();
    if (context_.json()) {
      Json object = result();
      object.update(error_object("timeout", detail, hint));
      print_result(object);
      return exit_refused;
    }
    if (context_.live()) area_.clear();
    context_.out() << model_.summary(context_.out_traits(), Clock::now()) << std::flush;
    throw Failure(exit_refused, "timeout", detail, hint);
  }

  int leave() {
    if (context_.json()) {
      Json object = result();
      object.update(error_object(
          "interrupted", "Interrupted; the updates go on.", "Watch again: " + again()));
      print_result(object);
    } else {
      context_.err() << "\nThe update goes on without this command. Watch it again: " << again()
                     << "\nTo call it back: otaria update withdraw ID\n"
                     << std::flush;
    }
    return exit_interrupted;
  }

  Context& context_;
  const WatchOptions& options_;
  std::map<std::string, std::size_t> history_told_;  ///< statuses of each update already told
  WatchModel model_;
  terminal::LiveArea area_;
  std::map<std::string, Json> latest_;
  std::unique_ptr<EventStream> stream_;
  Clock::time_point began_;
  Clock::time_point asked_{};
  std::optional<Clock::time_point> away_since_;
};

}  // namespace

int watch_updates(Context& context, const std::vector<Json>& updates, const WatchOptions& options) {
  return Watch(context, updates, options).run();
}

}  // namespace otaria::cli
