#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "device/ports/flash.hpp"
#include "device/result/result.hpp"

namespace otaria::device {

/// A record as it lies in the journal: what kind, and its bytes (valid during the call that hands
/// it out).
struct JournalRecord {
  std::uint8_t kind = 0;
  std::span<const std::uint8_t> payload;
};

/// An append-only, power-safe log in a data partition of its own.
///
/// Form     two banks of equal size, used in turn. A bank starts with a 32-byte header {magic, generation, CRC} that
///          is written last when the bank is filled; records follow in cells of 32 bytes: {mark,
///          kind, length, CRC-32 over generation, kind, length and payload}, payload, FF to the end
///          of the cell. The bits: docs/spec/journal.md.
/// Cut      power may go at any flash operation. A record is there as a whole or not at all; a torn tail is
///          noticed at the next open(), which then moves every whole record to the other bank: a
///          sector that met a torn write is not written again before it was erased. A record whose
///          last bits are marginal is written once more at the next start (seal()).
/// Memory   a work buffer of `work_bytes` from the owner, used only during a call; no heap.
/// Errors   flash_failed; too_large for a record over `max_payload`.
class Journal {
 public:
  static constexpr std::uint32_t cell_bytes = 32;
  static constexpr std::uint32_t record_header_bytes = 8;
  static constexpr std::uint32_t work_bytes = 22 * cell_bytes;
  static constexpr std::uint32_t max_payload = work_bytes - record_header_bytes;

  /// Receives every record in the order written; and, on compaction, gives the records worth
  /// keeping.
  class Owner {
   public:
    virtual void apply(const JournalRecord& record) = 0;
    /// Writes, by Journal::append_to_snapshot, what must survive a compaction.
    virtual Status snapshot(Journal& journal) = 0;

   protected:
    ~Owner() = default;
  };

  /// `bytes` is the size of the partition: an even number of sectors, at least 2.
  Journal(Flash& flash,
          std::uint32_t address,
          std::uint32_t bytes,
          std::span<std::uint8_t, work_bytes> work)
      : flash_{&flash}, address_{address}, bank_bytes_{bytes / 2}, work_{work} {}

  /// Finds the newest bank, replays it into `owner` and mends a torn tail. An empty or unreadable
  /// partition becomes a new, empty journal; then was_lost() is true.
  Status open(Owner& owner);
  [[nodiscard]] bool was_lost() const { return was_lost_; }

  /// Durable when it returns. Compacts first when the bank is full.
  Status append(std::uint8_t kind, std::span<const std::uint8_t> payload);
  /// Only from Owner::snapshot.
  Status append_to_snapshot(std::uint8_t kind, std::span<const std::uint8_t> payload);
  /// Moves everything that counts into the other bank.
  Status compact();

  [[nodiscard]] std::uint32_t generation() const { return generation_; }
  [[nodiscard]] std::uint32_t bytes_free() const { return bank_bytes_ - tail_; }

 private:
  struct Scan {
    std::uint32_t tail = 0;         ///< where the next record goes
    std::uint32_t last_record = 0;  ///< offset of the last whole record, 0 = none
    bool torn = false;              ///< something that is neither a record nor erased was met
  };

  [[nodiscard]] std::uint32_t bank_address(std::uint32_t bank) const {
    return address_ + bank * bank_bytes_;
  }
  Result<std::optional<std::uint32_t>> read_generation(std::uint32_t bank);
  Result<Scan> scan(std::uint32_t bank, std::uint32_t generation, Owner* owner);
  Status write_header(std::uint32_t bank, std::uint32_t generation);
  Status write_record(std::uint8_t kind, std::span<const std::uint8_t> payload);
  Status erase_bank(std::uint32_t bank);
  Status start_empty();
  Status seal(std::uint32_t last_record);

  Flash* flash_;
  Owner* owner_ = nullptr;
  std::uint32_t address_;
  std::uint32_t bank_bytes_;
  std::uint32_t bank_ = 0;
  std::uint32_t generation_ = 0;
  std::uint32_t tail_ = 0;
  bool was_lost_ = false;
  bool compacting_ = false;
  std::span<std::uint8_t, work_bytes> work_;
};

/// CRC-32 (IEEE 802.3, reflected, as zlib's crc32), continued from `crc` (0 to start).
std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t crc = 0);

}  // namespace otaria::device
