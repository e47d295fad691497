#include "server/store/sqlite_rows.hpp"

namespace otaria::server::sqlite {
namespace {

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

std::uint32_t unsigned_at(const Statement& row, int column) {
  return static_cast<std::uint32_t>(row.integer(column));
}

std::optional<std::uint32_t> maybe_unsigned_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return unsigned_at(row, column);
}

std::optional<contract::Progress> progress_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return contract::Progress{
      unsigned_at(row, column), unsigned_at(row, column + 1), unsigned_at(row, column + 2)};
}

std::optional<UpdateError> error_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return UpdateError{row.text(column), row.text(column + 1), row.text(column + 2)};
}

contract::UpdateState state_at(const Statement& row, int column) {
  const auto state = contract::update_state_from(row.text(column));
  if (!state) throw DatabaseError{"the database holds an unknown state: " + row.text(column)};
  return *state;
}

}  // namespace

ReleaseManifest manifest_at(const Statement& row, int column) {
  ReleaseManifest manifest;
  manifest.id = row.text(column);
  manifest.channel = row.text(column + 1);
  manifest.min_version = row.text(column + 2);
  manifest.security_counter = unsigned_at(row, column + 3);
  manifest.keys = unsigned_at(row, column + 4);
  manifest.issued = unsigned_at(row, column + 5);
  manifest.expires = unsigned_at(row, column + 6);
  manifest.signed_by = split_lines(row.text(column + 7));
  return manifest;
}

std::string joined_lines(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : "\n") + word;
  return text;
}

Release release_from(const Statement& row) {
  Release release;
  release.id = row.text(0);
  release.product = row.text(1);
  release.version = row.text(2);
  release.hardware = split_lines(row.text(3));
  release.channel = row.text(4);
  release.chip = row.text(5);
  release.size = unsigned_at(row, 6);
  release.sha256 = row.text(7);
  release.build = row.text(8);
  release.project = row.text(9);
  release.descriptor_version = row.text(10);
  release.idf_version = row.text(11);
  release.notes = row.text(12);
  release.created_at = row.integer(13);
  if (!row.is_null(14)) release.manifest = manifest_at(row, 14);
  return release;
}

Device device_from(const Statement& row) {
  Device device;
  device.ordinal = row.integer(0);
  device.id = row.text(1);
  std::optional<std::string>* const texts[] = {&device.mac,
                                               &device.product,
                                               &device.hardware,
                                               &device.chip,
                                               &device.channel,
                                               &device.version,
                                               &device.build,
                                               &device.image,
                                               &device.slot,
                                               &device.mode,
                                               &device.agent,
                                               &device.reset_reason};
  int column = 2;
  for (std::optional<std::string>* text : texts) *text = row.maybe_text(column++);
  if (!row.is_null(14)) device.confirmed = row.integer(14) != 0;
  device.security_counter = row.maybe_integer(15);
  device.keys = row.maybe_integer(16);
  device.max_image = row.maybe_integer(17);
  device.online = row.integer(18) != 0;
  device.session = maybe_unsigned_at(row, 19);
  device.marks.newest = {unsigned_at(row, 20), unsigned_at(row, 21)};
  device.marks.newest_state = {unsigned_at(row, 22), unsigned_at(row, 23)};
  device.first_seen = row.integer(24);
  device.last_seen = row.integer(25);
  device.update = row.maybe_text(26);
  return device;
}

Deployment deployment_from(const Statement& row) {
  Deployment deployment;
  deployment.id = row.text(0);
  deployment.device = row.text(1);
  deployment.release = row.maybe_text(2);
  deployment.target = row.text(3);
  deployment.from = row.maybe_text(4);
  deployment.sha256 = row.text(5);
  deployment.size = maybe_unsigned_at(row, 6);
  deployment.url = row.text(7);
  deployment.force = row.integer(8) != 0;
  deployment.spread_s = unsigned_at(row, 9);
  deployment.not_before = maybe_unsigned_at(row, 10);
  deployment.deadline = maybe_unsigned_at(row, 11);
  if (!row.is_null(12)) deployment.reported = state_at(row, 12);
  deployment.progress = progress_at(row, 13);
  deployment.error = error_at(row, 16);
  deployment.place = {unsigned_at(row, 19), unsigned_at(row, 20)};
  deployment.stale = row.integer(21) != 0;
  deployment.withdrawn = row.integer(22) != 0;
  deployment.superseded = row.integer(23) != 0;
  deployment.closed_by_server = row.integer(24) != 0;
  deployment.created_at = row.integer(25);
  deployment.updated_at = row.integer(26);
  deployment.due_at = row.integer(27);
  deployment.manifest = row.maybe_text(28);
  return deployment;
}

StatusRecord status_from(const Statement& row) {
  StatusRecord record;
  record.ordinal = row.integer(0);
  record.device = row.text(1);
  record.update = row.text(2);
  record.version = row.text(3);
  record.target = row.text(4);
  record.state = state_at(row, 5);
  record.progress = progress_at(row, 6);
  record.error = error_at(row, 9);
  record.place = {unsigned_at(row, 12), unsigned_at(row, 13)};
  record.at = row.maybe_integer(14);
  record.received_at = row.integer(15);
  return record;
}

OutboxRow outbox_from(const Statement& row) {
  return {.device = row.text(0),
          .update = row.maybe_text(1),
          .generation = row.integer(2),
          .attempts = unsigned_at(row, 3),
          .due_at_ms = row.integer(4)};
}

}  // namespace otaria::server::sqlite
