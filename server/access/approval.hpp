#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "server/access/caller.hpp"
#include "server/access/right.hpp"
#include "server/registry/refusal.hpp"

/// The two-person rule: what one person asks for waits until another one has approved it.
/// Source  reference trust, section 14; docs/guide/operators.md.
namespace otaria::server {

/// What the rule can be set for. A further verb is a row in approval_verbs() and a case in
/// server/api/approval_acts.cpp.
enum class ApprovalVerb : std::uint8_t { force, keylist_publish };

struct ApprovalVerbRow {
  ApprovalVerb verb;
  std::string_view name;     ///< as in the API
  std::string_view setting;  ///< its key in otaria.toml
  Right right;               ///< what both persons must be allowed to do
};
/// One row per verb, in the order of the enumeration.
std::span<const ApprovalVerbRow> approval_verbs();
const ApprovalVerbRow& row_of(ApprovalVerb verb);
std::optional<ApprovalVerb> approval_verb_from(std::string_view name);

enum class ApprovalState : std::uint8_t { pending, done, rejected, expired };
std::string_view name_of(ApprovalState state);
std::optional<ApprovalState> approval_state_from(std::string_view name);

/// What somebody has asked for. Nothing of it but the decision ever changes.
struct Approval {
  std::string id;  ///< a ULID
  ApprovalVerb verb = ApprovalVerb::force;
  std::string digest;   ///< SHA-256 of `content`, hex: what an approval names
  std::string content;  ///< all that will be done, as text
  std::string summary;  ///< one line for people
  std::string requester;
  std::string requester_token;  ///< id of an API token; empty: none of ours
  std::string person;           ///< of the requester
  std::int64_t created_at = 0;  ///< Unix seconds, as all times here
  std::int64_t expires_at = 0;  ///< from then on nobody can approve it
  ApprovalState state = ApprovalState::pending;
  std::string decider = {}, decider_person = {};
  std::optional<std::int64_t> decided_at = {};
  std::string reason = {};  ///< of a rejection
  std::string result = {};  ///< of what was done: JSON
};

/// `expired` also where nobody has written that down yet.
ApprovalState state_at(const Approval& approval, std::int64_t now);

inline constexpr std::int64_t default_approval_life_s = 86'400;
inline constexpr std::size_t most_pending_approvals = 100;
inline constexpr std::size_t longest_person = 64;

/// What the operator has set.
struct ApprovalRules {
  std::set<ApprovalVerb> verbs = {};  ///< empty: off
  std::int64_t life_s = default_approval_life_s;
  [[nodiscard]] bool asks(ApprovalVerb verb) const { return verbs.contains(verb); }
};

/// 1 to 64 of a-z 0-9 . _ @ : + -; no upper case, so that one person has one name.
bool is_person(std::string_view text);

/// Whether the caller may ask for what needs another person. Code person_unknown.
std::optional<Refusal> refusal_of_request(const Caller& caller);

/// Whether the caller may approve it at `now`; `digest` is what he says he approves. Codes:
/// forbidden, approval_decided, approval_expired, person_unknown, same_person, approval_mismatch.
std::optional<Refusal> refusal_of_approval(const Approval& approval,
                                           const Caller& caller,
                                           std::string_view digest,
                                           std::int64_t now);

/// Whether the caller may reject it: the requester may too. Codes: forbidden, approval_decided,
/// approval_expired.
std::optional<Refusal> refusal_of_rejection(const Approval& approval,
                                            const Caller& caller,
                                            std::int64_t now);

}  // namespace otaria::server
