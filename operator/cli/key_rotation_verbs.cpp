#include "operator/cli/key_rotation_verbs.hpp"

#include <fmt/format.h>

#include <map>

#include "operator/cli/terminal/table.hpp"
#include "operator/keys/key_rotation.hpp"

namespace otaria::cli {
namespace {

using contract::KeyRole;
using keys::KeyListDraft;
using keys::Reach;

/// A device that trusts by an older list than the one in force, or cannot follow to the next one.
struct Straggler {
  std::string id;
  std::uint32_t serial = 0;  ///< that it last reported
  Reach reach = Reach::unreachable;
};

struct Survey {
  std::vector<Straggler> stragglers;
  std::size_t up_to_date = 0;
  std::size_t unknown = 0;  ///< production devices that never reported a serial
  [[nodiscard]] std::size_t left_behind() const {
    std::size_t count = 0;
    for (const auto& each : stragglers) count += each.reach == Reach::unreachable ? 1 : 0;
    return count;
  }
};

const char* word_of(Reach reach) {
  switch (reach) {
    case Reach::direct:
      return "follows directly";
    case Reach::stepwise:
      return "follows step by step";
    case Reach::unreachable:
      break;
  }
  return "left behind";
}

/// The server's older lists, each asked for once.
class ListShelf {
 public:
  explicit ListShelf(Context& context) : context_{context} {}
  std::optional<KeyListDraft> operator()(std::uint32_t serial) {
    const auto known = lists_.find(serial);
    if (known != lists_.end()) return known->second;
    std::optional<KeyListDraft> list;
    if (const auto text = context_.client().file(fmt::format("/keys/{}.jws", serial)))
      list = keys::view_of(keys::read_key_list_text(*text).payload);
    return lists_.emplace(serial, std::move(list)).first->second;
  }

