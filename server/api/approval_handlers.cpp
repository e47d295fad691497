#include "server/access/caller.hpp"
#include "server/api/approval_acts.hpp"
#include "server/api/approval_json.hpp"
#include "server/api/audit_note.hpp"
#include "server/api/handlers.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"

/// The two-person rule over HTTP.
namespace otaria::server {
namespace {

Refusal unknown_approval() {
  return {"unknown_approval", "nobody has asked for this", "otaria approval list shows the ids"};
}

// Who asked with a token that was stolen has it revoked; what the thief asked for must not stay.
std::optional<Refusal> refusal_by_token(StoreView& view, const Approval& approval) {
  if (approval.requester_token.empty()) return std::nullopt;
  const auto token = view.token(approval.requester_token);
  if (token && !token->revoked_at) return std::nullopt;
  return Refusal{"approval_void",
                 "the token that asked for it, " + approval.requester + ", was revoked since",
                 "reject it"};
}

void decide(Approval& approval, ApprovalState state, const Caller& caller, std::int64_t now) {
  approval.state = state;
  approval.decider = caller.actor;
  approval.decider_person = caller.person;
  approval.decided_at = now;
}

void note_decision(StoreTransaction& transaction,
                   const Services& services,
                   const Request& request,
                   const Approval& approval,
                   const char* verb) {
  note(transaction,
       services,
       request,
       verb,
       approval.id,
       contract::audit_detail({{"verb", std::string{row_of(approval.verb).name}},
                               {"digest", approval.digest},
                               {"requester", approval.requester},
                               {"person", approval.decider_person},
                               {"reason", approval.reason}}));
}

Outcome<Approval> approve_in(StoreTransaction& transaction,
                             const Request& request,
                             Services& services,
                             const std::string& id,
                             const std::string& digest) {
  auto approval = transaction.approval(id);
  if (!approval) return unknown_approval();
  const Caller& caller = *request.caller;
  if (auto no = refusal_of_approval(*approval, caller, digest, services.now())) return *no;
  if (auto no = refusal_by_token(transaction, *approval)) return *no;
  auto done = act(transaction, request, services, *approval);
  if (!done) return done.refusal();
  approval->result = done.value();
  decide(*approval, ApprovalState::done, caller, services.now());
  transaction.put_approval(*approval);
  note_decision(transaction, services, request, *approval, "approval.approve");
  return std::move(*approval);
}

}  // namespace

Response list_approvals(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  ApprovalFilter filter;
  if (const auto state = parameter(request, "state")) {
    filter.state = approval_state_from(*state);
    if (!filter.state) {
      return problem({"bad_request",
                      "`state` is none of pending, done, rejected, expired",
                      "leave it out for all"});
    }
  }
  std::vector<Approval> found;
  services.store.read(
      [&](StoreView& view) { found = view.approvals(filter, one_more(slice.value())); });
  return list_reply<Approval>(
      std::move(found),
      slice.value(),
      [now = services.now()](const Approval& approval) { return json_of(approval, now, false); },
      [](const Approval& approval) { return approval.id; });
}

Response show_approval(const Request&, const PathParameters& path, Services& services) {
  std::optional<Approval> approval;
  services.store.read([&](StoreView& view) { approval = view.approval(path[0]); });
  if (!approval) return problem(unknown_approval());
  return json_reply(json_of(*approval, services.now(), true));
}

Response approve(const Request& request, const PathParameters& path, Services& services) {
  const auto digest = approved_digest_from(request.body);
  if (!digest) return problem(digest.refusal());
  Outcome<Approval> outcome = unknown_approval();
  services.store.write([&](StoreTransaction& transaction) {
    outcome = approve_in(transaction, request, services, path[0], digest.value());
  });
  if (!outcome) return problem(outcome.refusal());
  return json_reply(json_of(outcome.value(), services.now(), false));
}

Response reject(const Request& request, const PathParameters& path, Services& services) {
  const auto reason = rejection_reason_from(request.body);
  if (!reason) return problem(reason.refusal());
  Outcome<Approval> outcome = unknown_approval();
  services.store.write([&](StoreTransaction& transaction) {
    auto approval = transaction.approval(path[0]);
    if (!approval) return;
    const Caller& caller = *request.caller;
    if (auto no = refusal_of_rejection(*approval, caller, services.now())) {
      outcome = *no;
      return;
    }
    approval->reason = reason.value();
    decide(*approval, ApprovalState::rejected, caller, services.now());
    transaction.put_approval(*approval);
    note_decision(transaction, services, request, *approval, "approval.reject");
    outcome = std::move(*approval);
  });
  if (!outcome) return problem(outcome.refusal());
  return json_reply(json_of(outcome.value(), services.now(), false));
}

}  // namespace otaria::server
