#include "operator/cli/device_verbs.hpp"

#include <fmt/format.h>

#include "operator/cli/terminal/table.hpp"
#include "operator/cli/update_view.hpp"

namespace otaria::cli {
namespace {

using terminal::Colour;

terminal::Table::Cell presence(const Json& device) {
  const auto found = device.find("online");
  if (found == device.end() || !found->is_boolean()) return std::string("unknown");
  return found->get<bool>() ? terminal::Table::Cell("online", Colour::green)
                            : terminal::Table::Cell("offline", Colour::dim);
}

std::string or_dash(std::string text) {
  if (text.empty()) return "-";
  return text;
}

void print_device(Context& context, const Json& device) {
  const auto row = [&](const char* name, const std::string& value) {
    if (!value.empty()) context.say(fmt::format("{:<12} {}", name, terminal::printable(value)));
  };
  for (const char* name : {"id",
                           "mac",
                           "product",
                           "hardware",
                           "chip",
                           "channel",
                           "version",
                           "build",
                           "image",
                           "slot"}) {
    row(name, text_member(device, name));
  }
  if (device.contains("confirmed"))
    row("confirmed", flag_member(device, "confirmed") ? "yes" : "no: on trial");
  row("presence", presence(device).text);
  row("mode", text_member(device, "mode"));
  row("agent", text_member(device, "agent"));
  if (const auto bytes = number_member(device, "max_image"); bytes > 0)
    row("max image", terminal::grouped(bytes) + " bytes");
  row("last reset", text_member(device, "reset_reason"));
  row("first seen",
      terminal::human_time(static_cast<std::int64_t>(number_member(device, "first_seen"))));
  row("last seen",
      terminal::human_time(static_cast<std::int64_t>(number_member(device, "last_seen"))));
  row("update", text_member(device, "update"));
}

}  // namespace

int list_devices(Context& context, const std::string& query, std::size_t limit) {
  const auto items = context.client().list("/devices", {{"q", query}}, limit);
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  if (items.empty()) {
    context.say(query.empty() ? "No devices yet. One appears when it connects to the broker."
                              : "No device matches.");
    return exit_ok;
  }
  terminal::Table table({{"DEVICE"},
                         {"PRESENCE"},
                         {"PRODUCT"},
                         {"HARDWARE"},
                         {"VERSION"},
                         {"MODE"},
                         {"LAST SEEN"},
                         {"UPDATE"}});
  for (const Json& device : items) {
    table.add({text_member(device, "id"),
               presence(device),
               or_dash(text_member(device, "product")),
               or_dash(text_member(device, "hardware")),
               or_dash(text_member(device, "version")),
               or_dash(text_member(device, "mode")),
               terminal::human_time(static_cast<std::int64_t>(number_member(device, "last_seen"))),
               text_member(device, "update")});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

int show_device(Context& context, const std::string& id) {
  const Json device = context.client().get("/devices/" + url_encoded(id));
  if (context.json()) {
    context.print(device);
    return exit_ok;
  }
  print_device(context, device);
  const auto updates = device.find("updates");
  if (updates == device.end() || !updates->is_array() || updates->empty()) return exit_ok;
  terminal::Table table({{"UPDATE"}, {"TO"}, {"STATE"}, {"CREATED"}, {"WHY"}});
  for (const Json& item : *updates) {
    const UpdateView update = update_view(item);
    table.add({update.id,
               update.target,
               {update.state, colour_of(update.state)},
               terminal::human_time(update.created_at),
               error_text(update)});
  }
  context.out() << "\n" << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

int show_history(Context& context, const std::string& id, const std::string& update) {
  const auto items =
      context.client().list("/devices/" + url_encoded(id) + "/statuses", {{"update", update}});
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  if (items.empty()) {
    context.say("Nothing was reported yet.");
    return exit_ok;
  }
  terminal::Table table(
      {{"SEQ", true}, {"AT"}, {"UPDATE"}, {"TO"}, {"STATE"}, {"%", true}, {"RUNS"}, {"WHY"}});
  for (const Json& item : items) {
    const UpdateView view = update_view(item);
    const auto at = number_member(item, "at") != 0 ? number_member(item, "at")
                                                   : number_member(item, "received_at");
    table.add({std::to_string(number_member(item, "seq")),
               terminal::human_time(static_cast<std::int64_t>(at)),
               or_dash(text_member(item, "update")),
               view.target,
               {view.state, colour_of(view.state)},
               view.state == "downloading" ? std::to_string(view.percent) : "",
               text_member(item, "version"),
               error_text(view)});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

}  // namespace otaria::cli
