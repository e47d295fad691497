#include "device/bootloader/boot_record.hpp"

#include <algorithm>

namespace otaria::device {
namespace {

void put_u32(std::uint8_t* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i) & 0xFF);
}

std::uint32_t get_u32(const std::uint8_t* at) {
  return at[0] | static_cast<std::uint32_t>(at[1]) << 8 | static_cast<std::uint32_t>(at[2]) << 16 |
         static_cast<std::uint32_t>(at[3]) << 24;
}

}  // namespace

std::uint32_t boot_record_crc(std::uint32_t seq) {
  constexpr std::uint32_t reflected_polynomial = 0xEDB88320;
  std::uint32_t crc = seq;  // register 0 xor the four bytes in little-endian order
  for (int bit = 0; bit < 32; ++bit) {
    crc = crc >> 1 ^ ((crc & 1) != 0 ? reflected_polynomial : 0);
  }
  return ~crc;
}

BootRecord make_boot_record(std::uint32_t seq, BootState state) {
  BootRecord record;
  record.seq = seq;
  record.state = state;
  record.crc = boot_record_crc(seq);
  return record;
}

BootRecordBytes encode(const BootRecord& record) {
  BootRecordBytes bytes;
  put_u32(&bytes[0], record.seq);
  std::copy(record.label.begin(), record.label.end(), bytes.begin() + 4);
  put_u32(&bytes[24], static_cast<std::uint32_t>(record.state));
  put_u32(&bytes[28], record.crc);
  return bytes;
}

BootRecord decode_boot_record(std::span<const std::uint8_t, BootRecord::bytes> bytes) {
  BootRecord record;
  record.seq = get_u32(&bytes[0]);
  std::copy_n(bytes.begin() + 4, record.label.size(), record.label.begin());
  record.state = static_cast<BootState>(get_u32(&bytes[24]));
  record.crc = get_u32(&bytes[28]);
  return record;
}

bool is_invalid(const BootRecord& record) {
  return record.seq == BootRecord::empty_seq || record.state == BootState::invalid ||
         record.state == BootState::aborted;
}

bool is_valid(const BootRecord& record) {
  return !is_invalid(record) && record.crc == boot_record_crc(record.seq);
}

bool is_unwritten(const BootRecord& record) {
  return record.seq == BootRecord::empty_seq || record.crc != boot_record_crc(record.seq);
}

std::optional<std::uint32_t> active_copy(const BootRecordPair& records) {
  const bool first = is_valid(records[0]);
  const bool second = is_valid(records[1]);
  if (first && second) return records[1].seq > records[0].seq ? 1 : 0;
  if (first) return 0;
  if (second) return 1;
  return std::nullopt;
}

}  // namespace otaria::device
