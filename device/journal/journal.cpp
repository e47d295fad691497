#include "device/journal/journal.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace otaria::device {
namespace {

constexpr std::uint8_t record_mark =
    0xA7;  // not printable: no text inside a torn record can pass for a header
constexpr std::array<std::uint8_t, 4> bank_magic{'O', 'T', 'J', '1'};
constexpr std::uint8_t erased = 0xFF;

void put_u32(std::uint8_t* out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}
std::uint32_t get_u32(const std::uint8_t* in) {
  return static_cast<std::uint32_t>(in[0]) | static_cast<std::uint32_t>(in[1]) << 8 |
         static_cast<std::uint32_t>(in[2]) << 16 | static_cast<std::uint32_t>(in[3]) << 24;
}

constexpr std::uint32_t rounded_to_cells(std::uint32_t bytes) {
  return (bytes + Journal::cell_bytes - 1) / Journal::cell_bytes * Journal::cell_bytes;
}

bool is_erased(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == erased; });
}

std::uint32_t record_crc(std::uint32_t generation,
                         std::uint8_t kind,
                         std::span<const std::uint8_t> payload) {
  std::array<std::uint8_t, 8> head{};
  put_u32(head.data(), generation);
  head[4] = kind;
  head[5] = static_cast<std::uint8_t>(payload.size());
  head[6] = static_cast<std::uint8_t>(payload.size() >> 8);
  return crc32(payload, crc32(head));
}

std::array<std::uint8_t, Journal::cell_bytes> header_of(std::uint32_t generation) {
  std::array<std::uint8_t, Journal::cell_bytes> header;
  header.fill(erased);
  std::ranges::copy(bank_magic, header.begin());
  put_u32(&header[4], generation);
  put_u32(&header[8], crc32(std::span{header}.first(8)));
  return header;
}

}  // namespace

