#include "operator/cli/keylist_verbs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "operator/cli/approval_verbs.hpp"
#include "operator/cli/terminal/table.hpp"
#include "operator/keys/key_list_signing.hpp"
#include "operator/keys/key_rotation.hpp"
#include "operator/keys/signed_text.hpp"

namespace otaria::cli {
namespace {

using contract::KeyRole;

constexpr std::uint32_t day_s = 86400;

/// The two sides of `NAME=VALUE`.
std::pair<std::string, std::string> halves_of(const std::string& text, const char* form) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw Failure(exit_usage,
                  "usage",
                  fmt::format("`{}` is not of the form {}.", text, form),
                  "See `otaria keylist make --help`.");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::uint32_t number_in(const std::string& text, const std::string& whole) {
  const bool digits = text.size() <= 10 && std::all_of(text.begin(), text.end(), [](char c) {
                        return c >= '0' && c <= '9';
                      });
  const unsigned long long value = digits ? std::stoull(text) : UINT64_MAX;
  if (value > UINT32_MAX) {
    throw Failure(exit_usage,
                  "usage",
                  fmt::format("`{}` does not end in a number up to 4294967295.", whole),
                  "Write it like --floor sensor=3.");
  }
  return static_cast<std::uint32_t>(value);
}

/// One root: it alone. More: as many as still leave a fleet that can be steered when one is lost,
/// two at the most.
std::uint32_t default_root_threshold(std::size_t roots) {
  return roots < 3 ? 1 : 2;
}

void add_keys(keys::KeyListDraft& draft,
              keys::KeyOpener& opener,
              const std::vector<std::string>& references,
              KeyRole role) {
  for (const std::string& reference : references) {
    const auto known = opener.look_at(reference);
    if (known.role && *known.role != role) {
      throw Failure(exit_usage,
                    "wrong_role",
                    fmt::format("{} was made as {} key, not as {} key.",
                                keys::display_name(reference),
                                name_of(*known.role),
                                name_of(role)),
                    "A key has one role: make another with otaria key create.");
    }
    keys::add_key(draft, known.key, role);
  }
}

Json json_of_plan(const keys::SigningPlan& plan, bool has_before) {
  Json json{{"signatures", plan.fewest_signatures},
            {"own", {{"needed", plan.new_needed}, {"roots", plan.new_roots}}}};
  if (has_before) json["before"] = {{"needed", plan.old_needed}, {"roots", plan.old_roots}};
  return json;
}

void say_plan(Context& context, const keys::SigningPlan& plan, bool has_before) {
  if (has_before) {
    context.say(
        fmt::format("Signatures needed: {} of the list in force ({}) and {} of its own ({}).",
                    plan.old_needed,
                    join(plan.old_roots, ", "),
                    plan.new_needed,
                    join(plan.new_roots, ", ")));
  } else {
    context.say(
        fmt::format("Signatures needed: {} of {}.", plan.new_needed, join(plan.new_roots, ", ")));
  }
}

std::string signed_name(const std::string& file) {
  return file.ends_with(".json") ? file.substr(0, file.size() - 5) + ".jws" : file + ".jws";
}

/// Before a passphrase is typed: the list may come from a network, and roots are the last to look.
void tell_what_is_signed(Context& context,
                         const keys::KeyListDraft& draft,
                         const std::string& against) {
  std::optional<keys::KeyListDraft> before;
  if (!against.empty()) before = keys::view_of(keys::read_key_list_text(against).payload);
  context.note(
      before ? fmt::format("List {} differs from list {} in this:", draft.serial, before->serial)
             : fmt::format("List {} says (--against LIST shows only what changes):", draft.serial));
  for (const std::string& line : keys::differences(before, draft)) context.note("  " + line);
}

/// PS256 is a choice of the firmware's build, off by default: a list that only such devices can use
/// would leave the others without a key they know.
void warn_of_ps256(Context& context, const keys::KeyListDraft& draft) {
  for (const KeyRole role : {KeyRole::root, KeyRole::release}) {
    const auto usable = std::count_if(draft.keys.begin(), draft.keys.end(), [&](const auto& each) {
      return each.role == role && each.key.algorithm == contract::Algorithm::es256;
    });
    if (static_cast<std::uint32_t>(usable) >= draft.threshold_of(role)) continue;
    context.note(
        fmt::format("Warning: {} of the {} keys are ES256 and {} must sign: devices that "
                    "are built without PS256 (the default) would be left behind.",
                    usable,
                    name_of(role),
                    draft.threshold_of(role)));
  }
}

const char* word_of(keys::SignatureStanding standing) {
  switch (standing) {
    case keys::SignatureStanding::valid:
      return "valid";
    case keys::SignatureStanding::invalid:
      return "invalid";
    case keys::SignatureStanding::unknown:
      break;
  }
  return "unknown";
}

Json json_of(const LoadedList& loaded, const std::vector<keys::JudgedSignature>& signatures) {
  Json json = Json::parse(loaded.list.payload);
  Json lines = Json::array();
  for (const auto& each : signatures)
    lines.push_back({{"kid", each.key_id}, {"standing", word_of(each.standing)}});
  return {{"list", json},
          {"payload_sha256", keys::payload_digest_text(loaded.list.payload)},
          {"signatures", lines}};
}

void print_list(Context& context,
                const LoadedList& loaded,
                const std::vector<keys::JudgedSignature>& signatures) {
  const keys::KeyListDraft& draft = loaded.draft;
  const auto row = [&](const char* name, const std::string& value) {
    if (!value.empty()) context.say(fmt::format("{:<12} {}", name, terminal::printable(value)));
  };
  row("serial", std::to_string(draft.serial));
  row("epoch", std::to_string(draft.epoch));
  row("issued", day_of(draft.issued));
  row("expires", day_of(draft.expires));
  row("thresholds",
      fmt::format("root {}, release {}, order {}",
                  draft.threshold_of(KeyRole::root),
                  draft.threshold_of(KeyRole::release),
                  draft.threshold_of(KeyRole::order)));
  for (const auto& each : draft.keys) {
    row("key",
        fmt::format(
            "{}  {:<7}  {}", each.key.key_id(), name_of(each.role), name_of(each.key.algorithm)));
  }
  for (const auto& key_id : draft.revoked) row("revoked", key_id);
  for (const auto& [product, counter] : draft.floors)
    row("floor", fmt::format("{}: security counter {}", product, counter));
  for (const auto& [host, pins] : draft.pins) {
    for (const auto& pin : pins) row("pin", fmt::format("{}: {}", host, pin));
  }
  row("payload", keys::payload_digest_text(loaded.list.payload));
  if (signatures.empty()) row("signatures", "none yet");
  for (const auto& each : signatures)
    row("signature", fmt::format("{}  {}", each.key_id, word_of(each.standing)));
}

}  // namespace

void apply(const ListChanges& changes, keys::KeyListDraft& draft) {
  for (const std::string& text : changes.floors) {
    const auto [product, counter] = halves_of(text, "PRODUCT=N");
    const std::uint32_t floor = number_in(counter, text);
    const auto before = draft.floors.find(product);
    if (before != draft.floors.end() && floor < before->second && !changes.epoch) {
      throw Failure(
          exit_usage,
          "floor_lowered",
          fmt::format(
              "The floor of {} is {}; devices do not go below it.", product, before->second),
          "To lower it on purpose, raise the epoch too: --epoch N.");
    }
    draft.floors[product] = floor;
  }
  std::map<std::string, std::vector<std::string>> pins;
  for (const std::string& text : changes.pins) {
    const auto [host, pin] = halves_of(text, "HOST=SPKI");
    pins[host].push_back(pin);
  }
  for (auto& [host, values] : pins) draft.pins[host] = std::move(values);
  if (changes.root_threshold) draft.threshold_of(KeyRole::root) = *changes.root_threshold;
  if (changes.release_threshold) draft.threshold_of(KeyRole::release) = *changes.release_threshold;
  if (!changes.epoch) return;
  if (*changes.epoch < draft.epoch) {
    throw Failure(exit_usage,
                  "epoch_lowered",
                  fmt::format("The epoch is {} and only rises.", draft.epoch),
                  fmt::format("Write --epoch {} or leave it out.", draft.epoch + 1));
  }
  draft.epoch = *changes.epoch;
}

int write_working_list(Context& context,
                       const keys::KeyListDraft& draft,
                       const std::optional<keys::KeyListDraft>& before,
                       std::string out,
                       const std::string& what_happened) {
  const std::string payload = keys::payload_of(draft);
  const keys::SigningPlan plan = keys::plan_signatures(before ? *before : draft, draft);
  if (out.empty()) out = fmt::format("keys-{}.json", draft.serial);
  refuse_existing(out);
  warn_of_ps256(context, draft);
  write_text(out, payload + "\n");
  if (context.json()) {
    context.print({{"serial", draft.serial},
                   {"file", out},
                   {"payload_sha256", keys::payload_digest_text(payload)},
                   {"sign", json_of_plan(plan, before.has_value())},
                   {"list", Json::parse(payload)}});
    return exit_ok;
  }
  context.say(what_happened);
  context.say(fmt::format("Wrote list {} to {}; it is not signed yet.", draft.serial, out));
  say_plan(context, plan, before.has_value());
  if (context.quiet()) return exit_ok;
  context.say(fmt::format("Next, at each root:   otaria keylist sign {} --key REF", out));
  context.say(fmt::format("Then, once:           otaria keylist publish {}", signed_name(out)));
  return exit_ok;
}

int make_key_list(Context& context, const MakeListArguments& arguments) {
  keys::KeyListDraft draft;
  std::optional<keys::KeyListDraft> before;
  const std::uint32_t now = unix_now();
  if (!arguments.from.empty()) {
    before = keys::draft_of(load_key_list(context, arguments.from).list.payload);
    draft = keys::next_list(*before, now, arguments.changes.days);
  } else {
    draft.issued = now;
    draft.expires = now + arguments.changes.days * day_s;
  }
  keys::KeyOpener opener = opener_of(arguments.options);
  add_keys(draft, opener, arguments.roots, KeyRole::root);
  add_keys(draft, opener, arguments.releases, KeyRole::release);
  if (!before)
    draft.threshold_of(KeyRole::root) = default_root_threshold(draft.ids_of(KeyRole::root).size());
  apply(arguments.changes, draft);
  return write_working_list(context,
                            draft,
                            before,
                            arguments.out,
                            before ? "Made the next key list." : "Made a first key list.");
}

int sign_key_list(Context& context, const SignListArguments& arguments) {
  const LoadedList loaded = load_key_list(context, arguments.file);
  const std::string out = !arguments.out.empty()    ? arguments.out
                          : loaded.list.is_signed() ? arguments.file
                                                    : signed_name(arguments.file);
  // A signed list of this name may hold other roots' signatures.
  if (out != arguments.file) refuse_existing(out);
  const std::string against =
      arguments.against.empty() ? std::string()
                                : read_text(arguments.against, contract::key_list_kind.file_bytes);
  tell_what_is_signed(context, loaded.draft, against);
  keys::KeyOpener opener = opener_of(arguments.options);
  const auto signer = opener.open(arguments.key);
  const std::string text = keys::sign_key_list(loaded.list, against, *signer);
  write_text(out, text);
  const auto verdict = keys::judge(text, against);
  const std::string key_id = signer->public_key().key_id();
  if (context.json()) {
    context.print({{"serial", loaded.draft.serial},
                   {"file", out},
                   {"kid", key_id},
                   {"complete", verdict.ok()},
                   {"signatures", keys::signatures_of(text, against).size()}});
    return exit_ok;
  }
  context.say(fmt::format("Signed list {} with {}: {}.", loaded.draft.serial, key_id, out));
  if (context.quiet()) return exit_ok;
  if (verdict.ok()) {
    context.say(
        fmt::format("{} roots have signed, as {} asks. Publish it: otaria keylist publish {}",
                    keys::signatures_of(text, against).size(),
                    against.empty() ? "the list itself" : "each of the two lists",
                    out));
  } else {
    context.say(fmt::format("Not yet enough: {}", keys::words_of(verdict).detail));
  }
  return exit_ok;
}

int show_key_list(Context& context, const std::string& file, const std::string& against) {
  const LoadedList loaded = load_key_list(context, file);
  const std::string before =
      against.empty() ? std::string() : read_text(against, contract::key_list_kind.file_bytes);
  const auto signatures = loaded.list.is_signed() ? keys::signatures_of(loaded.list.text, before)
                                                  : std::vector<keys::JudgedSignature>{};
  if (context.json()) {
    context.print(json_of(loaded, signatures));
  } else {
    print_list(context, loaded, signatures);
  }
  return exit_ok;
}

int verify_key_list(Context& context, const std::string& file, const std::string& against) {
  const std::string text = read_text(file, contract::key_list_kind.file_bytes);
  const std::string before =
      against.empty() ? std::string() : read_text(against, contract::key_list_kind.file_bytes);
  const auto verdict = keys::judge(text, before);
  if (!verdict.ok()) throw keys::words_of(verdict);
  const bool expired = verdict.head.expires < unix_now();
  if (context.json()) {
    context.print({{"serial", verdict.head.serial}, {"accepted", true}, {"expired", expired}});
    return exit_ok;
  }
  context.say(fmt::format("Devices {} accept list {}.",
                          against.empty() ? "that are provisioned with it" : "that hold the other",
                          verdict.head.serial));
  if (expired)
    context.note(fmt::format("It expired on {}: devices go on with it, and ask for a newer one.",
                             day_of(verdict.head.expires)));
  return exit_ok;
}

int publish_key_list(Context& context, const std::string& file) {
  const std::string text = read_text(file, contract::key_list_kind.file_bytes);
  if (!keys::read_key_list_text(text).is_signed()) {
    throw Failure(exit_usage,
                  "not_signed",
                  fmt::format("{} is not signed yet.", file),
                  fmt::format("otaria keylist sign {} --key REF", file));
  }
  const std::string current = context.client().file("/keys.jws").value_or("");
  const auto verdict = keys::judge(text, current == text ? std::string() : current);
  if (!verdict.ok()) throw keys::words_of(verdict);
  const Json answer = context.client().put("/keylist", "application/jose", text);
  if (awaits_approval(answer)) return say_awaiting(context, answer);
  if (context.json()) {
    context.print(answer);
    return exit_ok;
  }
  context.say(fmt::format("Published key list {}. Devices fetch it when they next ask.",
                          number_member(answer, "serial")));
  return exit_ok;
}

}  // namespace otaria::cli
