#include "server/store/sqlite_rows.hpp"
#include "server/store/sqlite_transaction.hpp"

/// The key lists and manifests of sqlite::Transaction.
namespace otaria::server::sqlite {
namespace {

std::uint32_t unsigned_of(const Statement& row, int column) {
  return static_cast<std::uint32_t>(row.integer(column));
}

std::optional<StoredKeyList> key_list_of(Statement& statement) {
  if (!statement.step()) return std::nullopt;
  return StoredKeyList{.serial = unsigned_of(statement, 0),
                       .epoch = unsigned_of(statement, 1),
                       .issued = unsigned_of(statement, 2),
                       .expires = unsigned_of(statement, 3),
                       .payload_sha256 = statement.text(4),
                       .file = statement.text(5),
                       .created_at = statement.integer(6)};
}

/// An aggregate's value; nothing when it was over no rows.
std::optional<std::uint32_t> aggregate_of(Statement& statement) {
  if (!statement.step() || statement.is_null(0)) return std::nullopt;
  return unsigned_of(statement, 0);
}

}  // namespace

std::optional<StoredKeyList> Transaction::newest_key_list() {
  auto statement = connection_.lend(
      "SELECT serial, epoch, issued, expires, payload_sha256, file, created_at FROM key_lists "
      "ORDER BY serial DESC LIMIT 1");
  return key_list_of(statement);
}

std::optional<StoredKeyList> Transaction::key_list(std::uint32_t serial) {
  auto statement = connection_.lend(
      "SELECT serial, epoch, issued, expires, payload_sha256, file, created_at FROM key_lists "
      "WHERE serial = ?1");
  return key_list_of(statement.bind(serial));
}

std::optional<std::uint32_t> Transaction::first_serial_of_epoch(std::uint32_t epoch) {
  auto statement = connection_.lend("SELECT min(serial) FROM key_lists WHERE epoch = ?1");
  return aggregate_of(statement.bind(epoch));
}

std::optional<StoredManifest> Transaction::manifest(std::string_view id) {
  auto statement = connection_.lend(
      "SELECT id, channel, min_version, security_counter, keys, issued, expires, signed_by, "
      "release, product, epoch, payload_sha256, file, created_at FROM manifests WHERE id = ?1");
  if (!statement.bind(id).step()) return std::nullopt;
  return StoredManifest{.said = manifest_at(statement, 0),
                        .release = statement.text(8),
                        .product = statement.text(9),
                        .epoch = unsigned_of(statement, 10),
                        .payload_sha256 = statement.text(11),
                        .file = statement.text(12),
                        .created_at = statement.integer(13)};
}

std::optional<std::uint32_t> Transaction::highest_counter(const std::string& product,
                                                          std::uint32_t epoch) {
  auto statement = connection_.lend(
      "SELECT max(security_counter) FROM manifests WHERE product = ?1 AND epoch = ?2");
  return aggregate_of(statement.bind(product, epoch));
}

std::vector<std::string> Transaction::ending_urls(std::int64_t before,
                                                  std::int64_t now_ms,
                                                  std::size_t limit) {
  auto statement = connection_.lend(
      "SELECT DISTINCT d.device FROM deployments d WHERE d.final = 0 AND d.url_until IS NOT NULL "
      "AND d.url_until < ?1 AND d.withdrawn = 0 AND d.superseded = 0 AND (d.reported IS NULL OR "
      "d.reported IN ('received', 'waiting', 'downloading')) AND NOT EXISTS (SELECT 1 FROM outbox "
      "o "
      "WHERE o.device = d.device AND o.due_at_ms <= ?2) LIMIT ?3");
  statement.bind(before, now_ms, static_cast<std::int64_t>(limit));
  std::vector<std::string> devices;
  while (statement.step()) devices.push_back(statement.text(0));
  return devices;
}

void Transaction::set_url_until(std::string_view update, std::int64_t until) {
  auto statement = connection_.lend("UPDATE deployments SET url_until = ?2 WHERE id = ?1");
  statement.bind(update, until).run();
}

bool Transaction::add_key_list(const StoredKeyList& list) {
  auto statement = connection_.lend(
      "INSERT INTO key_lists (serial, epoch, issued, expires, payload_sha256, file, created_at) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7) ON CONFLICT (serial) DO NOTHING");
  statement
      .bind(list.serial,
            list.epoch,
            list.issued,
            list.expires,
            list.payload_sha256,
            list.file,
            list.created_at)
      .run();
  return connection_.changes() == 1;
}

bool Transaction::add_manifest(const StoredManifest& manifest) {
  const ReleaseManifest& said = manifest.said;
  const std::string signed_by = joined_lines(said.signed_by);
  {
    auto statement = connection_.lend(
        "INSERT INTO manifests (id, release, product, channel, min_version, security_counter, "
        "keys, issued, expires, signed_by, epoch, payload_sha256, file, created_at) "
        "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) ON CONFLICT (id) DO NOTHING");
    statement
        .bind(said.id,
              manifest.release,
              manifest.product,
              said.channel,
              said.min_version,
              said.security_counter,
              said.keys,
              said.issued,
              said.expires,
              signed_by,
              manifest.epoch,
              manifest.payload_sha256,
              manifest.file,
              manifest.created_at)
        .run();
    if (connection_.changes() != 1) return false;
  }
  auto statement =
      connection_.lend("UPDATE releases SET manifest = ?2, channel = ?3 WHERE id = ?1");
  statement.bind(manifest.release, said.id, said.channel).run();
  return true;
}

}  // namespace otaria::server::sqlite
