#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "contract/messages.hpp"
#include "device/journal/journal.hpp"

namespace otaria::device {

/// How far the update in hand has come, as flash knows it. Rises, but for a download begun anew.
enum class Phase : std::uint8_t {
  accepted,      ///< judged; nothing of the passive slot touched
  downloading,   ///< the passive slot is being written, all but its first 32 bytes
  writing_head,  ///< image whole and proven; the first 32 bytes are next: the first sector counts
                 ///< as undefined
  verified,      ///< the whole slot was read and hashed once more; may be selected
  installed,     ///< selected for the next boot
};

/// The statuses of an update that were passed and not yet acknowledged by the broker: a bit each.
enum class Mark : std::uint16_t {
  received = 1 << 0,
  waiting = 1 << 1,
  download_begun = 1 << 2,
  download_done = 1 << 3,
  verifying = 1 << 4,
  installed = 1 << 5,
  rebooting = 1 << 6,
  trial = 1 << 7,
};

class Marks {
 public:
  constexpr Marks() = default;
  constexpr explicit Marks(std::uint16_t bits) : bits_{bits} {}
  constexpr void set(Mark mark) {
    bits_ = static_cast<std::uint16_t>(bits_ | static_cast<std::uint16_t>(mark));
  }
  constexpr void clear(Mark mark) {
    bits_ = static_cast<std::uint16_t>(bits_ & ~static_cast<std::uint16_t>(mark));
  }
  [[nodiscard]] constexpr bool has(Mark mark) const {
    return (bits_ & static_cast<std::uint16_t>(mark)) != 0;
  }
  [[nodiscard]] constexpr bool any() const { return bits_ != 0; }
  [[nodiscard]] constexpr std::uint16_t bits() const { return bits_; }

 private:
  std::uint16_t bits_ = 0;
};

/// What of an accepted manifest counts later.
struct ManifestFacts {
  std::uint32_t security_counter = 0;
  std::uint32_t issued = 0;             ///< Unix seconds
  std::uint32_t epoch = 0;              ///< Ledger::epoch() under which it was judged
  std::array<std::uint8_t, 8> build{};  ///< first bytes of the image's app_elf_sha256
  std::uint32_t size = 0;               ///< bytes of the image file
};

using DeviceId = contract::Text<contract::max_device_id_bytes>;

/// The update in hand.
struct Deployment {
  contract::Notice notice;
  std::optional<ManifestFacts> manifest;  ///< nothing: a three-field notice, or not judged yet
  std::uint32_t serial = 0;               ///< names it, and later its outcome, until the next start
  Phase phase = Phase::accepted;
  Marks unsent;
  std::uint32_t total = 0;   ///< bytes of the file being fetched; 0 = not known yet
  std::uint32_t prefix = 0;  ///< bytes in the slot that were journaled, 16 KiB steps
  std::uint32_t resumed_at =
      0;  ///< where the download under way began: what `downloading` shows at entry
  std::array<std::uint8_t, 8> prefix_hash{};  ///< first bytes of the SHA-256 of that prefix
  std::array<std::uint8_t, 32> head{};        ///< the held-back first bytes of the image
  contract::Text<72> etag;                    ///< strong, quotes included; empty: none or too long
  bool bytes_fetched = false;
  bool waiting_reported = false;  ///< on this boot
  bool reselected = false;        ///< a lost selection (W1) was repeated once
  std::uint8_t trial_starts = 0;  ///< how often the new image's agent started unconfirmed
  Error trial_failure;            ///< why the new image gave up, written before its restart
  /// Named by `update`, or lacking that by the digest.
  [[nodiscard]] bool has_same_identity(const contract::Notice& other) const {
    if (!notice.update.empty() || !other.update.empty()) return notice.update == other.update;
    return notice.digest == other.digest;
  }
};

/// How an earlier update ended. The sentence for people is told again from the figures.
struct Outcome {
  Error error;
  std::uint32_t serial = 0;  ///< that of its deployment; until the next start
  std::uint32_t seq = 0;     ///< of the final status when it was last sent; 0 = never
  std::uint32_t bytes = 0;   ///< of a failed download
  std::uint32_t total = 0;
  std::uint32_t resumed_at = 0;
  contract::UpdateId update;  ///< empty: a three-field notice or an unreadable one
  contract::Version target;   ///< empty: unreadable notice
  Marks unsent;               ///< statuses before the final one
  contract::UpdateState state = contract::UpdateState::refused;
  bool acknowledged = false;  ///< the final status itself got its PUBACK
};

/// What lies in a slot.
struct SlotContent {
  contract::Digest digest;             ///< of the whole file as published
  contract::Version version;           ///< what the release called it
  std::uint32_t bytes = 0;             ///< length of that file
  std::uint32_t security_counter = 0;  ///< of its manifest; 0 without one
  std::array<std::uint8_t, 32>
      appended_hash{};  ///< the image's own appended SHA-256: recognises it cheaply
  bool known = false;
  bool confirmed = false;
};

/// A key list in an area of the key partition, and what of it counts when it cannot be read.
struct KeyListRecord {
  std::uint8_t area = 0;
  std::uint32_t serial = 0;  ///< 0: there is none
  std::uint32_t bytes = 0;   ///< length of the file
  std::uint32_t crc = 0;     ///< CRC-32 of the file
  std::uint32_t epoch = 0;
  std::uint32_t issued = 0;  ///< Unix seconds
  std::uint32_t floor = 0;   ///< lowest security counter for this device's product
  explicit operator bool() const { return serial != 0; }
  friend bool operator==(const KeyListRecord&, const KeyListRecord&) = default;
};

/// The lists that must not be overwritten.
struct KeyListsRecord {
  KeyListRecord active;
  KeyListRecord previous;  ///< kept until something was verified with the active one
  friend bool operator==(const KeyListsRecord&, const KeyListsRecord&) = default;
};

/// Everything the agent remembers across resets, as a view of its journal. Each setter is durable
/// when it returns; the value is changed only after the record is in flash.
class Ledger final : public Journal::Owner {
 public:
  static constexpr std::size_t slots = 2;
  /// The last 8 named ones, and one more for a three-field notice, which no repeat can name.
  static constexpr std::size_t named_outcomes_kept = 8;
  static constexpr std::size_t outcomes_kept = named_outcomes_kept + 1;
  static constexpr std::size_t attempts_kept = 8;
  static constexpr std::uint32_t seq_block = 64;
  static constexpr std::uint32_t session_block = 8;
  /// A server cannot push the numbers higher: a device that has none left falls silent for ever.
  static constexpr std::uint32_t largest_known_seq = 0xFFFF0000;
  static constexpr std::int64_t code_seq_exhausted =
      -1101;  ///< `found` of flash_failed; `expected` = the number

