#pragma once

#include <algorithm>
#include <cstdint>

#include "device/journal/ledger.hpp"
#include "device/journal/record_codec.hpp"

/// The ledger's records as bytes: their kinds, and how each part is written and read.
/// Source  docs/spec/journal.md.
namespace otaria::device::ledger_records {

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
  attempts_state = 16,   // digest (its first 8 bytes count), u8: only in snapshots
  outcome_kept = 17,     // outcome: only in snapshots, its attempt is in attempts_state already
  keys_in_force = 18,    // active list, previous list
  image_confirmed = 19,  // u8 slot, u8 has a manifest, u32 security counter, u32 epoch
  time_passed = 20,      // u32 Unix seconds
  trust_floor = 21,      // u32 security floor, u32 epoch: only in snapshots
  manifest_accepted = 22,  // its facts, for the update in hand
  id_assigned = 23,        // text: what a server calls this device
};

inline constexpr std::uint32_t first_session_limit = 1U << 31;
inline constexpr std::uint32_t last_seq = 0xFFFFFFFF;

inline void write_notice(RecordWriter& to, const contract::Notice& notice) {
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

inline void read_notice(RecordReader& from, contract::Notice& notice) {
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

inline void write_error(RecordWriter& to, const Error& error) {
  to.u8(static_cast<std::uint8_t>(error.fault));
  to.i64(error.found);
  to.i64(error.expected);
}

inline Error read_error(RecordReader& from) {
  Error error;
  const std::uint8_t fault = from.u8();
  error.fault = fault < contract::fault_names.size() ? static_cast<Fault>(fault) : Fault::none;
  error.found = from.i64();
  error.expected = from.i64();
  return error;
}

inline void write_outcome(RecordWriter& to, const Outcome& outcome) {
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

inline Outcome read_outcome(RecordReader& from) {
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

inline void write_slot(RecordWriter& to, std::uint8_t index, const SlotContent& content) {
  to.u8(index);
  to.u8(content.known ? 1 : 0);
  to.u8(content.confirmed ? 1 : 0);
  to.bytes(content.digest.bytes);
  to.text(content.version.view());
  to.u32(content.bytes);
  to.bytes(content.appended_hash);
  to.u32(content.security_counter);
}

inline void write_manifest_facts(RecordWriter& to, const std::optional<ManifestFacts>& facts) {
  const ManifestFacts& known = facts.value_or(ManifestFacts{});
  to.u8(facts ? 1 : 0);
  to.u32(known.security_counter);
  to.u32(known.issued);
  to.u32(known.epoch);
  to.bytes(known.build);
  to.u32(known.size);
}

/// Nothing where a record ends before them: of an agent that knew no manifests.
inline std::optional<ManifestFacts> read_manifest_facts(RecordReader& from) {
  if (from.at_end()) return std::nullopt;
  const bool known = from.u8() != 0;
  ManifestFacts facts;
  facts.security_counter = from.u32();
  facts.issued = from.u32();
  facts.epoch = from.u32();
  from.bytes(facts.build);
  facts.size = from.u32();
  return known ? std::optional{facts} : std::nullopt;
}

inline void write_deployment(RecordWriter& to, const Deployment& current) {
  write_notice(to, current.notice);
  to.u8(static_cast<std::uint8_t>(current.phase));
  to.u16(current.unsent.bits());
  write_manifest_facts(to, current.manifest);
}

inline void write_key_list(RecordWriter& to, const KeyListRecord& list) {
  to.u8(list.area);
  to.u32(list.serial);
  to.u32(list.bytes);
  to.u32(list.crc);
  to.u32(list.epoch);
  to.u32(list.issued);
  to.u32(list.floor);
}

inline KeyListRecord read_key_list(RecordReader& from) {
  KeyListRecord list;
  list.area = from.u8();
  list.serial = from.u32();
  list.bytes = from.u32();
  list.crc = from.u32();
  list.epoch = from.u32();
  list.issued = from.u32();
  list.floor = from.u32();
  return list;
}

inline void write_phase(RecordWriter& to, Phase phase, const Deployment& current) {
  to.u8(static_cast<std::uint8_t>(phase));
  to.u16(current.unsent.bits());
  to.u32(current.resumed_at);
}

inline bool counts_as_attempt(UpdateState state, Fault fault) {
  return (state == UpdateState::failed || state == UpdateState::rolled_back) &&
         fault != Fault::superseded && fault != Fault::withdrawn;
}

}  // namespace otaria::device::ledger_records
