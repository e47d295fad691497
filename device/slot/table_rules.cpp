#include "device/slot/partition_table.hpp"

namespace otaria::device {
namespace {

/// A table may name the bootloader and itself; these alone may lie below the sector behind the
/// table.
bool may_lie_low(const Partition& partition) {
  return partition.type == partition_type::bootloader ||
         partition.type == partition_type::partition_table;
}

bool is_data(const Partition& partition, std::uint8_t subtype) {
  return partition.type == partition_type::data && partition.subtype == subtype;
}

TableVerdict check_entry(const Partition& entry,
                         std::uint32_t index,
                         std::uint32_t table_offset,
                         std::uint32_t flash_bytes) {
  constexpr std::uint32_t otadata_bytes = 0x2000;
  constexpr std::uint32_t smallest_nvs = 0x3000;
  const bool readonly = (entry.flags & Partition::flag_readonly) != 0;
  const std::uint32_t alignment = partition_alignment(entry.type);
  if (entry.offset % alignment != 0) {
    return {TableDefect::misaligned_offset, index, entry.offset, alignment};
  }
  if (entry.bytes == 0) return {TableDefect::zero_size, index, 0, 0x1000};
  if (entry.type == partition_type::app && entry.bytes % 0x1000 != 0) {
    return {TableDefect::misaligned_size, index, entry.bytes, 0x1000};
  }
  if (!may_lie_low(entry) && entry.offset < table_offset + 0x1000) {
    return {TableDefect::below_table, index, entry.offset, table_offset + 0x1000};
  }
  if (flash_bytes != 0 && entry.end() > flash_bytes) {
    return {TableDefect::out_of_flash, index, entry.offset, flash_bytes};
  }
  if (is_data(entry, partition_subtype::otadata) && entry.bytes != otadata_bytes) {
    return {TableDefect::otadata_size, index, entry.bytes, otadata_bytes};
  }
  if (is_data(entry, partition_subtype::nvs) && entry.bytes < smallest_nvs && !readonly) {
    return {TableDefect::nvs_too_small, index, entry.bytes, smallest_nvs};
  }
  const bool written_by_idf =
      is_data(entry, partition_subtype::otadata) || is_data(entry, partition_subtype::coredump);
  if (readonly && written_by_idf) {
    return {TableDefect::readonly_not_allowed,
            index,
            entry.flags,
            entry.flags & ~Partition::flag_readonly};
  }
  return {};
}

TableVerdict check_pair(const Partition& earlier,
                        std::uint32_t earlier_index,
                        const Partition& later,
                        std::uint32_t later_index) {
  if (earlier.label == later.label) {
    return {TableDefect::duplicate_label, later_index, later_index, earlier_index};
  }
  if (earlier.offset < later.end() && later.offset < earlier.end()) {
    return {TableDefect::overlap, later_index, later.offset, earlier_index};
  }
  if (is_data(earlier, partition_subtype::otadata) && is_data(later, partition_subtype::otadata)) {
    return {TableDefect::duplicate_otadata, later_index, later_index, earlier_index};
  }
  return {};
}

}  // namespace

TableVerdict check_table(std::span<const Partition> entries,
                         std::uint32_t table_offset,
                         std::uint32_t flash_bytes) {
  const auto count = static_cast<std::uint32_t>(entries.size());
  if (count == 0) return {TableDefect::empty, 0, 0, 1};
  if (count > max_partitions) return {TableDefect::too_many, max_partitions, count, max_partitions};
  for (std::uint32_t i = 0; i < count; ++i) {
    const TableVerdict verdict = check_entry(entries[i], i, table_offset, flash_bytes);
    if (!verdict) return verdict;
  }
  for (std::uint32_t later = 1; later < count; ++later) {
    for (std::uint32_t earlier = 0; earlier < later; ++earlier) {
      const TableVerdict verdict = check_pair(entries[earlier], earlier, entries[later], later);
      if (!verdict) return verdict;
    }
  }
  return {};
}

}  // namespace otaria::device
