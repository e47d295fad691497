#include "device/journal/ledger.hpp"

#include <algorithm>
#include <cassert>

#include "device/journal/ledger_records.hpp"
#include "device/journal/record_codec.hpp"

/// The way back: from records to values, and from values to the fewest records.
namespace otaria::device {

using namespace ledger_records;  // NOLINT: this module's own
using contract::UpdateState;

void Ledger::drop_oldest_outcome(bool named) {
  const auto end = outcomes_.begin() + static_cast<std::ptrdiff_t>(outcome_count_);
  const auto oldest = std::find_if(outcomes_.begin(), end, [named](const Outcome& outcome) {
    return outcome.update.empty() != named;
  });
  if (oldest == end) return;
  std::move(oldest + 1, end, oldest);
  --outcome_count_;
}

// At most named_outcomes_kept are named, so that a full list always holds an unnamed one to give
// way.
void Ledger::add_outcome(const Outcome& outcome) {
  const auto listed = std::span{outcomes_}.first(outcome_count_);
  const auto named = static_cast<std::size_t>(
      std::ranges::count_if(listed, [](const Outcome& o) { return !o.update.empty(); }));
  if (!outcome.update.empty() && named == named_outcomes_kept) drop_oldest_outcome(true);
  if (outcome_count_ == outcomes_kept) drop_oldest_outcome(false);
  outcomes_[outcome_count_++] = outcome;
}

void Ledger::count_attempt(const contract::Digest& digest, const Outcome& outcome) {
  std::size_t at = 0;
  while (at < attempts_count_ && !attempts_[at].is_for(digest)) ++at;
  const bool is_listed = at < attempts_count_;
  const std::uint8_t failed = is_listed ? attempts_[at].failed : 0;
  const bool counts = counts_as_attempt(outcome.state, outcome.error.fault);
  if (!counts && outcome.state != UpdateState::succeeded) return;
  if (is_listed) {
    std::move(attempts_.begin() + static_cast<std::ptrdiff_t>(at) + 1,
              attempts_.begin() + static_cast<std::ptrdiff_t>(attempts_count_),
              attempts_.begin() + static_cast<std::ptrdiff_t>(at));
    --attempts_count_;
  }
  if (!counts) return;  // success clears the count
  if (attempts_count_ == attempts_kept) {
    std::move(attempts_.begin() + 1, attempts_.end(), attempts_.begin());
    --attempts_count_;
  }
  Attempts& newest = attempts_[attempts_count_++];
  std::copy_n(digest.bytes.begin(), newest.digest.size(), newest.digest.begin());
  newest.failed = static_cast<std::uint8_t>(std::min(failed + 1, 255));
}

void Ledger::apply_finish(RecordReader& reader) {
  const bool ends_current = reader.u8() != 0;
  contract::Digest digest;
  reader.bytes(digest.bytes);
  Outcome outcome = read_outcome(reader);
  if (!reader.good()) return;
  outcome.serial = ends_current && current_ ? current_->serial : next_serial_++;
  if (ends_current) current_.reset();
  add_outcome(outcome);
  count_attempt(digest, outcome);
}

void Ledger::apply_numbers(std::uint8_t kind, RecordReader& reader) {
  // None is ever reserved up to the last: where flash says so, the next one would be 0 again.
  if (kind == seq_reserved)
    seq_reserved_ = std::max(seq_reserved_, std::min(reader.u32(), last_seq - 1));
  if (kind == session_reserved) session_reserved_ = std::max(session_reserved_, reader.u32());
  if (kind == seq_reset_state) numbers_known_ = true;
  if (kind == seq_reset_state)
    seq_reset_ = static_cast<SeqReset>(std::min<std::uint8_t>(reader.u8(), 2));
}

void Ledger::apply_to_current(std::uint8_t kind, RecordReader& reader) {
  Deployment& current = *current_;
  switch (kind) {
    case manifest_accepted:
      current.manifest = read_manifest_facts(reader);
      break;
    case deployment_url:
      reader.text(current.notice.url);
      break;
    case download_begun:
      reader.bytes(current.head);
      current.total = reader.u32();
      reader.text(current.etag);
      current.unsent = Marks{reader.u16()};
      current.phase = Phase::downloading;
      current.prefix = 0;
      current.bytes_fetched = true;
      break;
    case download_prefix:
      current.prefix = reader.u32();
      reader.bytes(current.prefix_hash);
      break;
    case phase_reached:
      current.phase = static_cast<Phase>(std::min<std::uint8_t>(reader.u8(), 4));
      current.unsent = Marks{reader.u16()};
      current.resumed_at = reader.u32();
      break;
    case unsent_marks:
      current.unsent = Marks{reader.u16()};
      break;
    case reselected:
      current.reselected = true;
      break;
    case trial_started:
      current.trial_starts = reader.u8();
      current.unsent = Marks{reader.u16()};
      break;
    case trial_failed:
      current.trial_failure = read_error(reader);
      break;
    default:
      break;
  }
}

void Ledger::apply_key_lists(RecordReader& reader) {
  KeyListsRecord lists;
  lists.active = read_key_list(reader);
  lists.previous = read_key_list(reader);
  if (!reader.good()) return;
  key_lists_ = lists;
  time_floor_kept_ = std::max(time_floor_kept_, lists.active.issued);
  time_floor_ = std::max(time_floor_, time_floor_kept_);
  if (lists.active.epoch > epoch_) {
    epoch_ = lists.active.epoch;
    security_floor_ = lists.active.floor;
  } else {
    security_floor_ = std::max(security_floor_, lists.active.floor);
  }
}

void Ledger::apply_confirmed(RecordReader& reader) {
  const std::uint8_t index = reader.u8();
  const bool has_counter = reader.u8() != 0;
  const std::uint32_t counter = reader.u32();
  const std::uint32_t judged_in = reader.u32();
  if (!reader.good() || index >= slots) return;
  contents_[index].confirmed = true;
  // A counter that was judged before the roots reset the floor must not bring the old one back.
  if (has_counter && judged_in == epoch_) security_floor_ = std::max(security_floor_, counter);
}

void Ledger::apply(const JournalRecord& record) {
  RecordReader reader{record.payload};
  switch (record.kind) {
    case seq_reserved:
    case session_reserved:
    case seq_reset_state:
      apply_numbers(record.kind, reader);
      break;
    case slot_content: {
      const std::uint8_t index = reader.u8();
      SlotContent content;
      content.known = reader.u8() != 0;
      content.confirmed = reader.u8() != 0;
      reader.bytes(content.digest.bytes);
      reader.text(content.version);
      content.bytes = reader.u32();
      reader.bytes(content.appended_hash);
      if (!reader.at_end()) content.security_counter = reader.u32();
      if (reader.good() && index < slots) contents_[index] = content;
      break;
    }
    case deployment: {
      Deployment fresh;
      read_notice(reader, fresh.notice);
      fresh.phase = static_cast<Phase>(std::min<std::uint8_t>(reader.u8(), 4));
      fresh.unsent = Marks{reader.u16()};
      fresh.manifest = read_manifest_facts(reader);
      fresh.serial = next_serial_++;
      if (reader.good()) current_ = fresh;
      break;
    }
    case outcome_added:
      apply_finish(reader);
      break;
    case outcome_kept: {
      Outcome outcome = read_outcome(reader);
      outcome.serial = next_serial_++;
      if (reader.good()) add_outcome(outcome);
      break;
    }
    case outcome_marks: {
      const std::uint8_t index = reader.u8();
      if (index >= outcome_count_) break;
      outcomes_[index].unsent = Marks{reader.u16()};
      outcomes_[index].acknowledged = reader.u8() != 0;
      outcomes_[index].seq = reader.u32();
      break;
    }
    case attempts_state:
      if (attempts_count_ < attempts_kept) {
        Attempts& attempts = attempts_[attempts_count_++];
        contract::Digest digest;
        reader.bytes(digest.bytes);
        std::copy_n(digest.bytes.begin(), attempts.digest.size(), attempts.digest.begin());
        attempts.failed = reader.u8();
      }
      break;
    case keys_in_force:
      apply_key_lists(reader);
      break;
    case image_confirmed:
      apply_confirmed(reader);
      break;
    case time_passed:
      time_floor_kept_ = std::max(time_floor_kept_, reader.u32());
      time_floor_ = std::max(time_floor_, time_floor_kept_);
      break;
    case id_assigned:
      reader.text(assigned_id_);
      break;
    case trust_floor:
      security_floor_ = reader.u32();
      epoch_ = reader.u32();
      break;
    default:
      if (current_) apply_to_current(record.kind, reader);
      break;
  }
}

// Each part is what apply() needs to arrive at the same value. One writer serves all records: it is
// the largest thing on the stack, and a compaction may begin within any append.
Status Ledger::snapshot(Journal& journal) {
  RecordWriter record;
  if (auto done = snapshot_numbers(journal, record); !done) return done;
  for (std::uint8_t i = 0; i < slots; ++i) {
    record.clear();
    write_slot(record, i, contents_[i]);
    if (auto done = journal.append_to_snapshot(slot_content, record.payload()); !done) return done;
  }
  for (std::size_t i = 0; i < outcome_count_; ++i) {
    record.clear();
    write_outcome(record, outcomes_[i]);
    if (auto done = journal.append_to_snapshot(outcome_kept, record.payload()); !done) return done;
  }
  for (std::size_t i = 0; i < attempts_count_; ++i) {
    record.clear();
    contract::Digest digest;
    std::ranges::copy(attempts_[i].digest, digest.bytes.begin());
    record.bytes(digest.bytes);
    record.u8(attempts_[i].failed);
    if (auto done = journal.append_to_snapshot(attempts_state, record.payload()); !done)
      return done;
  }
  if (auto done = snapshot_trust(journal, record); !done) return done;
  if (!assigned_id_.empty()) {
    record.clear();
    record.text(assigned_id_.view());
    if (auto done = journal.append_to_snapshot(id_assigned, record.payload()); !done) return done;
  }
  return current_ ? snapshot_current(journal, record) : Status{};
}

// The floors behind the lists: they are what counts, whatever the lists alone would make of them.
Status Ledger::snapshot_trust(Journal& journal, RecordWriter& record) const {
  if (key_lists_.active || key_lists_.previous) {
    record.clear();
    write_key_list(record, key_lists_.active);
    write_key_list(record, key_lists_.previous);
    if (auto done = journal.append_to_snapshot(keys_in_force, record.payload()); !done) return done;
  }
  record.clear();
  record.u32(security_floor_);
  record.u32(epoch_);
  if (auto done = journal.append_to_snapshot(trust_floor, record.payload()); !done) return done;
  record.clear();
  record.u32(time_floor_kept_);
  return journal.append_to_snapshot(time_passed, record.payload());
}

Status Ledger::snapshot_numbers(Journal& journal, RecordWriter& record) const {
  record.clear();
  record.u32(seq_reserved_);
  if (auto done = journal.append_to_snapshot(seq_reserved, record.payload()); !done) return done;
  record.clear();
  record.u32(session_reserved_);
  if (auto done = journal.append_to_snapshot(session_reserved, record.payload()); !done)
    return done;
  record.clear();
  record.u8(static_cast<std::uint8_t>(seq_reset_));
  return journal.append_to_snapshot(seq_reset_state, record.payload());
}

Status Ledger::snapshot_current(Journal& journal, RecordWriter& record) const {
  const Deployment& current = *current_;
  record.clear();
  write_deployment(record, current);
  if (auto done = journal.append_to_snapshot(deployment, record.payload()); !done) return done;
  if (current.bytes_fetched) {
    if (auto done = snapshot_download(journal, record); !done) return done;
  }
  record.clear();
  write_phase(record, current.phase, current);
  if (auto done = journal.append_to_snapshot(phase_reached, record.payload()); !done) return done;
  if (current.reselected) {
    if (auto done = journal.append_to_snapshot(reselected, {}); !done) return done;
  }
  if (current.trial_starts != 0) {
    record.clear();
    record.u8(current.trial_starts);
    record.u16(current.unsent.bits());
    if (auto done = journal.append_to_snapshot(trial_started, record.payload()); !done) return done;
  }
  if (current.trial_failure.fault == Fault::none) return {};
  record.clear();
  write_error(record, current.trial_failure);
  return journal.append_to_snapshot(trial_failed, record.payload());
}

Status Ledger::snapshot_download(Journal& journal, RecordWriter& record) const {
  const Deployment& current = *current_;
  record.clear();
  record.bytes(current.head);
  record.u32(current.total);
  record.text(current.etag.view());
  record.u16(current.unsent.bits());
  if (auto done = journal.append_to_snapshot(download_begun, record.payload()); !done) return done;
  record.clear();
  record.u32(current.prefix);
  record.bytes(current.prefix_hash);
  return journal.append_to_snapshot(download_prefix, record.payload());
}

}  // namespace otaria::device