  explicit Ledger(Journal& journal) : journal_{&journal} {}

  /// Reads the journal. `random` is where session numbers start after a lost journal.
  Status open(std::uint32_t random);

  // Numbers. Each is handed out once in the life of the device; flash_failed (code_seq_exhausted)
  // when none is left.
  Result<std::uint32_t> take_seq();
  Result<std::uint32_t> take_session();
  /// True until the first session whose state was acknowledged has ended (after a lost journal).
  [[nodiscard]] bool seq_reset() const { return seq_reset_ != SeqReset::no; }
  Status seq_reset_acknowledged();
  /// Call when a session ends, at a start too.
  Status session_ended();
  /// Starts above what a server knows (token response). Refused above largest_known_seq.
  Status raise_seq(std::uint32_t known_to_server);

  // The update in hand.
  [[nodiscard]] const std::optional<Deployment>& current() const { return current_; }
  /// `manifest`: what was judged; nothing for a three-field notice. One record for both.
  Status accept(const contract::Notice& notice, const std::optional<ManifestFacts>& manifest = {});
  /// The manifest of the update in hand was judged: its image may be installed.
  Status accept_manifest(const ManifestFacts& manifest);
  Status replace_url(const contract::Url& url);
  Status begin_download(const std::array<std::uint8_t, 32>& head,
                        std::uint32_t total,
                        std::string_view etag);
  Status set_prefix(std::uint32_t prefix, std::span<const std::uint8_t, 8> hash);
  Status set_phase(Phase phase);
  Status set_reselected();
  Status start_trial();
  Status set_trial_failure(Error error);
  /// Statuses passed but not acknowledged; written with the next phase or at once when `durable`.
  Status mark(Mark mark, bool durable);
  void note_waiting() { current_->waiting_reported = true; }
  /// What the `downloading` statuses show; not durable, begin_download writes it.
  void note_download(std::uint32_t total) {
    current_->total = total;
    current_->bytes_fetched = true;
  }
  void note_resumed_at(std::uint32_t bytes) { current_->resumed_at = bytes; }
  /// Ends the update in hand. The attempt count is part of the same record.
  /// `bytes` is what was in hand of a download, for the final status.
  Status finish(contract::UpdateState state, Error error, std::uint32_t bytes);
  /// An update that never came into hand: refused at once, or already running.
  Status finish_unaccepted(const Outcome& outcome, const contract::Digest& digest);

  // Outcomes, oldest first.
  [[nodiscard]] std::size_t outcome_count() const { return outcome_count_; }
  [[nodiscard]] const Outcome& outcome(std::size_t i) const { return outcomes_[i]; }
  [[nodiscard]] const Outcome* find_outcome(std::string_view update) const;
  [[nodiscard]] const Outcome* latest_outcome() const {
    return outcome_count_ == 0 ? nullptr : &outcomes_[outcome_count_ - 1];
  }
  /// The broker took this status of the update with this serial, whether still in hand or ended.
  Status acknowledge(std::uint32_t serial, Mark mark);
  Status acknowledge_outcome(std::uint32_t serial);
  void outcome_sent(std::uint32_t serial, std::uint32_t seq);
  /// Sends a final status again (its update was offered again).
  void repeat_outcome(std::string_view update);