 private:
  Context& context_;
  std::map<std::uint32_t, std::optional<KeyListDraft>> lists_;
};

/// Devices in development mode trust without a list.
Survey survey_fleet(Context& context, const KeyListDraft& before, const KeyListDraft& next) {
  Survey survey;
  ListShelf shelf{context};
  std::map<std::uint32_t, Reach> by_serial;
  for (const Json& device : context.client().list("/devices", {})) {
    if (text_member(device, "mode") == "development") continue;
    const auto serial = static_cast<std::uint32_t>(number_member(device, "keys"));
    if (serial == 0) {
      ++survey.unknown;
      continue;
    }
    if (!by_serial.contains(serial))
      by_serial[serial] = keys::reach_of(serial, before, next, std::ref(shelf));
    const Reach reach = by_serial[serial];
    if (serial == before.serial && reach == Reach::direct) {
      ++survey.up_to_date;
    } else {
      survey.stragglers.push_back({text_member(device, "id"), serial, reach});
    }
  }
  return survey;
}

Json json_of(const Survey& survey) {
  Json items = Json::array();
  for (const auto& each : survey.stragglers)
    items.push_back({{"id", each.id}, {"keys", each.serial}, {"reach", word_of(each.reach)}});
  return {{"behind", items},
          {"left_behind", survey.left_behind()},
          {"up_to_date", survey.up_to_date},
          {"unknown", survey.unknown}};
}

void print_survey(Context& context, const Survey& survey, std::uint32_t serial) {
  terminal::Table table({{"DEVICE"}, {"ITS LIST", true}, {"TO THE NEXT LIST"}});
  for (const auto& each : survey.stragglers) {
    const bool lost = each.reach == Reach::unreachable;
    table.add({each.id,
               std::to_string(each.serial),
               {word_of(each.reach), lost ? terminal::Colour::red : terminal::Colour::none}});
  }
  if (!table.empty()) context.out() << table.text(context.out_traits()) << std::flush;
  context.say(
      fmt::format("{} devices hold list {}, {} an older one, {} never said; {} would be "
                  "left behind.",
                  survey.up_to_date,
                  serial,
                  survey.stragglers.size(),
                  survey.unknown,
                  survey.left_behind()));
}

struct Change {
  KeyListDraft before;
  KeyListDraft next;
  std::string what_happened;
  bool from_server = false;
  bool dry_run = false;
  bool leave_behind = false;
  std::string out;
};

/// Looks at the fleet where a server knows it, then writes the list.
int carry_out(Context& context, const Change& change) {
  keys::payload_of(change.next);  // refuses a list that would leave no trusted key
  keys::plan_signatures(change.before, change.next);
  if (change.from_server || change.dry_run) {
    const Survey survey = survey_fleet(context, change.before, change.next);
    if (change.dry_run) {
      if (context.json()) {
        context.print(json_of(survey));
      } else {
        print_survey(context, survey, change.before.serial);
        context.say("Nothing was written.");
      }
      return exit_ok;
    }
    if (survey.left_behind() > 0 && !change.leave_behind) {
      throw Failure(exit_refused,
                    "left_behind",
                    fmt::format("{} of the devices could follow to list {} only by cable.",
                                survey.left_behind(),
                                change.next.serial),
                    "--dry-run names them; --leave-behind makes the list all the same.");
    }
  } else {
    context.note("No server was asked: whether every device can follow was not looked at.");
  }
  return write_working_list(context, change.next, change.before, change.out, change.what_happened);
}

KeyRole role_of(const keys::KeyOpener::Known& known,
                const RotateKeyArguments& arguments,
                const KeyListDraft& list) {
  std::optional<KeyRole> wanted = contract::key_role_from(arguments.role);
  if (const auto* old = list.find(arguments.old_key); old != nullptr) wanted = old->role;
  if (!wanted) wanted = known.role;
  if (!wanted) {
    throw Failure(exit_usage,
                  "usage",
                  "The role of the new key is not known.",
                  "Name it: --role root or --role release.");
  }
  if (known.role && *known.role != *wanted) {
    throw Failure(exit_usage,
                  "wrong_role",
                  fmt::format("The new key was made as {} key, not as {} key.",
                              name_of(*known.role),
                              name_of(*wanted)),
                  "A key has one role: make another with otaria key create.");
  }
  return *wanted;
}

void require_listed(const KeyListDraft& list, const std::string& key_id) {
  if (list.find(key_id) != nullptr) return;
  throw Failure(exit_refused,
                "unknown_key",
                fmt::format("List {} has no key `{}`.", list.serial, key_id),
                "`otaria key list` shows those it has.");
}

}  // namespace

int rotate_key(Context& context, const RotateKeyArguments& arguments) {
  if (arguments.new_key.empty() == !arguments.finish ||
      (arguments.finish && arguments.old_key.empty())) {
    throw Failure(exit_usage,
                  "usage",
                  "A rotation has two halves: the new key is listed beside the old one; later the "
                  "old one goes.",
                  "First `otaria key rotate OLD --new REF`, and when devices have that list "
                  "`otaria key rotate OLD --finish`.");
  }
  Change change;
  change.before = keys::draft_of(load_key_list(context, arguments.from).list.payload);
  change.from_server = arguments.from.empty();
  change.dry_run = arguments.dry_run;
  change.leave_behind = arguments.leave_behind;
  change.out = arguments.out;
  change.next = keys::next_list(change.before, unix_now(), arguments.changes.days);
  if (!arguments.old_key.empty()) require_listed(change.before, arguments.old_key);
  if (arguments.finish) {
    keys::remove_key(change.next, arguments.old_key);
    change.what_happened = fmt::format("Took {} out of the list.", arguments.old_key);
  } else {
    keys::KeyOpener opener = opener_of(arguments.options);
    const auto known = opener.look_at(arguments.new_key);
    const KeyRole role = role_of(known, arguments, change.before);
    keys::add_key(change.next, known.key, role);
    change.what_happened =
        fmt::format("Added {} key {} beside the old ones.", name_of(role), known.key.key_id());
  }
  apply(arguments.changes, change.next);
  return carry_out(context, change);
}

int revoke_key(Context& context, const RevokeKeyArguments& arguments) {
  Change change;
  change.before = keys::draft_of(load_key_list(context, arguments.from).list.payload);
  change.from_server = arguments.from.empty();
  change.dry_run = arguments.dry_run;
  change.leave_behind = arguments.leave_behind;
  change.out = arguments.out;
  change.next = keys::next_list(change.before, unix_now(), arguments.changes.days);
  require_listed(change.before, arguments.key_id);
  const KeyRole role = change.before.find(arguments.key_id)->role;
  keys::revoke_key(change.next, arguments.key_id);
  change.what_happened = fmt::format("Revoked {} key {}.", name_of(role), arguments.key_id);
  if (!arguments.replacement.empty()) {
    keys::KeyOpener opener = opener_of(arguments.options);
    const auto known = opener.look_at(arguments.replacement);
    RotateKeyArguments as_rotation;
    as_rotation.old_key = arguments.key_id;
    keys::add_key(change.next, known.key, role_of(known, as_rotation, change.before));
    change.what_happened += fmt::format(" {} takes its place.", known.key.key_id());
  }
  apply(arguments.changes, change.next);
  if (role == KeyRole::release && arguments.changes.floors.empty()) {
    context.note(
        "If the key was stolen and something was signed with it, add --floor PRODUCT=N "
        "above the highest security counter you signed: devices then refuse the thief's.");
  }
  return carry_out(context, change);
}

}  // namespace otaria::cli
