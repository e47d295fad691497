#include "server/store/sqlite_transaction.hpp"

/// The two-person rule of sqlite::Transaction.
namespace otaria::server::sqlite {
namespace {

Approval approval_from(const Statement& row) {
  const auto verb = approval_verb_from(row.text(1));
  const auto state = approval_state_from(row.text(10));
  // A row that this program did not write must not become something that can be approved.
  if (!verb || !state) {
    throw DatabaseError{"approval " + row.text(0) + " in the database cannot be read", false};
  }
  return Approval{.id = row.text(0),
                  .verb = *verb,
                  .digest = row.text(2),
                  .content = row.text(3),
                  .summary = row.text(4),
                  .requester = row.text(5),
                  .requester_token = row.text(6),
                  .person = row.text(7),
                  .created_at = row.integer(8),
                  .expires_at = row.integer(9),
                  .state = *state,
                  .decider = row.text(11),
                  .decider_person = row.text(12),
                  .decided_at = row.maybe_integer(13),
                  .reason = row.text(14),
                  .result = row.text(15)};
}

}  // namespace

std::optional<Approval> Transaction::approval(std::string_view id) {
  auto statement = connection_.lend(
      "SELECT id, verb, digest, content, summary, requester, requester_token, person, created_at, "
      "expires_at, state, decider, decider_person, decided_at, reason, result FROM approvals "
      "WHERE id = ?1");
  if (!statement.bind(id).step()) return std::nullopt;
  return approval_from(statement);
}

std::vector<Approval> Transaction::approvals(const ApprovalFilter& filter, const Slice& slice) {
  auto statement = connection_.lend(
      "SELECT id, verb, digest, content, summary, requester, requester_token, person, created_at, "
      "expires_at, state, decider, decider_person, decided_at, reason, result FROM approvals "
      "WHERE (?1 = '' OR id < ?1) AND (?2 = '' OR state = ?2) ORDER BY id DESC LIMIT ?3");
  statement.bind(slice.after,
                 filter.state ? name_of(*filter.state) : std::string_view{},
                 static_cast<std::int64_t>(slice.limit));
  std::vector<Approval> approvals;
  while (statement.step()) approvals.push_back(approval_from(statement));
  return approvals;
}

void Transaction::put_approval(const Approval& approval) {
  auto statement = connection_.lend(
      "INSERT INTO approvals (id, verb, digest, content, summary, requester, requester_token, "
      "person, created_at, expires_at, state, decider, decider_person, decided_at, reason, result) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16) ON CONFLICT (id) DO UPDATE "
      "SET state = ?11, decider = ?12, decider_person = ?13, decided_at = ?14, reason = ?15, "
      "result = ?16");
  statement
      .bind(approval.id,
            row_of(approval.verb).name,
            approval.digest,
            approval.content,
            approval.summary,
            approval.requester,
            approval.requester_token,
            approval.person,
            approval.created_at,
            approval.expires_at,
            name_of(approval.state),
            approval.decider,
            approval.decider_person,
            approval.decided_at,
            approval.reason,
            approval.result)
      .run();
}

void Transaction::forget_approvals(std::int64_t before) {
  auto statement = connection_.lend(
      "DELETE FROM approvals WHERE expires_at < ?1 AND ifnull(decided_at, 0) < ?1");
  statement.bind(before).run();
}

}  // namespace otaria::server::sqlite
