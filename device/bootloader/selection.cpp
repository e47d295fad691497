#include "device/bootloader/selection.hpp"

namespace otaria::device {
namespace {

struct Selected {
  int start = boot_index::none;
  bool initial = false;  ///< otadata was never written: record what was booted
};

/// A trial that is seen again is over. The CRC is not looked at.
void abort_trials(BootRecordPair& records, BootDecision& decision) {
  for (std::uint32_t copy = 0; copy < records.size(); ++copy) {
    if (records[copy].state != BootState::pending) continue;
    records[copy].state = BootState::aborted;
    decision.add(copy, records[copy]);
  }
}

Selected select(const BootSetup& setup, BootDecision& decision) {
  if (setup.otadata == OtadataPartition::absent) return {boot_index::factory};
  if (setup.otadata == OtadataPartition::unusable) return {boot_index::none};
  BootRecordPair records = setup.records;
  if (setup.rollback_enabled) abort_trials(records, decision);
  if ((is_invalid(records[0]) && is_invalid(records[1])) || setup.slot_count == 0) {
    if (setup.has_factory) return {boot_index::factory};
    return {0, is_unwritten(records[0]) && is_unwritten(records[1])};
  }
  const auto active = active_copy(records);
  if (!active) return {boot_index::factory};
  BootRecord& record = records[*active];
  if (setup.rollback_enabled && record.state == BootState::fresh) {
    record.state = BootState::pending;
    decision.add(*active, record);
  }
  return {static_cast<int>(slot_of(record.seq, setup.slot_count))};
}

/// Downwards to the factory image first, then upwards.
int load(int start, const BootSetup& setup, detail::LoadsImage loads, void* context) {
  const int count = static_cast<int>(setup.slot_count);
  for (int index = start; index >= boot_index::factory; --index) {
    const bool exists = index == boot_index::factory ? setup.has_factory : index < count;
    if (exists && loads(context, index)) return index;
  }
  for (int index = start + 1; index < count; ++index) {
    if (loads(context, index)) return index;
  }
  return boot_index::none;
}

}  // namespace

BootDecision detail::choose_boot(const BootSetup& setup, LoadsImage loads, void* context) {
  BootDecision decision;
  const Selected selected = select(setup, decision);
  if (selected.start == boot_index::none) return decision;
  decision.index = load(selected.start, setup, loads, context);
  if (selected.initial && decision.index >= 0) {
    const auto seq = static_cast<std::uint32_t>(decision.index) + 1;
    decision.add(0, make_boot_record(seq, BootState::valid));
  }
  return decision;
}

Result<BootRecordPair> read_boot_records(Flash& flash, std::uint32_t otadata_base) {
  BootRecordPair records;
  for (std::uint32_t copy = 0; copy < records.size(); ++copy) {
    BootRecordBytes bytes;
    const Status read = flash.read(otadata_base + copy * Flash::sector_bytes, bytes);
    if (!read) return read.error();
    records[copy] = decode_boot_record(bytes);
  }
  return records;
}

Status write_boot_record(Flash& flash, std::uint32_t otadata_base, const BootRecordWrite& write) {
  const std::uint32_t address = otadata_base + write.copy * Flash::sector_bytes;
  if (Status erased = flash.erase_sector(address); !erased) return erased;
  return flash.write(address, encode(write.record));
}

}  // namespace otaria::device
