#include "server/store/sqlite_transaction.hpp"

#include <charconv>
#include <limits>

#include "server/store/sqlite_rows.hpp"

namespace otaria::server::sqlite {
namespace {

#define RELEASE_FIELDS                                                            \
  "id, product, version, hardware, channel, chip, size, sha256, build, project, " \
  "descriptor_version, idf_version, notes, created_at"
// As RELEASE_FIELDS, with the manifest in force beside them.
#define RELEASES                                                                                  \
  "SELECT r.id, r.product, r.version, r.hardware, r.channel, r.chip, r.size, r.sha256, r.build, " \
  "r.project, r.descriptor_version, r.idf_version, r.notes, r.created_at, m.id, m.channel, "      \
  "m.min_version, m.security_counter, m.keys, m.issued, m.expires, m.signed_by "                  \
  "FROM releases r LEFT JOIN manifests m ON m.id = r.manifest "
#define DEVICE_COLUMNS                                                                      \
  "ordinal, id, mac, product, hardware, chip, channel, version, build, image, slot, mode, " \
  "agent, reset_reason, confirmed, security_counter, keys, max_image, online, session, "    \
  "epoch, newest_seq, state_epoch, state_seq, first_seen, last_seen, "                      \
  "(SELECT max(o.id) FROM deployments o WHERE o.device = devices.id AND o.final = 0)"
#define DEPLOYMENT_COLUMNS                                                                  \
  "id, device, release, target, from_version, sha256, size, url, force, spread_s, "         \
  "not_before, deadline, reported, percent, bytes, total, code, detail, hint, epoch, seq, " \
  "stale, withdrawn, superseded, closed_by_server, created_at, updated_at, due_at, "        \
  "manifest"
#define STATUS_COLUMNS                                                                        \
  "ordinal, device, update_id, version, target, state, percent, bytes, total, code, detail, " \
  "hint, epoch, seq, at, received_at"

template <class Read>
auto all(Statement& statement, Read read) {
  std::vector<decltype(read(statement))> rows;
  while (statement.step()) rows.push_back(read(statement));
  return rows;
}

template <class Read>
auto first(Statement& statement, Read read) -> std::optional<decltype(read(statement))> {
  if (!statement.step()) return std::nullopt;
  return read(statement);
}

std::int64_t count(std::size_t limit) {
  return static_cast<std::int64_t>(limit);
}

// Above every id and every ordinal: where a list that runs downwards begins.
constexpr std::string_view above_all_ids = "~";

std::string_view before_id(const Slice& slice) {
  return slice.after.empty() ? above_all_ids : std::string_view{slice.after};
}

std::int64_t ordinal(const Slice& slice, std::int64_t start) {
  std::int64_t value = start;
  std::from_chars(slice.after.data(), slice.after.data() + slice.after.size(), value);
  return value;
}

// A substring search that takes %, _ and \ literally.
std::string like_pattern(const std::string& text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

struct ProgressColumns {
  std::optional<std::uint32_t> percent, bytes, total;
  explicit ProgressColumns(const std::optional<contract::Progress>& progress) {
    if (!progress) return;
    percent = progress->percent;
    bytes = progress->bytes;
    total = progress->total;
  }
};

struct ErrorColumns {
  std::optional<std::string_view> code, detail, hint;
  explicit ErrorColumns(const std::optional<UpdateError>& error) {
    if (!error) return;
    code = error->code;
    detail = error->detail;
    hint = error->hint;
  }
};

}  // namespace

std::optional<Release> Transaction::release(std::string_view id) {
  auto statement = connection_.lend(RELEASES "WHERE r.id = ?1");
  return first(statement.bind(id), release_from);
}

std::vector<Release> Transaction::releases(const ReleaseFilter& filter, const Slice& slice) {
  auto statement =
      connection_.lend(RELEASES
                       "WHERE r.id < ?1 AND (?2 IS NULL OR r.product = ?2) "
                       "AND (?3 IS NULL OR r.version = ?3) ORDER BY r.id DESC LIMIT ?4");
  return all(statement.bind(before_id(slice), filter.product, filter.version, count(slice.limit)),
             release_from);
}

std::optional<Release> Transaction::release_named(const std::string& product,
                                                  const std::string& version,
                                                  const std::vector<std::string>& hardware) {
  const std::string lines = joined_lines(hardware);
  auto statement =
      connection_.lend(RELEASES "WHERE r.product = ?1 AND r.version = ?2 AND r.hardware = ?3");
  return first(statement.bind(product, version, lines), release_from);
}

std::optional<Device> Transaction::device(std::string_view id) {
  auto statement = connection_.lend("SELECT " DEVICE_COLUMNS " FROM devices WHERE id = ?1");
  return first(statement.bind(id), device_from);
}

std::vector<Device> Transaction::devices(const DeviceFilter& filter, const Slice& slice) {
  const std::string pattern = like_pattern(filter.text);
  auto statement = connection_.lend(
      "SELECT " DEVICE_COLUMNS
      " FROM devices WHERE ordinal < ?1 AND (id LIKE ?2 ESCAPE '\\' OR mac LIKE ?2 ESCAPE '\\' "
      "OR version LIKE ?2 ESCAPE '\\') ORDER BY ordinal DESC LIMIT ?3");
  const std::int64_t below = ordinal(slice, std::numeric_limits<std::int64_t>::max());
  return all(statement.bind(below, pattern, count(slice.limit)), device_from);
}

std::optional<Deployment> Transaction::deployment(std::string_view id) {
  auto statement = connection_.lend("SELECT " DEPLOYMENT_COLUMNS " FROM deployments WHERE id = ?1");
  return first(statement.bind(id), deployment_from);
}

std::vector<Deployment> Transaction::deployments(const DeploymentFilter& filter,
                                                 const Slice& slice) {
  // By device or over all: two statements, so that each walks its own index.
  if (filter.device) {
    auto statement = connection_.lend(
        "SELECT " DEPLOYMENT_COLUMNS
        " FROM deployments WHERE device = ?1 AND id < ?2 AND (?3 IS NULL OR state = ?3) "
        "AND (?4 = 0 OR final = 0) ORDER BY id DESC LIMIT ?5");
    return all(
        statement.bind(
            *filter.device, before_id(slice), filter.state, filter.open_only, count(slice.limit)),
        deployment_from);
  }
  auto statement = connection_.lend(
      "SELECT " DEPLOYMENT_COLUMNS
      " FROM deployments WHERE id < ?1 AND (?2 IS NULL OR state = ?2) AND (?3 = 0 OR final = 0) "
      "ORDER BY id DESC LIMIT ?4");
  return all(statement.bind(before_id(slice), filter.state, filter.open_only, count(slice.limit)),
             deployment_from);
}

std::vector<Deployment> Transaction::open_deployments(std::string_view device) {
  auto statement =
      connection_.lend("SELECT " DEPLOYMENT_COLUMNS
                       " FROM deployments WHERE device = ?1 AND final = 0 ORDER BY id DESC");
  return all(statement.bind(device), deployment_from);
}

std::vector<StatusRecord> Transaction::statuses(std::string_view device,
                                                std::string_view update,
                                                const Slice& slice) {
  const std::int64_t limit = slice.limit == 0 ? -1 : count(slice.limit);
  if (update.empty()) {
    auto statement = connection_.lend(
        "SELECT " STATUS_COLUMNS
        " FROM statuses WHERE device = ?1 AND ordinal > ?2 ORDER BY ordinal LIMIT ?3");
    return all(statement.bind(device, ordinal(slice, 0), limit), status_from);
  }
  auto statement = connection_.lend("SELECT " STATUS_COLUMNS
                                    " FROM statuses WHERE update_id = ?1 AND device = ?2 AND "
                                    "ordinal > ?3 ORDER BY ordinal LIMIT ?4");
  return all(statement.bind(update, device, ordinal(slice, 0), limit), status_from);
}

bool Transaction::session_restarted(std::string_view mac, std::uint32_t session) {
  auto statement =
      connection_.lend("SELECT 1 FROM session_restarts WHERE mac = ?1 AND session = ?2");
  return statement.bind(mac, session).step();
}

std::vector<OutboxRow> Transaction::due_notices(std::int64_t now_ms, std::size_t limit) {
  auto statement = connection_.lend(
      "SELECT device, update_id, generation, attempts, due_at_ms FROM outbox WHERE due_at_ms <= ?1 "
      "ORDER BY due_at_ms LIMIT ?2");
  return all(statement.bind(now_ms, count(limit)), outbox_from);
}

std::optional<OutboxRow> Transaction::outbox_row(std::string_view device) {
  auto statement = connection_.lend(
      "SELECT device, update_id, generation, attempts, due_at_ms FROM outbox WHERE device = ?1");
  return first(statement.bind(device), outbox_from);
}

std::vector<Deployment> Transaction::overdue(std::int64_t now, std::size_t limit) {
  auto statement = connection_.lend(
      "SELECT " DEPLOYMENT_COLUMNS
      " FROM deployments WHERE final = 0 AND stale = 0 AND due_at > 0 AND due_at <= ?1 LIMIT ?2");
  return all(statement.bind(now, count(limit)), deployment_from);
}

std::vector<Deployment> Transaction::expired(std::int64_t now, std::size_t limit) {
  auto statement = connection_.lend("SELECT " DEPLOYMENT_COLUMNS
                                    " FROM deployments WHERE final = 0 AND withdrawn = 0 AND "
                                    "deadline IS NOT NULL AND deadline <= ?1 LIMIT ?2");
  return all(statement.bind(now, count(limit)), deployment_from);
}

StoreCounts Transaction::counts(std::int64_t online_since) {
  StoreCounts counts;
  {
    auto statement = connection_.lend(
        "SELECT (SELECT count(*) FROM releases), (SELECT count(*) FROM devices), "
        "(SELECT count(*) FROM devices WHERE online = 1 AND last_seen >= ?1), "
        "(SELECT count(*) FROM deployments WHERE final = 0), (SELECT count(*) FROM outbox)");
    statement.bind(online_since).step();
    counts.releases = statement.integer(0);
    counts.devices = statement.integer(1);
    counts.online = statement.integer(2);
    counts.open_updates = statement.integer(3);
    counts.outbox = statement.integer(4);
  }
  auto statement = connection_.lend("SELECT state, count(*) FROM deployments GROUP BY state");
  while (statement.step()) counts.updates_by_state[statement.text(0)] = statement.integer(1);
  return counts;
}

bool Transaction::add_release(const Release& release) {
  const std::string hardware = joined_lines(release.hardware);
  auto statement = connection_.lend("INSERT OR IGNORE INTO releases (" RELEASE_FIELDS
                                    ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)");
  statement
      .bind(release.id,
            release.product,
            release.version,
            hardware,
            release.channel,
            release.chip,
            release.size,
            release.sha256,
            release.build,
            release.project,
            release.descriptor_version,
            release.idf_version,
            release.notes,
            release.created_at)
      .run();
  return connection_.changes() == 1;
}

void Transaction::put_device(const Device& device) {
  auto statement = connection_.lend(
      "INSERT INTO devices (id, mac, product, hardware, chip, channel, version, build, image, "
      "slot, mode, "
      "agent, reset_reason, confirmed, security_counter, keys, max_image, online, session, epoch, "
      "newest_seq, "
      "state_epoch, state_seq, first_seen, last_seen) "
      "VALUES "
      "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25)"
      " "
      "ON CONFLICT (id) DO UPDATE SET mac=?2, product=?3, hardware=?4, chip=?5, channel=?6, "
      "version=?7, "
      "build=?8, image=?9, slot=?10, mode=?11, agent=?12, reset_reason=?13, confirmed=?14, "
      "security_counter=?15, keys=?16, max_image=?17, online=?18, session=?19, epoch=?20, "
      "newest_seq=?21, "
      "state_epoch=?22, state_seq=?23, last_seen=?25");
  statement
      .bind(device.id,
            device.mac,
            device.product,
            device.hardware,
            device.chip,
            device.channel,
            device.version,
            device.build,
            device.image,
            device.slot,
            device.mode,
            device.agent,
            device.reset_reason,
            device.confirmed,
            device.security_counter,
            device.keys,
            device.max_image,
            device.online,
            device.session,
            device.marks.newest.epoch,
            device.marks.newest.seq,
            device.marks.newest_state.epoch,
            device.marks.newest_state.seq,
            device.first_seen,
            device.last_seen)
      .run();
  changes_.devices.insert(device.id);
}

void Transaction::put_deployment(const Deployment& deployment) {
  auto statement = connection_.lend(
      "INSERT INTO deployments (" DEPLOYMENT_COLUMNS
      ", state, final) VALUES "
      "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,"
      "?22,?23,?24,?25,?26,?27,?28,?29,?30,?31) "
      "ON CONFLICT (id) DO UPDATE SET reported=?13, percent=?14, bytes=?15, total=?16, code=?17, "
      "detail=?18, "
      "hint=?19, epoch=?20, seq=?21, stale=?22, withdrawn=?23, superseded=?24, "
      "closed_by_server=?25, "
      "updated_at=?27, due_at=?28, state=?30, final=?31");
  const ProgressColumns progress{deployment.progress};
  const ErrorColumns error{deployment.error};
  std::optional<std::string_view> reported;
  if (deployment.reported) reported = contract::name_of(*deployment.reported);
  statement
      .bind(deployment.id,
            deployment.device,
            deployment.release,
            deployment.target,
            deployment.from,
            deployment.sha256,
            deployment.size,
            deployment.url,
            deployment.force,
            deployment.spread_s,
            deployment.not_before,
            deployment.deadline,
            reported,
            progress.percent,
            progress.bytes,
            progress.total,
            error.code,
            error.detail,
            error.hint,
            deployment.place.epoch,
            deployment.place.seq,
            deployment.stale,
            deployment.withdrawn,
            deployment.superseded,
            deployment.closed_by_server,
            deployment.created_at,
            deployment.updated_at,
            deployment.due_at,
            deployment.manifest,
            state_name(deployment),
            deployment.final())
      .run();
  changes_.deployments.insert(deployment.id);
  changes_.devices.insert(deployment.device);
}

bool Transaction::add_status(const StatusRecord& record) {
  auto statement = connection_.lend(
      "INSERT OR IGNORE INTO statuses (device, update_id, version, target, state, percent, bytes, "
      "total, code, "
      "detail, hint, epoch, seq, at, received_at) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)");
  const ProgressColumns progress{record.progress};
  const ErrorColumns error{record.error};
  statement
      .bind(record.device,
            record.update,
            record.version,
            record.target,
            contract::name_of(record.state),
            progress.percent,
            progress.bytes,
            progress.total,
            error.code,
            error.detail,
            error.hint,
            record.place.epoch,
            record.place.seq,
            record.at,
            record.received_at)
      .run();
  return connection_.changes() == 1;
}

void Transaction::add_session_restart(std::string_view mac, std::uint32_t session) {
  auto statement =
      connection_.lend("INSERT OR IGNORE INTO session_restarts (mac, session) VALUES (?1, ?2)");
  statement.bind(mac, session).run();
}

void Transaction::put_outbox(std::string_view device,
                             const std::optional<std::string>& update,
                             std::int64_t due_at_ms) {
  auto statement = connection_.lend(
      "INSERT INTO outbox (device, update_id, generation, attempts, due_at_ms) VALUES (?1, ?2, 1, "
      "0, ?3) "
      "ON CONFLICT (device) DO UPDATE SET update_id=?2, generation=generation+1, attempts=0, "
      "due_at_ms=?3");
  statement.bind(device, update, due_at_ms).run();
  changes_.outbox = true;
}

void Transaction::outbox_published(std::string_view device,
                                   std::int64_t generation,
                                   std::int64_t next_due_ms) {
  {
    auto statement = connection_.lend(
        "DELETE FROM outbox WHERE device = ?1 AND generation = ?2 AND update_id IS NULL");
    statement.bind(device, generation).run();
  }
  auto statement = connection_.lend(
      "UPDATE outbox SET attempts = attempts + 1, due_at_ms = ?3 WHERE device = ?1 AND generation "
      "= ?2");
  statement.bind(device, generation, next_due_ms).run();
}

void Transaction::outbox_answered(std::string_view device, std::string_view update) {
  auto statement = connection_.lend("DELETE FROM outbox WHERE device = ?1 AND update_id = ?2");
  statement.bind(device, update).run();
}

void Transaction::renew_outbox(std::int64_t now_ms) {
  auto statement =
      connection_.lend("UPDATE outbox SET due_at_ms = ?1 WHERE due_at_ms > ?1 AND attempts > 0");
  statement.bind(now_ms).run();
  changes_.outbox = true;
}

std::size_t Transaction::forget_statuses(std::int64_t before, std::size_t limit) {
  auto statement = connection_.lend(
      "DELETE FROM statuses WHERE ordinal IN (SELECT s.ordinal FROM statuses s LEFT JOIN "
      "deployments d "
      "ON d.id = s.update_id WHERE s.received_at < ?1 AND ifnull(d.final, 1) = 1 LIMIT ?2)");
  statement.bind(before, count(limit)).run();
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace otaria::server::sqlite
