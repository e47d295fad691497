#include "operator/cli/approval_verbs.hpp"

#include <fmt/format.h>

#include "operator/cli/terminal/table.hpp"

namespace otaria::cli {
namespace {

std::string time_of(const Json& object, const char* name) {
  const auto seconds = number_member(object, name);
  return seconds == 0 ? "-" : terminal::human_time(static_cast<std::int64_t>(seconds));
}

std::string path_of(const std::string& id) {
  return "/approvals/" + url_encoded(id);
}

void print_approval(Context& context, const Json& approval) {
  const auto row = [&](const char* name, const std::string& value) {
    if (!value.empty()) context.say(fmt::format("{:<10} {}", name, terminal::printable(value)));
  };
  row("approval", text_member(approval, "id"));
  row("what", text_member(approval, "summary"));
  row("verb", text_member(approval, "verb"));
  row("digest", text_member(approval, "digest"));
  row("state", text_member(approval, "state"));
  row("asked by",
      text_member(approval, "person") + " (" + text_member(approval, "requester") + ")");
  row("asked", time_of(approval, "created_at"));
  row("until", time_of(approval, "expires_at"));
  row("decided by", text_member(approval, "decider_person"));
  row("reason", text_member(approval, "reason"));
}

}  // namespace

int list_approvals(Context& context, const std::string& state, std::size_t limit) {
  const Query query{{"state", state.empty() ? "pending" : state == "all" ? "" : state}};
  const auto items = context.client().list("/approvals", query, limit);
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  if (items.empty()) {
    context.say("Nothing waits for approval.");
    return exit_ok;
  }
  terminal::Table table({{"APPROVAL"}, {"WHAT"}, {"ASKED BY"}, {"STATE"}, {"UNTIL"}, {"DIGEST"}});
  for (const Json& item : items) {
    table.add({text_member(item, "id"),
               text_member(item, "summary"),
               text_member(item, "person"),
               text_member(item, "state"),
               time_of(item, "expires_at"),
               text_member(item, "digest").substr(0, 16)});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

int show_approval(Context& context, const std::string& id) {
  const Json approval = context.client().get(path_of(id));
  if (context.json()) {
    context.print(approval);
    return exit_ok;
  }
  print_approval(context, approval);
  context.say("\n" + terminal::printable(text_member(approval, "content")));
  return exit_ok;
}

int approve(Context& context, const std::string& id, const std::string& digest) {
  std::string named = digest;
  if (named.empty()) {
    const Json waiting = context.client().get(path_of(id));
    named = text_member(waiting, "digest");
    if (!context.json()) print_approval(context, waiting);
  }
  const Json done = context.client().post(path_of(id) + "/approve", {{"digest", named}});
  if (context.json()) {
    context.print(done);
    return exit_ok;
  }
  context.say(
      fmt::format("Approved and done: {}.", terminal::printable(text_member(done, "summary"))));
  return exit_ok;
}

int reject(Context& context, const std::string& id, const std::string& reason) {
  Json body = Json::object();
  if (!reason.empty()) body["reason"] = reason;
  const Json rejected = context.client().post(path_of(id) + "/reject", body);
  if (context.json()) {
    context.print(rejected);
    return exit_ok;
  }
  context.say(fmt::format("Rejected: {}.", terminal::printable(text_member(rejected, "summary"))));
  return exit_ok;
}

bool awaits_approval(const Json& answer) {
  const auto found = answer.find("approval");
  return found != answer.end() && found->is_object();
}

int say_awaiting(Context& context, const Json& answer, bool wait) {
  const Json& approval = answer.at("approval");
  const std::string id = terminal::printable(text_member(approval, "id"));
  const std::string how =
      fmt::format("Another person, until {}: otaria approval approve {} --digest {}",
                  time_of(approval, "expires_at"),
                  id,
                  terminal::printable(text_member(approval, "digest")));
  if (wait) {
    throw Failure(exit_refused,
                  "awaiting_approval",
                  fmt::format("{} waits for the approval {}; nothing is sent yet.",
                              terminal::printable(text_member(approval, "summary")),
                              id),
                  how);
  }
  if (context.json()) {
    context.print(answer);
    return exit_ok;
  }
  context.say(fmt::format(
      "{} waits for approval {}.", terminal::printable(text_member(approval, "summary")), id));
  context.say(how);
  return exit_ok;
}

}  // namespace otaria::cli
