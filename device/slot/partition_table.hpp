#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "contract/text.hpp"
#include "device/ports/flash.hpp"
#include "device/result/result.hpp"

/// The partition table in its binary form.
/// Units   offsets are absolute flash addresses; bytes.
/// Source  ESP-IDF gen_esp32part.py, flash_partitions.c; docs/spec/flash.md.
namespace otaria::device {

inline constexpr std::uint32_t default_table_offset = 0x8000;
inline constexpr std::uint32_t table_bytes = 0xC00;  ///< of the 4 KiB sector, what may hold records
inline constexpr std::uint32_t table_record_bytes = 32;
inline constexpr std::uint32_t max_table_records =
    table_bytes / table_record_bytes;  ///< MD5 and terminator included
/// The generator's limit with an MD5 record: records must end before 0xC00.
inline constexpr std::uint32_t max_partitions = max_table_records - 2;

namespace partition_type {
inline constexpr std::uint8_t app = 0x00;
inline constexpr std::uint8_t data = 0x01;
inline constexpr std::uint8_t bootloader = 0x02;
inline constexpr std::uint8_t partition_table = 0x03;
inline constexpr std::uint8_t otaria = 0x40;  ///< ours: see partition_subtype
}  // namespace partition_type

namespace partition_subtype {
inline constexpr std::uint8_t factory = 0x00;
inline constexpr std::uint8_t ota_0 = 0x10;
inline constexpr std::uint8_t ota_15 = 0x1F;
inline constexpr std::uint8_t test = 0x20;
inline constexpr std::uint8_t otadata = 0x00;
inline constexpr std::uint8_t phy = 0x01;
inline constexpr std::uint8_t nvs = 0x02;
inline constexpr std::uint8_t coredump = 0x03;
inline constexpr std::uint8_t otaria_journal = 0x00;
inline constexpr std::uint8_t otaria_keys = 0x01;
}  // namespace partition_subtype

struct Partition {
  static constexpr std::uint32_t flag_encrypted = 1;
  static constexpr std::uint32_t flag_readonly = 2;

  std::uint8_t type = 0;
  std::uint8_t subtype = 0;
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
  contract::Text<16> label;
  std::uint32_t flags = 0;

  [[nodiscard]] std::uint64_t end() const { return std::uint64_t{offset} + bytes; }
  friend bool operator==(const Partition&, const Partition&) = default;
};

enum class TableDefect : std::uint8_t {
  none,
  // of the binary form
  bad_magic,     ///< neither a partition, nor the MD5 record, nor the terminator
  empty,         ///< the terminator, or the MD5 record, comes first
  out_of_flash,  ///< a partition that ends beyond the chip
  no_md5,        ///< ESP-IDF's application side refuses such a table; so do we
  bad_md5,
  after_md5,  ///< something else than the terminator follows the MD5 record
  unterminated,
  // of the rules of gen_esp32part.py
  too_many,
  misaligned_offset,
  misaligned_size,
  zero_size,
  below_table,  ///< begins before the sector behind the table
  overlap,
  duplicate_label,
  duplicate_otadata,
  otadata_size,   ///< not 0x2000
  nvs_too_small,  ///< below 0x3000 and not readonly
  readonly_not_allowed,
};
std::string_view name_of(TableDefect defect);

/// `index`: the entry, from 0. `found`, `expected`: figures; for overlap and duplicates `expected`
/// is the other entry.
struct TableVerdict {
  TableDefect defect = TableDefect::none;
  std::uint32_t index = 0;
  std::uint32_t found = 0;
  std::uint32_t expected = 0;

  explicit operator bool() const { return defect == TableDefect::none; }
};

/// A whole table in memory (about 4 KB): for the host. A device asks Layout instead.
class PartitionTable {
 public:
  /// False when the table is full.
  bool add(const Partition& partition) {
    if (count_ == entries_.size()) return false;
    entries_[count_++] = partition;
    return true;
  }
  [[nodiscard]] std::span<const Partition> entries() const { return {entries_.data(), count_}; }
  [[nodiscard]] std::span<Partition> entries() { return {entries_.data(), count_}; }

 private:
  std::array<Partition, max_partitions> entries_{};
  std::uint32_t count_ = 0;
};

/// Sees each entry of a table in order. The table is known to be whole only once the walk has ended
/// well.
class PartitionVisitor {
 public:
  virtual void visit(const Partition& partition) = 0;

 protected:
  ~PartitionVisitor() = default;
};

/// Reads at most max_table_records records. `flash_bytes`: size of the chip, for out_of_flash; 0:
/// not checked.
TableVerdict walk_partition_table(std::span<const std::uint8_t> bytes,
                                  std::uint32_t flash_bytes,
                                  PartitionVisitor& visitor);
/// The same from flash. Errors  flash_failed.
Result<TableVerdict> walk_partition_table(Flash& flash,
                                          std::uint32_t table_offset,
                                          PartitionVisitor& visitor);

/// Into memory; `table` is filled as far as the bytes are sound.
TableVerdict read_partition_table(std::span<const std::uint8_t> bytes,
                                  std::uint32_t flash_bytes,
                                  PartitionTable& table);

/// Entries, MD5 record, FF to the end: byte for byte what gen_esp32part.py writes.
/// Errors  too_many.
TableVerdict write_partition_table(std::span<const Partition> entries,
                                   std::span<std::uint8_t, table_bytes> into);

/// The rules of gen_esp32part.py. `flash_bytes` 0: the end of the chip is not checked.
TableVerdict check_table(std::span<const Partition> entries,
                         std::uint32_t table_offset,
                         std::uint32_t flash_bytes);

/// Multiple at which an entry of this type must begin.
constexpr std::uint32_t partition_alignment(std::uint8_t type) {
  return type == partition_type::app ? 0x10000 : 0x1000;
}

}  // namespace otaria::device
