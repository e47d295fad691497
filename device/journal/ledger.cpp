#include "device/journal/ledger.hpp"

#include <algorithm>
#include <cassert>

#include "device/journal/ledger_records.hpp"
#include "device/journal/record_codec.hpp"

namespace otaria::device {

using namespace ledger_records;  // NOLINT: this module's own
using contract::UpdateState;

Status Ledger::open(std::uint32_t random) {
  if (auto done = journal_->open(*this); !done) return done;
  seq_next_ = seq_reserved_ + 1;  // what was reserved before this start may have been used
  session_next_ = session_reserved_ + 1;
  if (numbers_known_) return {};

  // The journal was lost; perhaps at an earlier start, whose power failed before all of this was
  // written. Nobody knows which numbers are used: announce it, and begin sessions where a clash is
  // unlikely.
  RecordWriter record;
  record.u32(random % first_session_limit);
  if (auto done = append(session_reserved, record); !done) return done;
  session_next_ = session_reserved_ + 1;
  record.clear();
  record.u8(static_cast<std::uint8_t>(SeqReset::announced));
  return append(seq_reset_state, record);
}

Status Ledger::append(std::uint8_t kind, const RecordWriter& writer) {
  assert(!writer.overflow());
  if (auto done = journal_->append(kind, writer.payload()); !done) return done;
  apply({kind, writer.payload()});
  return {};
}

Result<std::uint32_t> Ledger::take_seq() {
  if (seq_next_ > seq_reserved_) {
    if (seq_next_ > last_seq - seq_block) return flash_failed(code_seq_exhausted, seq_next_);
    RecordWriter record;
    record.u32(seq_next_ + seq_block - 1);
    if (auto done = append(seq_reserved, record); !done) return done.error();
  }
  return seq_next_++;
}

Result<std::uint32_t> Ledger::take_session() {
  if (session_next_ > session_reserved_) {
    RecordWriter record;
    record.u32(session_next_ + session_block - 1);
    if (auto done = append(session_reserved, record); !done) return done.error();
  }
  return session_next_++;
}

Status Ledger::seq_reset_acknowledged() {
  if (seq_reset_ != SeqReset::announced) return {};
  RecordWriter record;
  record.u8(static_cast<std::uint8_t>(SeqReset::acknowledged));
  return append(seq_reset_state, record);
}

Status Ledger::session_ended() {
  if (seq_reset_ != SeqReset::acknowledged) return {};
  RecordWriter record;
  record.u8(static_cast<std::uint8_t>(SeqReset::no));
  return append(seq_reset_state, record);
}

Status Ledger::raise_seq(std::uint32_t known_to_server) {
  if (known_to_server < seq_next_) return {};
  if (known_to_server > largest_known_seq) return flash_failed(code_seq_exhausted, known_to_server);
  RecordWriter record;
  record.u32(known_to_server);
  if (auto done = append(seq_reserved, record); !done) return done;
  seq_next_ = known_to_server + 1;
  return {};
}

Status Ledger::accept(const contract::Notice& notice,
                      const std::optional<ManifestFacts>& manifest) {
  Deployment fresh;
  fresh.notice = notice;
  fresh.manifest = manifest;
  fresh.unsent.set(Mark::received);
  RecordWriter record;
  write_deployment(record, fresh);
  return append(deployment, record);
}

Status Ledger::accept_manifest(const ManifestFacts& manifest) {
  RecordWriter record;
  write_manifest_facts(record, manifest);
  return append(manifest_accepted, record);
}

Status Ledger::replace_url(const contract::Url& url) {
  RecordWriter record;
  record.text(url.view());
  return append(deployment_url, record);
}

Status Ledger::begin_download(const std::array<std::uint8_t, 32>& head,
                              std::uint32_t total,
                              std::string_view etag) {
  RecordWriter record;
  record.bytes(head);
  record.u32(total);
  record.text(etag.size() <= decltype(Deployment::etag)::capacity() ? etag : std::string_view{});
  record.u16(current_->unsent.bits());
  return append(download_begun, record);
}

Status Ledger::set_prefix(std::uint32_t prefix, std::span<const std::uint8_t, 8> hash) {
  RecordWriter record;
  record.u32(prefix);
  record.bytes(hash);
  return append(download_prefix, record);
}

Status Ledger::set_phase(Phase phase) {
  RecordWriter record;
  write_phase(record, phase, *current_);
  return append(phase_reached, record);
}

Status Ledger::set_reselected() {
  return append(reselected, RecordWriter{});
}

Status Ledger::start_trial() {
  Marks unsent = current_->unsent;
  unsent.set(Mark::trial);
  RecordWriter record;
  record.u8(static_cast<std::uint8_t>(std::min(current_->trial_starts + 1, 255)));
  record.u16(unsent.bits());
  return append(trial_started, record);
}

Status Ledger::set_trial_failure(Error error) {
  RecordWriter record;
  write_error(record, error);
  return append(trial_failed, record);
}

Status Ledger::mark(Mark mark, bool durable) {
  Marks unsent = current_->unsent;
  unsent.set(mark);
  if (mark == Mark::waiting) {
    // The one step back: what comes after it will be passed, and told, again.
    for (Mark later : {Mark::download_begun, Mark::download_done, Mark::verifying})
      unsent.clear(later);
  }
  if (!durable) {
    current_->unsent = unsent;
    return {};
  }
  RecordWriter record;
  record.u16(unsent.bits());
  return append(unsent_marks, record);
}

Status Ledger::finish(UpdateState state, Error error, std::uint32_t bytes) {
  const Deployment& current = *current_;
  Outcome outcome;
  outcome.update = current.notice.update;
  outcome.target = current.notice.version;
  outcome.state = state;
  outcome.error = error;
  outcome.unsent = current.unsent;
  outcome.bytes = bytes;
  outcome.total = current.total;
  outcome.resumed_at = current.resumed_at;
  return finish(outcome, current.notice.digest, true);
}

Status Ledger::finish_unaccepted(const Outcome& outcome, const contract::Digest& digest) {
  return finish(outcome, digest, false);
}

Status Ledger::finish(const Outcome& outcome, const contract::Digest& digest, bool ends_current) {
  RecordWriter record;
  record.u8(ends_current ? 1 : 0);
  record.bytes(digest.bytes);
  write_outcome(record, outcome);
  return append(outcome_added, record);
}

const Outcome* Ledger::find_outcome(std::string_view update) const {
  for (std::size_t i = outcome_count_; i-- > 0;) {
    if (outcomes_[i].update.view() == update) return &outcomes_[i];
  }
  return nullptr;
}

std::optional<std::size_t> Ledger::index_of(std::uint32_t serial) const {
  for (std::size_t i = 0; i < outcome_count_; ++i) {
    if (outcomes_[i].serial == serial) return i;
  }
  return std::nullopt;
}

Status Ledger::acknowledge(std::uint32_t serial, Mark mark) {
  if (current_ && current_->serial == serial) {
    Marks unsent = current_->unsent;
    unsent.clear(mark);
    RecordWriter record;
    record.u16(unsent.bits());
    return append(unsent_marks, record);
  }
  const auto index = index_of(serial);
  if (!index) return {};
  Marks unsent = outcomes_[*index].unsent;
  unsent.clear(mark);
  return write_outcome_marks(*index, unsent, outcomes_[*index].acknowledged);
}

Status Ledger::acknowledge_outcome(std::uint32_t serial) {
  const auto index = index_of(serial);
  return index ? write_outcome_marks(*index, Marks{}, true) : Status{};
}

Status Ledger::write_outcome_marks(std::size_t index, Marks unsent, bool acknowledged) {
  RecordWriter record;
  record.u8(static_cast<std::uint8_t>(index));
  record.u16(unsent.bits());
  record.u8(acknowledged ? 1 : 0);
  record.u32(outcomes_[index].seq);
  return append(outcome_marks, record);
}

void Ledger::outcome_sent(std::uint32_t serial, std::uint32_t seq) {
  if (const auto index = index_of(serial)) outcomes_[*index].seq = seq;
}

void Ledger::repeat_outcome(std::string_view update) {
  for (std::size_t i = 0; i < outcome_count_; ++i) {
    if (outcomes_[i].update.view() == update) outcomes_[i].acknowledged = false;
  }
}

std::uint32_t Ledger::failed_attempts(const contract::Digest& digest) const {
  for (std::size_t i = 0; i < attempts_count_; ++i) {
    if (attempts_[i].is_for(digest)) return attempts_[i].failed;
  }
  return 0;
}

Status Ledger::set_slot(std::uint32_t index, const SlotContent& content) {
  RecordWriter record;
  write_slot(record, static_cast<std::uint8_t>(index), content);
  return append(slot_content, record);
}

Status Ledger::forget_slot(std::uint32_t index) {
  if (!contents_[index].known) return {};
  return set_slot(index, SlotContent{});
}

Status Ledger::confirm_slot(std::uint32_t index, const std::optional<ManifestFacts>& manifest) {
  RecordWriter record;
  record.u8(static_cast<std::uint8_t>(index));
  record.u8(manifest ? 1 : 0);
  record.u32(manifest ? manifest->security_counter : 0);
  record.u32(manifest ? manifest->epoch : 0);
  return append(image_confirmed, record);
}

Status Ledger::set_key_lists(const KeyListsRecord& lists) {
  RecordWriter record;
  write_key_list(record, lists.active);
  write_key_list(record, lists.previous);
  return append(keys_in_force, record);
}

Status Ledger::assign_id(const DeviceId& id) {
  if (id == assigned_id_) return {};
  RecordWriter record;
  record.text(id.view());
  return append(id_assigned, record);
}

Status Ledger::note_time(std::uint32_t unix_s) {
  time_floor_ = std::max(time_floor_, unix_s);
  if (time_floor_ - time_floor_kept_ < time_floor_step_s) return {};
  RecordWriter record;
  record.u32(time_floor_);
  return append(time_passed, record);
}

}  // namespace otaria::device
