#include "device/slot/boot_records.hpp"

#include "device/bootloader/selection.hpp"

namespace otaria::device {

Result<BootRecordPair> BootRecords::read() {
  return read_boot_records(flash_, base_);
}

Result<std::optional<BootRecords::Active>> BootRecords::active() {
  const auto records = read();
  if (!records) return records.error();
  const auto copy = active_copy(records.value());
  if (!copy) return std::optional<Active>{};
  const BootRecord& record = records.value()[*copy];
  return std::optional{Active{*copy, slot_of(record.seq, slot_count_), record}};
}

Status BootRecords::blank(std::uint32_t slot) {
  const auto records = read();
  if (!records) return records.error();
  const auto active = active_copy(records.value());
  for (std::uint32_t copy = 0; copy < 2; ++copy) {
    const BootRecord& record = records.value()[copy];
    const bool names_slot = slot_of(record.seq, slot_count_) == slot;
    if (active == copy) {
      if (names_slot) return flash_failed(code_wrong_slot, address_of(copy));
      continue;
    }
    if (record == BootRecord{}) continue;
    if (!names_slot && !is_unwritten(record)) continue;
    if (Status erased = erase(copy); !erased) return erased;
  }
  return {};
}

Status BootRecords::select(std::uint32_t slot) {
  const auto now = active();
  if (!now) return now.error();
  if (!now.value()) return append(0, 0, slot, BootState::fresh);
  return append(1 - now.value()->copy, now.value()->record.seq, slot, BootState::fresh);
}

Status BootRecords::confirm(std::uint32_t running_slot) {
  const auto now = active();
  if (!now) return now.error();
  if (!now.value()) return flash_failed(code_wrong_slot, base_);
  const Active& trial = *now.value();
  if (trial.slot != running_slot) return flash_failed(code_wrong_slot, address_of(trial.copy));
  if (trial.record.state == BootState::valid) return {};
  if (trial.record.state == BootState::pending) {
    // From here on a cut costs one more trial boot, not the image.
    if (Status armed = re_arm(trial); !armed) return armed;
  }
  return append(1 - trial.copy, trial.record.seq, running_slot, BootState::valid);
}

Status BootRecords::repair(std::uint32_t running_slot) {
  const auto records = read();
  if (!records) return records.error();
  const auto copy = active_copy(records.value());
  if (!copy) return repair_without_active(records.value(), running_slot);
  const BootRecord& wrong = records.value()[*copy];
  if (slot_of(wrong.seq, slot_count_) == running_slot) return {};
  const std::uint32_t other = 1 - *copy;
  const BootRecord& rest = records.value()[other];
  if (is_valid(rest) && slot_of(rest.seq, slot_count_) == running_slot) {
    // It already names what runs: with the wrong one gone it decides, and at no moment is there
    // none.
    if (Status erased = erase(*copy); !erased) return erased;
    if (rest.state == BootState::valid) return {};
    if (Status written = append(*copy, rest.seq, running_slot, BootState::valid); !written)
      return written;
    return erase(other);
  }
  if (Status written = append(other, wrong.seq, running_slot, BootState::valid); !written)
    return written;
  return erase(*copy);
}

/// Neither copy counts: the running slot was reached by the bootloader's order alone.
Status BootRecords::repair_without_active(const BootRecordPair& records,
                                          std::uint32_t running_slot) {
  // The copy with the smaller trace of a sequence number is written first, above the other one.
  const auto seq_in = [](const BootRecord& record) {
    return is_unwritten(record) ? 0 : record.seq;
  };
  const std::uint32_t target = seq_in(records[1]) < seq_in(records[0]) ? 1 : 0;
  const std::uint32_t above = seq_in(records[1 - target]);
  if (Status written = append(target, above, running_slot, BootState::valid); !written)
    return written;
  if (records[1 - target] == BootRecord{}) return {};
  return erase(1 - target);
}

/// Erases the copy and programs the smallest seq above `above_seq` that names `slot`.
Status BootRecords::append(std::uint32_t copy,
                           std::uint32_t above_seq,
                           std::uint32_t slot,
                           BootState state) {
  if (slot >= slot_count_) return flash_failed(code_wrong_slot, address_of(copy));
  if (above_seq > largest_seq) return flash_failed(code_seq_exhausted, address_of(1 - copy));
  return replace(copy, make_boot_record(next_seq(above_seq, slot, slot_count_), state));
}

Status BootRecords::erase(std::uint32_t copy) {
  if (Status erased = flash_.erase_sector(address_of(copy)); !erased) return erased;
  return verify(copy, BootRecord{});
}

Status BootRecords::replace(std::uint32_t copy, const BootRecord& record) {
  if (Status written = write_boot_record(flash_, base_, {copy, record}); !written) return written;
  return verify(copy, record);
}

/// PENDING 1 becomes NEW 0 by clearing one bit: no erase, and the CRC leaves the state out.
Status BootRecords::re_arm(const Active& active) {
  BootRecord fresh = active.record;
  fresh.state = BootState::fresh;
  const BootRecordBytes bytes = encode(fresh);
  const auto word = std::span{bytes}.subspan<BootRecord::state_offset, 4>();
  const std::uint32_t address = address_of(active.copy) + BootRecord::state_offset;
  if (Status written = flash_.write(address, word); !written) return written;
  return verify(active.copy, fresh);
}

Status BootRecords::verify(std::uint32_t copy, const BootRecord& expected) {
  BootRecordBytes bytes;
  if (Status read = flash_.read(address_of(copy), bytes); !read) return read;
  if (bytes != encode(expected)) return flash_failed(code_not_as_written, address_of(copy));
  return {};
}

}  // namespace otaria::device
