#include "operator/cli/identity_verbs.hpp"

#include <fmt/format.h>

#include "contract/openssl/crypto.hpp"
#include "contract/vocabulary.hpp"
#include "operator/cli/terminal/table.hpp"

namespace otaria::cli {
namespace {

using terminal::printable;

std::string or_dash(std::string text) {
  if (text.empty()) return "-";
  return text;
}

std::string time_of(const Json& object, const char* name) {
  const auto at = number_member(object, name);
  return at == 0 ? "-" : terminal::human_time(static_cast<std::int64_t>(at));
}

std::string state_sentence(const std::string& state) {
  if (state == "active") return "It gets tokens again.";
  if (state == "suspended") return "It gets no tokens until it is activated.";
  return "It gets no tokens; what it holds is denied. A new key needs a claim.";
}

}  // namespace

int import_devices(Context& context, const std::string& file) {
  const auto uploaded = context.client().upload("/devices/import", {}, file, {});
  if (context.json()) {
    context.print(uploaded.body);
    return exit_ok;
  }
  context.say(fmt::format("Registered {} devices; {} were registered already.",
                          number_member(uploaded.body, "created"),
                          number_member(uploaded.body, "unchanged")));
  return exit_ok;
}

int claim_devices(Context& context, const ClaimArguments& arguments) {
  Json devices = Json::array();
  for (const std::string& name : arguments.devices) {
    Json device{{contract::is_mac(name) ? "mac" : "id", name}};
    if (!arguments.product.empty()) device["product"] = arguments.product;
    if (!arguments.hardware.empty()) device["hardware"] = arguments.hardware;
    devices.push_back(std::move(device));
  }
  const Json made = context.client().post("/claims", {{"devices", devices}});
  if (context.json()) {
    context.print(made);
    return exit_ok;
  }
  terminal::Table table({{"MAC"}, {"DEVICE"}, {"CLAIM"}});
  for (const Json& item : made.value("items", Json::array())) {
    table.add({or_dash(text_member(item, "mac")),
               or_dash(text_member(item, "id")),
               text_member(item, "claim")});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  context.note("Each claim lets one key in, once. They are not shown again.");
  return exit_ok;
}

int set_device_state(Context& context,
                     const std::string& id,
                     const std::string& state,
                     const std::string& reason) {
  const Json device = context.client().post("/devices/" + url_encoded(id) + "/state",
                                            {{"state", state}, {"reason", reason}});
  if (context.json()) {
    context.print(device);
    return exit_ok;
  }
  context.say(fmt::format("{} is {}. {}",
                          printable(text_member(device, "id")),
                          printable(text_member(device, "state")),
                          state_sentence(text_member(device, "state"))));
  return exit_ok;
}

int list_identities(Context& context,
                    const std::string& query,
                    const std::string& state,
                    std::size_t limit) {
  const auto items = context.client().list("/identities", {{"q", query}, {"state", state}}, limit);
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  if (items.empty()) {
    context.say("No identities. Import a list, or make claims: otaria device import, claim.");
    return exit_ok;
  }
  terminal::Table table({{"DEVICE"}, {"MAC"}, {"STATE"}, {"KEY"}, {"ORIGIN"}, {"LAST TOKEN"}});
  for (const Json& item : items) {
    table.add({text_member(item, "id"),
               text_member(item, "mac"),
               text_member(item, "state"),
               or_dash(text_member(item, "key_id")),
               text_member(item, "origin"),
               time_of(item, "last_token_at")});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

int show_issuer(Context& context) {
  const Json issuer = context.client().get("/issuer");
  if (context.json()) {
    context.print(issuer);
    return exit_ok;
  }
  terminal::Table table({{"KEY"}, {"STATE"}, {"MADE"}, {"SIGNS FROM"}});
  for (const Json& key : issuer.value("items", Json::array())) {
    table.add({text_member(key, "kid"),
               text_member(key, "state"),
               time_of(key, "created_at"),
               time_of(key, "use_from")});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

int rotate_issuer(Context& context, const RotateArguments& arguments) {
  Json body{{"withdraw_old", arguments.withdraw_old}};
  if (arguments.lead_s) body["lead"] = *arguments.lead_s;
  const Json key = context.client().post("/issuer/rotate", body);
  if (context.json()) {
    context.print(key);
    return exit_ok;
  }
  const std::string kid = printable(text_member(key, "kid"));
  context.say(arguments.withdraw_old
                  ? fmt::format("Key {} signs now. Every earlier token is worth nothing: devices "
                                "fetch new ones.",
                                kid)
                  : fmt::format("Key {} is published and signs from {}. Nobody is dropped.",
                                kid,
                                time_of(key, "use_from")));
  return exit_ok;
}

int mint_broker_token(Context& context, const std::string& name, const std::string& file) {
  const Json made = context.client().post("/broker-tokens", {{"name", name}});
  if (!file.empty()) {
    try {
      crypto::write_secret_file(file, text_member(made, "token") + "\n");
    } catch (const crypto::CryptoError& error) {
      throw Failure(exit_usage,
                    "not_written",
                    fmt::format("{}.", error.what()),
                    "The token was made and is lost: choose another file and ask again.");
    }
  }
  if (context.json()) {
    Json shown = made;
    if (!file.empty()) shown["token"] = nullptr;
    context.print(shown);
    return exit_ok;
  }
  if (file.empty()) {
    context.out() << text_member(made, "token") << "\n" << std::flush;
  } else {
    context.say(fmt::format("The token of {} is in {}.", printable(name), file));
  }
  context.note(fmt::format("Username and client id are {}; it lasts {} s.",
                           printable(name),
                           number_member(made, "expires_in")));
  return exit_ok;
}

int list_broker_tokens(Context& context) {
  const auto items = context.client().list("/broker-tokens", {});
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  terminal::Table table({{"SERVICE"}, {"FIRST TOKEN"}, {"BY"}, {"REVOKED"}});
  for (const Json& item : items) {
    table.add({text_member(item, "name"),
               time_of(item, "created_at"),
               text_member(item, "creator"),
               time_of(item, "revoked_at")});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

int revoke_broker_token(Context& context, const std::string& name) {
  const Json service = context.client().remove("/broker-tokens/" + url_encoded(name));
  if (context.json()) {
    context.print(service);
    return exit_ok;
  }
  context.say(fmt::format("Every token of {} is denied.", printable(name)));
  return exit_ok;
}

}  // namespace otaria::cli