  [[nodiscard]] std::uint32_t failed_attempts(const contract::Digest& digest) const;

  [[nodiscard]] const SlotContent& slot(std::uint32_t index) const { return contents_[index]; }
  Status set_slot(std::uint32_t index, const SlotContent& content);
  Status forget_slot(std::uint32_t index);
  /// The slot's image is confirmed, and with it the counter of its manifest, in one record: the
  /// security floor follows from it, now and at each start. `manifest`: nothing for a three-field
  /// notice.
  Status confirm_slot(std::uint32_t index, const std::optional<ManifestFacts>& manifest);

  // Trust.
  [[nodiscard]] const KeyListsRecord& key_lists() const { return key_lists_; }
  /// Names the lists in force, durably and at once. A higher epoch sets the security floor to the
  /// active list's; else that list can only raise it.
  Status set_key_lists(const KeyListsRecord& lists);
  /// F of reference trust, section 10: no release below it is installed. Never lowered within an
  /// epoch.
  [[nodiscard]] std::uint32_t security_floor() const { return security_floor_; }
  /// The highest epoch met.
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  /// Unix seconds that have certainly passed; 0: nothing is known (section 9).
  [[nodiscard]] std::uint32_t time_floor() const { return time_floor_; }
  /// A proven lower bound of now. Raises the floor at once; written when that is a day more than
  /// what is in flash, so that a restart loses less than a day.
  Status note_time(std::uint32_t unix_s);
  /// The id that a server assigned in the place of the provisioned one; empty: none. Set durably.
  [[nodiscard]] const DeviceId& assigned_id() const { return assigned_id_; }
  Status assign_id(const DeviceId& id);
  static constexpr std::uint32_t time_floor_step_s = 86400;

  /// Of this object, what only verification needs: the manifest's URL and facts, the key lists,
  /// the counters and floors.
  static constexpr std::size_t verification_bytes =
      sizeof(contract::Notice::manifest) + sizeof(Deployment::manifest) + sizeof(KeyListsRecord) +
      slots * sizeof(SlotContent::security_counter) + 4 * sizeof(std::uint32_t);

  void apply(const JournalRecord& record) override;
  Status snapshot(Journal& journal) override;

 private:
  enum class SeqReset : std::uint8_t { no, announced, acknowledged };
  /// Images are told apart by the first bytes of their digests: to find two that agree in them is
  /// beyond anybody, and would only make them share a count.
  struct Attempts {
    std::array<std::uint8_t, 8> digest{};
    std::uint8_t failed = 0;
    [[nodiscard]] bool is_for(const contract::Digest& other) const {
      return std::equal(digest.begin(), digest.end(), other.bytes.begin());
    }
  };

  Status append(std::uint8_t kind, const class RecordWriter& writer);
  void add_outcome(const Outcome& outcome);
  void drop_oldest_outcome(bool named);
  void count_attempt(const contract::Digest& digest, const Outcome& outcome);
  Status finish(const Outcome& outcome, const contract::Digest& digest, bool ends_current);
  [[nodiscard]] std::optional<std::size_t> index_of(std::uint32_t serial) const;
  Status write_outcome_marks(std::size_t index, Marks unsent, bool acknowledged);
  Status snapshot_numbers(Journal& journal, class RecordWriter& record) const;
  Status snapshot_current(Journal& journal, class RecordWriter& record) const;
  Status snapshot_download(Journal& journal, class RecordWriter& record) const;
  void apply_finish(class RecordReader& reader);
  void apply_numbers(std::uint8_t kind, class RecordReader& reader);
  void apply_to_current(std::uint8_t kind, class RecordReader& reader);

  void apply_key_lists(class RecordReader& reader);
  void apply_confirmed(class RecordReader& reader);
  Status snapshot_trust(Journal& journal, class RecordWriter& record) const;

  Journal* journal_;
  std::uint32_t seq_next_ = 1;
  std::uint32_t seq_reserved_ = 0;  ///< numbers up to this one are reserved
  std::uint32_t session_next_ = 1;
  std::uint32_t session_reserved_ = 0;
  SeqReset seq_reset_ = SeqReset::no;
  bool numbers_known_ = false;  ///< a start after a loss has written all it must; the record of
                                ///< seq_reset_ is the last
  std::uint32_t next_serial_ = 1;
  std::optional<Deployment> current_;
  std::array<Outcome, outcomes_kept> outcomes_{};
  std::size_t outcome_count_ = 0;
  std::array<Attempts, attempts_kept> attempts_{};
  std::size_t attempts_count_ = 0;
  std::array<SlotContent, slots> contents_{};
  KeyListsRecord key_lists_;
  std::uint32_t security_floor_ = 0;
  std::uint32_t epoch_ = 0;
  std::uint32_t time_floor_ = 0;
  std::uint32_t time_floor_kept_ = 0;  ///< as flash has it
  DeviceId assigned_id_;
};

}  // namespace otaria::device
