#include "operator/cli/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "operator/cli/interrupt.hpp"
#include "operator/cli/terminal/live_area.hpp"
#include "operator/cli/terminal/table.hpp"
#include "operator/cli/update_view.hpp"

namespace otaria::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds frame{250};
constexpr std::chrono::seconds query_interval_with_events{15};
constexpr std::chrono::seconds query_interval_without{2};
constexpr std::chrono::seconds patience{120};

class Monitor {
 public:
  Monitor(Context& context, unsigned timeout_s)
      : context_(context),
        area_(context.out()),
        stream_(context.client().events({})),
        timeout_(timeout_s),
        began_(Clock::now()) {}

  int run() {
    query();
    while (!interrupted() && !(timeout_.count() > 0 && Clock::now() - began_ >= timeout_)) {
      show();
      for (const ServerEvent& event : stream_->poll(frame)) take(event);
      const auto interval =
          stream_->healthy() ? query_interval_with_events : query_interval_without;
      if (stream_->freshly_opened() || Clock::now() - asked_ >= interval) query_again();
    }
    return exit_ok;
  }

 private:
  void query() {
    Client& client = context_.client();
    server_ = client.get("/server");
    for (const Json& device : client.list("/devices", {})) take_device(device);
    std::set<std::string> open;
    for (const Json& update : client.list("/updates", {{"open", "true"}})) {
      open.insert(text_member(update, "id"));
      take_update(update);
    }
    // An update that ended while no stream was open is not in the list of open ones.
    for (const auto& [id, update] : updates_) {
      if (!open.contains(id) && !update_view(update).is_final)
        take_update(client.get("/updates/" + url_encoded(id)));
    }
    asked_ = Clock::now();
  }

  void query_again() {
    if (interrupted()) return;
    try {
      query();
      if (away_since_) note("The server is back.");
      away_since_.reset();
    } catch (const Failure& failure) {
      asked_ = Clock::now();
      if (interrupted()) return;
      if (failure.exit_code != exit_unreachable) throw;
      if (!away_since_) {
        away_since_ = Clock::now();
        note(failure.detail + " Trying again.");
      }
      if (Clock::now() - *away_since_ >= patience) throw;
    }
  }

  void note(const std::string& line) {
    if (context_.live()) area_.clear();
    context_.note(terminal::printable(line));
  }

  void take(const ServerEvent& event) {
    const Json object = Json::parse(event.data, nullptr, false);
    if (!object.is_object()) return;
    if (event.name == "device") take_device(object);
    if (event.name == "update") take_update(object);
  }

  void take_device(const Json& device) {
    const std::string id = text_member(device, "id");
    Json& known = devices_[id];
    if (known == device) return;
    const bool told = text_member(known, "version") == text_member(device, "version") &&
                      flag_member(known, "online") == flag_member(device, "online") &&
                      !known.is_null();
    known = device;
    if (context_.json()) {
      context_.print({{"event", "device"}, {"device", device}});
    } else if (!context_.live() && !told) {
      context_.say(
          terminal::printable(fmt::format("{}: {}, runs {}",
                                          id,
                                          flag_member(device, "online") ? "online" : "offline",
                                          or_unknown(text_member(device, "version")))));
    }
  }

  void take_update(const Json& update) {
    const UpdateView view = update_view(update);
    Json& known = updates_[view.id];
    const UpdateView before = known.is_null() ? UpdateView{} : update_view(known);
    if (before.is_final || known == update) return;
    known = update;
    UpdateView& latest = latest_[view.device];
    if (view.id >= latest.id) latest = view;  // ULIDs: the newer one is the greater one
    if (context_.json()) {
      context_.print({{"event", "update"}, {"update", update}});
    } else if (!context_.live() &&
               (view.state != before.state || view.percent / 10 != before.percent / 10)) {
      std::string line = fmt::format("{}: {} to {}", view.device, view.state, view.target);
      if (view.state == "downloading") line += fmt::format(" {} %", view.percent);
      if (const auto error = error_text(view); !error.empty()) line += ", " + error;
      context_.say(terminal::printable(line));
    }
  }

  static std::string or_unknown(const std::string& text) {
    return text.empty() ? "an unknown version" : text;
  }

  void show() {
    if (!context_.live()) return;
    const terminal::Traits traits = terminal::detect(1);
    area_.draw(screen(traits), traits);
  }

  std::vector<std::string> screen(const terminal::Traits& traits) const {
    std::vector<std::string> lines;
    const auto broker = server_.find("broker");
    const bool connected =
        broker != server_.end() && broker->is_object() && flag_member(*broker, "connected");
    const auto online = std::count_if(devices_.begin(), devices_.end(), [](const auto& item) {
      return flag_member(item.second, "online");
    });
    const std::string head = fmt::format("{}  broker {}  {} devices, {} online  (Ctrl-C leaves)",
                                         context_.client().server(),
                                         connected ? "connected" : "NOT CONNECTED",
                                         devices_.size(),
                                         online);
    lines.push_back(terminal::coloured(
        terminal::fitted(head, traits.width, traits), terminal::Colour::bold, traits));
    terminal::Table table({{"DEVICE"}, {"PRESENCE"}, {"VERSION"}, {"TO"}, {"STATE"}, {"PROGRESS"}});
    for (const Json* device : by_interest()) {
      const bool present = flag_member(*device, "online");
      const auto update = latest_.find(text_member(*device, "id"));
      const bool has = update != latest_.end();
      table.add({text_member(*device, "id"),
                 {present ? "online" : "offline",
                  present ? terminal::Colour::green : terminal::Colour::dim},
                 text_member(*device, "version"),
                 has ? update->second.target : "",
                 has ? terminal::Table::Cell(update->second.state, colour_of(update->second.state))
                     : terminal::Table::Cell(""),
                 has ? progress_of(update->second, traits) : ""});
    }
    for (auto& line : table.lines(traits)) lines.push_back(std::move(line));
    if (lines.size() + 1 > traits.height && traits.height > 3) {
      const std::size_t hidden = lines.size() - (traits.height - 2);
      lines.resize(traits.height - 2);
      lines.push_back(fmt::format("and {} more", hidden));
    }
    return lines;
  }

  static std::string progress_of(const UpdateView& update, const terminal::Traits& traits) {
    if (!update.error_code.empty()) return error_text(update);
    if (update.state != "downloading") return "";
    return fmt::format(
        "{} {:>3} %", terminal::progress_bar(update.percent, 22, traits), update.percent);
  }

  /// Devices with an update under way first, then by id.
  std::vector<const Json*> by_interest() const {
    std::vector<const Json*> devices;
    for (const auto& [id, device] : devices_) devices.push_back(&device);
    std::stable_sort(devices.begin(), devices.end(), [&](const Json* a, const Json* b) {
      const auto busy = [&](const Json& device) {
        const auto found = latest_.find(text_member(device, "id"));
        return found != latest_.end() && !found->second.is_final;
      };
      return busy(*a) && !busy(*b);
    });
    return devices;
  }

  Context& context_;
  terminal::LiveArea area_;
  std::unique_ptr<EventStream> stream_;
  std::chrono::seconds timeout_;
  Clock::time_point began_;
  Clock::time_point asked_{};
  std::optional<Clock::time_point> away_since_;
  Json server_;
  std::map<std::string, Json> devices_;
  std::map<std::string, Json> updates_;
  std::map<std::string, UpdateView> latest_;  ///< by device
};

}  // namespace

int monitor(Context& context, unsigned timeout_s) {
  return Monitor(context, timeout_s).run();
}

}  // namespace otaria::cli