std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t crc) {
  crc = ~crc;
  for (std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

Status Journal::open(Owner& owner) {
  owner_ = &owner;
  was_lost_ = false;
  const auto first = read_generation(0);
  if (!first) return first.error();
  const auto second = read_generation(1);
  if (!second) return second.error();
  if (!first.value() && !second.value()) return start_empty();

  bank_ = !first.value() || (second.value() && *second.value() > *first.value()) ? 1 : 0;
  generation_ = bank_ == 0 ? *first.value() : *second.value();
  const auto found = scan(bank_, generation_, &owner);
  if (!found) return found.error();
  tail_ = found.value().tail;
  if (found.value().torn) return compact();
  return seal(found.value().last_record);
}

// A cut can leave the last bits just programmed readable today and not tomorrow. Programming the
// same bytes once more makes them firm; it changes nothing on whole cells.
Status Journal::seal(std::uint32_t last_record) {
  if (auto done = write_header(bank_, generation_); !done) return done;
  if (last_record == 0) return {};
  const std::uint32_t address = bank_address(bank_) + last_record;
  const std::uint32_t bytes = tail_ - last_record;
  const std::span<std::uint8_t> record = work_.first(bytes);
  if (auto done = flash_->read(address, record); !done) return done;
  return flash_->write(address, record);
}

Status Journal::start_empty() {
  was_lost_ = true;
  bank_ = 0;
  generation_ = 1;
  tail_ = cell_bytes;
  if (auto done = erase_bank(1); !done) return done;
  if (auto done = erase_bank(0); !done) return done;
  return write_header(0, generation_);
}

Result<std::optional<std::uint32_t>> Journal::read_generation(std::uint32_t bank) {
  std::array<std::uint8_t, cell_bytes> header{};
  if (auto done = flash_->read(bank_address(bank), header); !done) return done.error();
  const std::uint32_t generation = get_u32(&header[4]);
  if (header != header_of(generation)) return std::optional<std::uint32_t>{};
  return std::optional<std::uint32_t>{generation};
}

Result<Journal::Scan> Journal::scan(std::uint32_t bank, std::uint32_t generation, Owner* owner) {
  Scan result;
  std::uint32_t offset = cell_bytes;
  std::uint32_t end_of_records = cell_bytes;
  while (offset + cell_bytes <= bank_bytes_) {
    const std::span<std::uint8_t> cell = work_.first(cell_bytes);
    if (auto done = flash_->read(bank_address(bank) + offset, cell); !done) return done.error();
    if (is_erased(cell)) {
      offset += cell_bytes;
      continue;
    }
    const std::uint32_t length = work_[2] | static_cast<std::uint32_t>(work_[3]) << 8;
    const std::uint32_t total = rounded_to_cells(record_header_bytes + length);
    bool whole = offset == end_of_records && work_[0] == record_mark && length <= max_payload &&
                 offset + total <= bank_bytes_;
    if (whole) {
      if (auto done = flash_->read(bank_address(bank) + offset, work_.first(total)); !done) {
        return done.error();
      }
      const JournalRecord record{work_[1], work_.subspan(record_header_bytes, length)};
      whole = get_u32(&work_[4]) == record_crc(generation, record.kind, record.payload);
      if (whole && owner != nullptr) owner->apply(record);
    }
    if (!whole) {
      // Torn or marginal: what lies behind it may still be whole records, so look cell by cell.
      result.torn = true;
      offset += cell_bytes;
      end_of_records = offset;
      continue;
    }
    result.last_record = offset;
    offset += total;
    end_of_records = offset;
  }
  result.tail = end_of_records;
  return result;
}

Status Journal::write_header(std::uint32_t bank, std::uint32_t generation) {
  const auto header = header_of(generation);
  if (auto done = flash_->write(bank_address(bank), header); !done) return done;
  std::array<std::uint8_t, cell_bytes> readback{};
  if (auto done = flash_->read(bank_address(bank), readback); !done) return done;
  return readback == header ? Status{} : flash_failed(0, bank_address(bank));
}

Status Journal::erase_bank(std::uint32_t bank) {
  for (std::uint32_t offset = 0; offset < bank_bytes_; offset += Flash::sector_bytes) {
    if (auto done = flash_->erase_sector(bank_address(bank) + offset); !done) return done;
  }
  return {};
}

Status Journal::append(std::uint8_t kind, std::span<const std::uint8_t> payload) {
  assert(owner_ != nullptr && !compacting_);
  if (payload.size() > max_payload) {
    return Error{Fault::too_large, static_cast<std::int64_t>(payload.size()), max_payload};
  }
  const std::uint32_t total =
      rounded_to_cells(record_header_bytes + static_cast<std::uint32_t>(payload.size()));
  if (tail_ + total > bank_bytes_) {
    if (auto done = compact(); !done) return done;
  }
  if (write_record(kind, payload)) return {};
  // The cells did not take the bytes: leave this bank.
  if (auto done = compact(); !done) return done;
  return write_record(kind, payload);
}

Status Journal::append_to_snapshot(std::uint8_t kind, std::span<const std::uint8_t> payload) {
  assert(compacting_);
  return write_record(kind, payload);
}

Status Journal::write_record(std::uint8_t kind, std::span<const std::uint8_t> payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::uint32_t total = rounded_to_cells(record_header_bytes + length);
  if (length > max_payload || tail_ + total > bank_bytes_) {
    return Error{Fault::too_large, total, bank_bytes_ - tail_};
  }
  std::ranges::fill(work_.first(total), erased);
  work_[0] = record_mark;
  work_[1] = kind;
  work_[2] = static_cast<std::uint8_t>(length);
  work_[3] = static_cast<std::uint8_t>(length >> 8);
  put_u32(&work_[4], record_crc(generation_, kind, payload));
  std::ranges::copy(payload, work_.begin() + record_header_bytes);

  const std::uint32_t address = bank_address(bank_) + tail_;
  if (auto done = flash_->write(address, work_.first(total)); !done) return done;
  std::array<std::uint8_t, cell_bytes> readback{};
  for (std::uint32_t at = 0; at < total; at += cell_bytes) {
    if (auto done = flash_->read(address + at, readback); !done) return done;
    if (!std::ranges::equal(readback, work_.subspan(at, cell_bytes))) {
      return flash_failed(0, address + at);
    }
  }
  tail_ += total;
  return {};
}

Status Journal::compact() {
  assert(owner_ != nullptr);
  const std::uint32_t old_bank = bank_;
  const std::uint32_t old_tail = tail_;
  const std::uint32_t old_generation = generation_;
  bank_ = 1 - bank_;
  generation_ += 1;
  tail_ = cell_bytes;
  compacting_ = true;
  Status done = erase_bank(bank_);
  if (done) done = owner_->snapshot(*this);
  if (done) done = write_header(bank_, generation_);  // the one step that makes the new bank count
  compacting_ = false;
  if (!done) {
    bank_ = old_bank;
    tail_ = old_tail;
    generation_ = old_generation;
  }
  return done;
}

}  // namespace otaria::device
