#include "server/access/approval.hpp"

#include <algorithm>
#include <array>

namespace otaria::server {
namespace {

// clang-format off
constexpr std::array verbs{
  ApprovalVerbRow{ApprovalVerb::force,           "force",           "approvals.force",           Right::operate},
  ApprovalVerbRow{ApprovalVerb::keylist_publish, "keylist.publish", "approvals.keylist_publish", Right::administer},
};  // clang-format on

constexpr bool has_one_row_per_verb_in_order() {
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    if (verbs[i].verb != static_cast<ApprovalVerb>(i)) return false;
  }
  return verbs.size() == static_cast<std::size_t>(ApprovalVerb::keylist_publish) + 1;
}
static_assert(has_one_row_per_verb_in_order());

constexpr std::array<std::string_view, 4> states{"pending", "done", "rejected", "expired"};

std::optional<Refusal> refusal_of_decision(const Approval& approval,
                                           const Caller& caller,
                                           std::int64_t now) {
  const ApprovalVerbRow& row = row_of(approval.verb);
  if (!caller.rights.has(row.right)) {
    return Refusal{"forbidden",
                   caller.actor + " has the role " + caller.roles +
                       ", which does not hold the right `" + std::string{name_of(row.right)} + "`",
                   "use a token with the role " + roles_with(row.right)};
  }
  const ApprovalState state = state_at(approval, now);
  if (state == ApprovalState::expired) {
    return Refusal{
        "approval_expired",
        "nobody decided it until " + std::to_string(approval.expires_at) + " (Unix seconds)",
        "ask for it again"};
  }
  if (state != ApprovalState::pending) {
    return Refusal{"approval_decided",
                   "it is " + std::string{name_of(state)} + " already, by " + approval.decider,
                   "otaria approval list shows what is pending"};
  }
  return std::nullopt;
}

}  // namespace

std::span<const ApprovalVerbRow> approval_verbs() {
  return verbs;
}

const ApprovalVerbRow& row_of(ApprovalVerb verb) {
  return verbs[static_cast<std::size_t>(verb)];
}

std::optional<ApprovalVerb> approval_verb_from(std::string_view name) {
  for (const ApprovalVerbRow& row : verbs) {
    if (row.name == name) return row.verb;
  }
  return std::nullopt;
}

std::string_view name_of(ApprovalState state) {
  return states[static_cast<std::size_t>(state)];
}

std::optional<ApprovalState> approval_state_from(std::string_view name) {
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i] == name) return static_cast<ApprovalState>(i);
  }
  return std::nullopt;
}

ApprovalState state_at(const Approval& approval, std::int64_t now) {
  const bool late = approval.state == ApprovalState::pending && now >= approval.expires_at;
  return late ? ApprovalState::expired : approval.state;
}

bool is_person(std::string_view text) {
  return !text.empty() && text.size() <= longest_person &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._@:+-") ==
             std::string_view::npos;
}

std::optional<Refusal> refusal_of_request(const Caller& caller) {
  if (!caller.person.empty()) return std::nullopt;
  return Refusal{
      "person_unknown",
      "another person must approve this, and " + caller.actor + " does not say whose it is",
      "use a token made with `otaria token create --person NAME`"};
}

std::optional<Refusal> refusal_of_approval(const Approval& approval,
                                           const Caller& caller,
                                           std::string_view digest,
                                           std::int64_t now) {
  if (auto refusal = refusal_of_decision(approval, caller, now)) return refusal;
  if (auto refusal = refusal_of_request(caller)) return refusal;
  // By token too: a row could have been given another name since.
  const bool same_token = caller.actor == approval.requester;
  if (same_token || caller.person == approval.person) {
    return Refusal{
        "same_person",
        approval.person + " has asked for it; " + caller.actor + " is of " + caller.person + " too",
        "another person must approve it"};
  }
  if (digest != approval.digest) {
    return Refusal{"approval_mismatch",
                   "the approval names the digest " + std::string{digest.substr(0, 64)} +
                       ", what waits has " + approval.digest,
                   "look at it again: otaria approval show " + approval.id};
  }
  return std::nullopt;
}

std::optional<Refusal> refusal_of_rejection(const Approval& approval,
                                            const Caller& caller,
                                            std::int64_t now) {
  return refusal_of_decision(approval, caller, now);
}

}  // namespace otaria::server
