#include "device/journal/ledger.hpp"

#include <algorithm>
#include <cassert>

#include "device/journal/record_codec.hpp"

namespace otaria::device {
namespace {

using contract::UpdateState;

// The kinds of records. Numbers are on flash for ever: add, never reuse.
enum Kind : std::uint8_t {
  seq_reserved = 1,      // u32 up to and including
  session_reserved = 2,  // u32 up to and including
  seq_reset_state = 3,   // u8
  slot_content = 4,      // u8 index, content
  deployment = 5,        // notice, phase and the rest: the update in hand
  deployment_url = 6,    // text
  download_begun = 7,    // 32 bytes head, u32 total, text etag, u16 unsent
  download_prefix = 8,   // u32 bytes, 8 bytes hash
  phase_reached = 9,     // u8 phase, u16 unsent, u32 where the download under way began
  unsent_marks = 10,     // u16
  reselected = 11,       // nothing
  trial_started = 12,    // u8 how often, u16 unsent
  trial_failed = 13,     // u8 fault, i64 found, i64 expected
  outcome_added = 14,    // u8 ends the update in hand, digest, outcome: one record, the attempt is
                         // counted from it
  outcome_marks = 15,    // u8 index, u16 unsent, u8 acknowledged, u32 seq
  attempts_state = 16,   // digest, u8: only in snapshots
  outcome_kept = 17,     // outcome: only in snapshots, its attempt is in attempts_state already
};

constexpr std::uint32_t first_session_limit = 1U << 31;
constexpr std::uint32_t last_seq = 0xFFFFFFFF;

void write_notice(RecordWriter& to, const contract::Notice& notice) {
  to.text(notice.version.view());
  to.text(notice.url.view());
  to.bytes(notice.digest.bytes);
  to.optional_u32(notice.size);
  to.u8(notice.force ? 1 : 0);
  to.text(notice.update.view());
  to.text(notice.manifest.view());
  to.u32(notice.spread_s);
  to.optional_u32(notice.not_before);
  to.optional_u32(notice.deadline);
}

void read_notice(RecordReader& from, contract::Notice& notice) {
  from.text(notice.version);
  from.text(notice.url);
  from.bytes(notice.digest.bytes);
  notice.size = from.optional_u32();
  notice.force = from.u8() != 0;
  from.text(notice.update);
  from.text(notice.manifest);
  notice.spread_s = from.u32();
  notice.not_before = from.optional_u32();
  notice.deadline = from.optional_u32();
}

void write_error(RecordWriter& to, const Error& error) {
  to.u8(static_cast<std::uint8_t>(error.fault));
  to.i64(error.found);
  to.i64(error.expected);
}

Error read_error(RecordReader& from) {
  Error error;
  const std::uint8_t fault = from.u8();
  error.fault = fault < contract::fault_names.size() ? static_cast<Fault>(fault) : Fault::none;
  error.found = from.i64();
  error.expected = from.i64();
  return error;
}

void write_outcome(RecordWriter& to, const Outcome& outcome) {
  to.text(outcome.update.view());
  to.text(outcome.target.view());
  to.u8(static_cast<std::uint8_t>(outcome.state));
  write_error(to, outcome.error);
  to.u16(outcome.unsent.bits());
  to.u32(outcome.bytes);
  to.u32(outcome.total);
  to.u32(outcome.resumed_at);
  to.u8(outcome.acknowledged ? 1 : 0);
  to.u32(outcome.seq);
}

Outcome read_outcome(RecordReader& from) {
  Outcome outcome;
  from.text(outcome.update);
  from.text(outcome.target);
  outcome.state = static_cast<UpdateState>(std::min<std::uint8_t>(from.u8(), 10));
  outcome.error = read_error(from);
  outcome.unsent = Marks{from.u16()};
  outcome.bytes = from.u32();
  outcome.total = from.u32();
  outcome.resumed_at = from.u32();
  outcome.acknowledged = from.u8() != 0;
  outcome.seq = from.u32();
  return outcome;
}

void write_slot(RecordWriter& to, std::uint8_t index, const SlotContent& content) {
  to.u8(index);
  to.u8(content.known ? 1 : 0);
  to.u8(content.confirmed ? 1 : 0);
  to.bytes(content.digest.bytes);
  to.text(content.version.view());
  to.u32(content.bytes);
  to.bytes(content.appended_hash);
}

void write_deployment(RecordWriter& to, const Deployment& current) {
  write_notice(to, current.notice);
  to.u8(static_cast<std::uint8_t>(current.phase));
  to.u16(current.unsent.bits());
}

void write_phase(RecordWriter& to, Phase phase, const Deployment& current) {
  to.u8(static_cast<std::uint8_t>(phase));
  to.u16(current.unsent.bits());
  to.u32(current.resumed_at);
}

bool counts_as_attempt(UpdateState state, Fault fault) {
  return (state == UpdateState::failed || state == UpdateState::rolled_back) &&
         fault != Fault::superseded && fault != Fault::withdrawn;
}

}  // namespace

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

Status Ledger::accept(const contract::Notice& notice) {
  Deployment fresh;
  fresh.notice = notice;
  fresh.unsent.set(Mark::received);
  RecordWriter record;
  write_deployment(record, fresh);
  return append(deployment, record);
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
    if (attempts_[i].digest == digest) return attempts_[i].failed;
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
  while (at < attempts_count_ && attempts_[at].digest != digest) ++at;
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
  attempts_[attempts_count_++] = {digest, static_cast<std::uint8_t>(std::min(failed + 1, 255))};
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
  if (kind == seq_reserved) seq_reserved_ = std::max(seq_reserved_, reader.u32());
  if (kind == session_reserved) session_reserved_ = std::max(session_reserved_, reader.u32());
  if (kind == seq_reset_state) numbers_known_ = true;
  if (kind == seq_reset_state)
    seq_reset_ = static_cast<SeqReset>(std::min<std::uint8_t>(reader.u8(), 2));
}

void Ledger::apply_to_current(std::uint8_t kind, RecordReader& reader) {
  Deployment& current = *current_;
  switch (kind) {
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
      if (reader.good() && index < slots) contents_[index] = content;
      break;
    }
    case deployment: {
      Deployment fresh;
      read_notice(reader, fresh.notice);
      fresh.phase = static_cast<Phase>(std::min<std::uint8_t>(reader.u8(), 4));
      fresh.unsent = Marks{reader.u16()};
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
        reader.bytes(attempts.digest.bytes);
        attempts.failed = reader.u8();
      }
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
    record.bytes(attempts_[i].digest.bytes);
    record.u8(attempts_[i].failed);
    if (auto done = journal.append_to_snapshot(attempts_state, record.payload()); !done)
      return done;
  }
  return current_ ? snapshot_current(journal, record) : Status{};
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
