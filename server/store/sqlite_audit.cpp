#include <charconv>
#include <limits>

#include "server/store/sqlite_transaction.hpp"

/// The audit log of sqlite::Transaction.
namespace otaria::server::sqlite {
namespace {

using contract::AuditRow;

AuditRow row_from(const Statement& row) {
  AuditRow read;
  read.seq = row.integer(0);
  read.at = row.integer(1);
  read.actor = row.text(2);
  read.source = row.text(3);
  read.verb = row.text(4);
  read.subject = row.text(5);
  read.outcome = row.text(6);
  read.detail = row.text(7);
  read.prev = row.text(8);
  read.hash = row.text(9);
  return read;
}

/// The seq that a cursor names; `otherwise` when it names none.
std::int64_t seq_of(const std::string& cursor, std::int64_t otherwise) {
  std::int64_t seq = 0;
  const char* end = cursor.data() + cursor.size();
  const auto [stop, error] = std::from_chars(cursor.data(), end, seq);
  return error == std::errc{} && stop == end && !cursor.empty() ? seq : otherwise;
}

}  // namespace

std::vector<AuditRow> Transaction::audit_rows(const AuditFilter& filter, const Slice& slice) {
  constexpr std::string_view oldest_first =
      "SELECT seq, at, actor, source, verb, subject, outcome, detail, prev, hash FROM audit "
      "WHERE seq > ?1 AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR verb = ?3) "
      "ORDER BY seq LIMIT ?4";
  constexpr std::string_view newest_first =
      "SELECT seq, at, actor, source, verb, subject, outcome, detail, prev, hash FROM audit "
      "WHERE seq < ?1 AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR verb = ?3) "
      "ORDER BY seq DESC LIMIT ?4";
  auto statement = connection_.lend(filter.oldest_first ? oldest_first : newest_first);
  const std::int64_t start = filter.oldest_first ? 0 : std::numeric_limits<std::int64_t>::max();
  statement.bind(seq_of(slice.after, start),
                 filter.actor,
                 filter.verb,
                 static_cast<std::int64_t>(slice.limit));
  std::vector<AuditRow> rows;
  while (statement.step()) rows.push_back(row_from(statement));
  return rows;
}

std::optional<AuditRow> Transaction::audit_head() {
  auto statement = connection_.lend(
      "SELECT seq, at, actor, source, verb, subject, outcome, detail, prev, hash FROM audit "
      "ORDER BY seq DESC LIMIT 1");
  if (!statement.step()) return std::nullopt;
  return row_from(statement);
}

AuditRow Transaction::append_audit(const contract::AuditEvent& event) {
  const auto head = audit_head();
  AuditRow row = contract::chained(
      event, head ? head->seq + 1 : 1, head ? head->hash : std::string{contract::no_audit_hash});
  auto statement = connection_.lend(
      "INSERT INTO audit (seq, at, actor, source, verb, subject, outcome, detail, prev, hash) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)");
  statement
      .bind(row.seq,
            row.at,
            row.actor,
            row.source,
            row.verb,
            row.subject,
            row.outcome,
            row.detail,
            row.prev,
            row.hash)
      .run();
  return row;
}

}  // namespace otaria::server::sqlite
