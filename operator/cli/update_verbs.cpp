#include "operator/cli/update_verbs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <set>

#include "contract/vocabulary.hpp"
#include "operator/cli/approval_verbs.hpp"
#include "operator/cli/terminal/table.hpp"
#include "operator/cli/update_view.hpp"
#include "operator/cli/watch.hpp"

namespace otaria::cli {
namespace {

constexpr auto largest_u32 = std::numeric_limits<std::uint32_t>::max();

std::optional<std::uint32_t> number_from(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void print_table(Context& context, const std::vector<UpdateView>& updates) {
  terminal::Table table(
      {{"UPDATE"}, {"DEVICE"}, {"FROM"}, {"TO"}, {"STATE"}, {"%", true}, {"CREATED"}, {"WHY"}});
  for (const auto& update : updates) {
    table.add({update.id,
               update.device,
               update.from.empty() ? "-" : update.from,
               update.target,
               {update.state, colour_of(update.state)},
               update.state == "downloading" ? std::to_string(update.percent) : "",
               terminal::human_time(update.created_at),
               error_text(update)});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
}

std::vector<UpdateView> views_of(const std::vector<Json>& items) {
  std::vector<UpdateView> views;
  std::transform(items.begin(), items.end(), std::back_inserter(views), update_view);
  return views;
}

std::vector<Json> items_of(const Json& answer) {
  std::vector<Json> items;
  const auto found = answer.find("items");
  if (found == answer.end() || !found->is_array()) {
    throw Failure(
        exit_unreachable, "not_otariad", "The server answered without the list of updates.");
  }
  for (const auto& item : *found) items.push_back(item);
  return items;
}

Json send_body(const SendArguments& arguments) {
  std::vector<std::string> devices;
  std::set<std::string> seen;
  for (const auto& id : arguments.devices) {
    if (seen.insert(id).second) devices.push_back(id);
  }
  Json body{{"devices", devices}, {"release", arguments.release}, {"force", arguments.force}};
  if (!arguments.product.empty()) body["product"] = arguments.product;
  if (arguments.preflight) body["preflight"] = true;
  if (arguments.spread_s > 0) body["spread"] = arguments.spread_s;
  if (arguments.not_before > 0) body["not_before"] = arguments.not_before;
  if (arguments.deadline > 0) body["deadline"] = arguments.deadline;
  return body;
}

void print_history(Context& context, const Json& update) {
  const auto history = update.find("history");
  if (history == update.end() || !history->is_array() || history->empty()) return;
  terminal::Table table({{"AT"}, {"STATE"}, {"%", true}, {"SEQ", true}});
  for (const Json& entry : *history) {
    if (!entry.is_object()) continue;
    const std::string state = text_member(entry, "state");
    table.add({terminal::human_time(static_cast<std::int64_t>(number_member(entry, "at"))),
               {state, colour_of(state)},
               entry.contains("progress") && entry["progress"].is_number()
                   ? std::to_string(number_member(entry, "progress"))
                   : "",
               entry.contains("seq") && entry["seq"].is_number()
                   ? std::to_string(number_member(entry, "seq"))
                   : ""});
  }
  context.out() << "\n" << table.text(context.out_traits()) << std::flush;
}

}  // namespace

void check_device_ids(const std::vector<std::string>& ids) {
  for (const auto& id : ids) {
    if (contract::is_device_id(id)) continue;
    throw Failure(exit_usage,
                  "bad_device_id",
                  fmt::format("`{}` can be no device id.", id),
                  "An id has 1 to 32 characters of A-Z, a-z, 0-9, _ and -, like sensor_A1B2.");
  }
}

std::optional<std::uint32_t> duration_from(const std::string& text) {
  std::string_view digits = text;
  std::uint64_t unit = 1;
  if (!digits.empty()) {
    switch (digits.back()) {
      case 'd':
        unit = 86400;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'm':
        unit = 60;
        break;
      case 's':
        break;
      default:
        unit = 0;
        break;
    }
    if (unit != 0) digits.remove_suffix(1);
    unit = std::max<std::uint64_t>(unit, 1);
  }
  const auto number = number_from(digits);
  if (!number || *number * unit > largest_u32) return std::nullopt;
  return static_cast<std::uint32_t>(*number * unit);
}

std::optional<std::uint32_t> time_from(const std::string& text, std::int64_t now) {
  if (text.starts_with('+')) {
    const auto later = duration_from(text.substr(1));
    if (!later || now + *later > largest_u32) return std::nullopt;
    return static_cast<std::uint32_t>(now + *later);
  }
  if (const auto seconds = number_from(text)) return *seconds == 0 ? std::nullopt : seconds;
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::time_t time = ::timegm(&parts);
  if (time <= 0 || static_cast<std::uint64_t>(time) > largest_u32) return std::nullopt;
  return static_cast<std::uint32_t>(time);
}

int send_update(Context& context, const SendArguments& arguments) {
  check_device_ids(arguments.devices);
  const Json answer = context.client().post("/updates", send_body(arguments));
  if (awaits_approval(answer)) return say_awaiting(context, answer, arguments.wait);
  const auto items = items_of(answer);
  if (arguments.wait) {
    WatchOptions options;
    options.timeout = std::chrono::seconds(arguments.timeout_s);
    return watch_updates(context, items, options);
  }
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  print_table(context, views_of(items));
  if (!context.quiet())
    context.say(fmt::format("Accepted: {} {}. Watch: otaria update watch",
                            items.size(),
                            items.size() == 1 ? "update" : "updates"));
  return exit_ok;
}

int list_updates(Context& context, const UpdateFilter& filter) {
  const Query query{
      {"device", filter.device}, {"state", filter.state}, {"open", filter.open ? "true" : ""}};
  const auto items = context.client().list("/updates", query, filter.limit);
  if (context.json()) {
    context.print({{"items", items}});
  } else if (items.empty()) {
    context.say("No updates. Send one: otaria update send DEVICE --release VERSION");
  } else {
    print_table(context, views_of(items));
  }
  return exit_ok;
}

int show_update(Context& context, const std::string& id) {
  const Json update = context.client().get("/updates/" + url_encoded(id));
  if (context.json()) {
    context.print(update);
    return exit_ok;
  }
  const UpdateView view = update_view(update);
  const auto row = [&](const char* name, const std::string& value) {
    if (!value.empty()) context.say(fmt::format("{:<10} {}", name, terminal::printable(value)));
  };
  row("update", view.id);
  row("device", view.device);
  row("from", view.from);
  row("to", view.target);
  row("release", text_member(update, "release"));
  row("state", view.state);
  if (view.total > 0 && !view.succeeded())
    row("progress",
        fmt::format("{} % ({} of {} bytes)",
                    view.percent,
                    terminal::grouped(view.bytes),
                    terminal::grouped(view.total)));
  row("delivered", view.delivered ? "yes" : "not yet: the device has not answered");
  row("forced", flag_member(update, "force") ? "yes" : "");
  row("created", terminal::human_time(view.created_at));
  row("changed", terminal::human_time(view.updated_at));
  row("error", view.error_code);
  row("", view.error_detail);
  row("hint", view.error_hint);
  print_history(context, update);
  return exit_ok;
}

int watch_verb(Context& context,
               const std::vector<std::string>& ids,
               const std::string& device,
               unsigned timeout_s) {
  std::vector<Json> updates;
  if (ids.empty()) {
    updates = context.client().list("/updates", {{"device", device}, {"open", "true"}});
    if (updates.empty()) {
      if (context.json()) {
        context.print({{"event", "summary"},
                       {"items", Json::array()},
                       {"succeeded", 0},
                       {"failed", 0},
                       {"open", 0}});
      }
      context.say("No update is open.");
      return exit_ok;
    }
  }
  for (const auto& id : ids) updates.push_back(context.client().get("/updates/" + url_encoded(id)));
  WatchOptions options;
  options.timeout = std::chrono::seconds(timeout_s);
  options.json_lines = true;
  return watch_updates(context, updates, options);
}

int withdraw_updates(Context& context, const std::vector<std::string>& ids) {
  Json items = Json::array();
  for (const auto& id : ids) {
    const Json update = context.client().remove("/updates/" + url_encoded(id));
    items.push_back(update);
    const UpdateView view = update_view(update);
    context.say(terminal::printable(
        fmt::format("{}: withdrawn for {}. A device that has installed it already finishes it.",
                    view.id,
                    view.device)));
  }
  if (context.json()) context.print({{"items", items}});
  return exit_ok;
}

}  // namespace otaria::cli
