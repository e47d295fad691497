#include "server/api/approval_acts.hpp"

#include <spdlog/spdlog.h>

#include "contract/openssl/crypto.hpp"
#include "server/api/approval_json.hpp"
#include "server/api/audit_note.hpp"
#include "server/api/json.hpp"
#include "server/api/replies.hpp"
#include "server/trust/key_list_file.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t most_devices_told = 5;

std::string digest_of(const std::string& content) {
  const auto hex = contract::hex_of(crypto::sha256(content));
  return {hex.data(), hex.size()};
}

Refusal too_many() {
  return {"too_many_approvals",
          std::to_string(most_pending_approvals) + " requests wait for approval already",
          "have some of them decided first: otaria approval list"};
}

Refusal stale() {
  return {"approval_stale",
          "what would be done now is not what was asked for: a release or a device has changed",
          "reject it, and have it asked for again"};
}

Outcome<std::string> send_forced(StoreTransaction& transaction,
                                 const Request& request,
                                 Services& services,
                                 const Approval& approval) {
  const std::string body = request_of_content(approval.content);
  const auto wanted = send_request_from(body);
  if (!wanted) return wanted.refusal();
  const auto planned = services.dispatcher.preview(transaction, wanted.value());
  if (!planned) return planned.refusal();
  if (updates_content(body, planned.value()) != approval.content) return stale();
  const auto sent = services.dispatcher.send(
      transaction, wanted.value(), [&](StoreTransaction& within, const Deployment& update) {
        note(within,
             services,
             request,
             "update.send",
             update.device,
             contract::audit_detail({{"update", update.id},
                                     {"target", update.target},
                                     {"sha256", update.sha256},
                                     {"force", update.force},
                                     {"approval", approval.id},
                                     {"requester", approval.requester}}));
      });
  if (!sent) return sent.refusal();
  return updates_result(sent.value());
}

Outcome<std::string> publish_list(StoreTransaction& transaction,
                                  const Request& request,
                                  Services& services,
                                  const Approval& approval) {
  const auto judged =
      judge_key_list_file(approval.content, transaction.newest_key_list(), services.now());
  if (!judged) return judged.refusal();
  const StoredKeyList& list = judged.value();
  transaction.add_key_list(list);
  note(transaction,
       services,
       request,
       "keylist.publish",
       std::to_string(list.serial),
       contract::audit_detail({{"payload_sha256", list.payload_sha256},
                               {"approval", approval.id},
                               {"requester", approval.requester}}));
  spdlog::info("key list {} is published, approved by two persons", list.serial);
  return R"({"serial":)" + std::to_string(list.serial) + "}";
}

}  // namespace

Outcome<Approval> await_approval(StoreTransaction& transaction,
                                 const Request& request,
                                 Services& services,
                                 Wish wish) {
  const Caller& caller = *request.caller;
  if (auto refusal = refusal_of_request(caller)) return *refusal;
  const std::int64_t now = services.now();
  std::string digest = digest_of(wish.content);
  std::size_t waiting = 0;
  for (Approval& other : transaction.approvals({.state = ApprovalState::pending},
                                               {.limit = 2 * most_pending_approvals})) {
    if (state_at(other, now) != ApprovalState::pending) continue;
    ++waiting;
    if (other.verb == wish.verb && other.digest == digest && other.person == caller.person) {
      return std::move(other);
    }
  }
  if (waiting >= most_pending_approvals) return too_many();
  Approval approval{.id = services.ulids.next(static_cast<std::uint64_t>(services.clock())),
                    .verb = wish.verb,
                    .digest = std::move(digest),
                    .content = std::move(wish.content),
                    .summary = std::move(wish.summary),
                    .requester = caller.actor,
                    .requester_token = caller.token_id,
                    .person = caller.person,
                    .created_at = now,
                    .expires_at = now + services.approvals.life_s};
  transaction.put_approval(approval);
  note(transaction,
       services,
       request,
       "approval.request",
       approval.id,
       contract::audit_detail({{"verb", std::string{row_of(approval.verb).name}},
                               {"digest", approval.digest},
                               {"summary", approval.summary},
                               {"person", approval.person}}));
  return approval;
}

Response awaiting_reply(const Approval& approval, std::int64_t now) {
  return json_reply(awaiting_json(approval, now), 202);
}

std::string summary_of(const std::vector<Deployment>& updates) {
  std::string text = "force ";
  text += updates.empty() ? std::string{"nothing"} : updates.front().target;
  text +=
      " to " + std::to_string(updates.size()) + (updates.size() == 1 ? " device:" : " devices:");
  for (std::size_t i = 0; i < updates.size() && i < most_devices_told; ++i) {
    text += (i == 0 ? " " : ", ") + updates[i].device;
  }
  return updates.size() > most_devices_told ? text + ", …" : text;
}

Outcome<std::string> act(StoreTransaction& transaction,
                         const Request& request,
                         Services& services,
                         const Approval& approval) {
  // Not what somebody has made of the row since.
  if (digest_of(approval.content) != approval.digest) return stale();
  switch (approval.verb) {
    case ApprovalVerb::force:
      return send_forced(transaction, request, services, approval);
    case ApprovalVerb::keylist_publish:
      return publish_list(transaction, request, services, approval);
  }
  return stale();
}

}  // namespace otaria::server
