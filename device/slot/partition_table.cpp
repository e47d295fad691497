#include "device/slot/partition_table.hpp"

#include <psa/crypto.h>

#include <algorithm>

#include "device/verify/image_format.hpp"

namespace otaria::device {
namespace {

constexpr std::uint16_t entry_magic = 0x50AA;
constexpr std::uint16_t md5_magic = 0xEBEB;
constexpr std::uint16_t terminator_magic = 0xFFFF;
constexpr std::uint32_t md5_bytes = 16;

using RecordBytes = std::array<std::uint8_t, table_record_bytes>;
using Md5 = std::array<std::uint8_t, md5_bytes>;

/// MD5 through PSA, as the format wants it; it guards against damage, not against people.
class TableHash {
 public:
  TableHash() { ok_ = psa_hash_setup(&operation_, PSA_ALG_MD5) == PSA_SUCCESS; }
  ~TableHash() { psa_hash_abort(&operation_); }
  TableHash(const TableHash&) = delete;
  TableHash& operator=(const TableHash&) = delete;

  void update(std::span<const std::uint8_t> bytes) {
    ok_ = ok_ && psa_hash_update(&operation_, bytes.data(), bytes.size()) == PSA_SUCCESS;
  }
  /// False when the engine failed: the digest is then no digest.
  bool finish(Md5& digest) {
    std::size_t length = 0;
    ok_ = ok_ && psa_hash_finish(&operation_, digest.data(), digest.size(), &length) == PSA_SUCCESS;
    return ok_ && length == digest.size();
  }

 private:
  psa_hash_operation_t operation_ = PSA_HASH_OPERATION_INIT;
  bool ok_ = false;
};

Partition decode(const RecordBytes& record) {
  Partition partition;
  partition.type = record[2];
  partition.subtype = record[3];
  partition.offset = read_u32(&record[4]);
  partition.bytes = read_u32(&record[8]);
  const auto* label = reinterpret_cast<const char*>(&record[12]);
  partition.label.assign(
      {label, static_cast<std::size_t>(std::find(label, label + 16, '\0') - label)});
  partition.flags = read_u32(&record[28]);
  return partition;
}

RecordBytes encode(const Partition& partition) {
  RecordBytes record{};
  write_u16(&record[0], entry_magic);
  record[2] = partition.type;
  record[3] = partition.subtype;
  write_u32(&record[4], partition.offset);
  write_u32(&record[8], partition.bytes);
  std::copy(partition.label.view().begin(), partition.label.view().end(), record.begin() + 12);
  write_u32(&record[28], partition.flags);
  return record;
}

/// One record after the other, until done() or a defect.
class TableReader {
 public:
  TableReader(std::uint32_t flash_bytes, PartitionVisitor& visitor)
      : flash_bytes_{flash_bytes}, visitor_{visitor} {}

  [[nodiscard]] bool done() const { return terminated_ || verdict_.defect != TableDefect::none; }
  void read(const RecordBytes& record) {
    const std::uint16_t magic = read_u16(record.data());
    if (magic == terminator_magic && record[2] == 0xFF && record[3] == 0xFF) {
      end();
    } else if (md5_seen_) {
      fail(TableDefect::after_md5, magic, terminator_magic);
    } else if (magic == entry_magic) {
      entry(record);
    } else if (magic == md5_magic) {
      check_md5(record);
    } else {
      fail(TableDefect::bad_magic, magic, entry_magic);
    }
  }
  TableVerdict finish() {
    if (!done()) fail(TableDefect::unterminated, index_, 0);
    return verdict_;
  }

 private:
  void entry(const RecordBytes& record) {
    const Partition partition = decode(record);
    if (flash_bytes_ != 0 && partition.end() > flash_bytes_) {
      return fail(TableDefect::out_of_flash, partition.offset, flash_bytes_);
    }
    hash_.update(record);
    visitor_.visit(partition);
    ++index_;
  }
  void check_md5(const RecordBytes& record) {
    if (index_ == 0) return fail(TableDefect::empty, 0, 1);
    Md5 computed{};
    const bool hashed = hash_.finish(computed);
    const std::uint8_t* stored = &record[table_record_bytes - md5_bytes];
    if (!hashed || !std::equal(computed.begin(), computed.end(), stored)) {
      return fail(TableDefect::bad_md5, read_u32(stored), read_u32(computed.data()));
    }
    md5_seen_ = true;
  }
  void end() {
    if (index_ == 0) return fail(TableDefect::empty, 0, 1);
    if (!md5_seen_) return fail(TableDefect::no_md5, terminator_magic, md5_magic);
    terminated_ = true;
  }
  void fail(TableDefect defect, std::uint32_t found, std::uint32_t expected) {
    verdict_ = {defect, index_, found, expected};
  }

  std::uint32_t flash_bytes_;
  PartitionVisitor& visitor_;
  TableHash hash_;
  TableVerdict verdict_;
  std::uint32_t index_ = 0;
  bool md5_seen_ = false;
  bool terminated_ = false;
};

class Collector final : public PartitionVisitor {
 public:
  explicit Collector(PartitionTable& table) : table_{table} {}
  void visit(const Partition& partition) override { full_ = !table_.add(partition) || full_; }
  [[nodiscard]] bool full() const { return full_; }

 private:
  PartitionTable& table_;
  bool full_ = false;
};

}  // namespace

std::string_view name_of(TableDefect defect) {
  constexpr std::string_view names[] = {"none",
                                        "bad_magic",
                                        "empty",
                                        "out_of_flash",
                                        "no_md5",
                                        "bad_md5",
                                        "after_md5",
                                        "unterminated",
                                        "too_many",
                                        "misaligned_offset",
                                        "misaligned_size",
                                        "zero_size",
                                        "below_table",
                                        "overlap",
                                        "duplicate_label",
                                        "duplicate_otadata",
                                        "otadata_size",
                                        "nvs_too_small",
                                        "readonly_not_allowed"};
  static_assert(std::size(names) ==
                static_cast<std::size_t>(TableDefect::readonly_not_allowed) + 1);
  return names[static_cast<std::size_t>(defect)];
}

TableVerdict walk_partition_table(std::span<const std::uint8_t> bytes,
                                  std::uint32_t flash_bytes,
                                  PartitionVisitor& visitor) {
  TableReader reader{flash_bytes, visitor};
  bytes = bytes.first(std::min<std::size_t>(bytes.size(), table_bytes));
  while (bytes.size() >= table_record_bytes && !reader.done()) {
    RecordBytes record;
    std::copy_n(bytes.begin(), record.size(), record.begin());
    reader.read(record);
    bytes = bytes.subspan(record.size());
  }
  return reader.finish();
}

Result<TableVerdict> walk_partition_table(Flash& flash,
                                          std::uint32_t table_offset,
                                          PartitionVisitor& visitor) {
  TableReader reader{flash.size(), visitor};
  for (std::uint32_t i = 0; i < max_table_records && !reader.done(); ++i) {
    RecordBytes record;
    if (Status read = flash.read(table_offset + i * table_record_bytes, record); !read) {
      return read.error();
    }
    reader.read(record);
  }
  return reader.finish();
}

TableVerdict read_partition_table(std::span<const std::uint8_t> bytes,
                                  std::uint32_t flash_bytes,
                                  PartitionTable& table) {
  Collector collector{table};
  TableVerdict verdict = walk_partition_table(bytes, flash_bytes, collector);
  if (verdict && collector.full())
    verdict = {TableDefect::too_many, max_partitions, max_partitions + 1, max_partitions};
  return verdict;
}

TableVerdict write_partition_table(std::span<const Partition> entries,
                                   std::span<std::uint8_t, table_bytes> into) {
  if (entries.size() > max_partitions) {
    const auto count = static_cast<std::uint32_t>(entries.size());
    return {TableDefect::too_many, max_partitions, count, max_partitions};
  }
  std::fill(into.begin(), into.end(), std::uint8_t{0xFF});
  TableHash hash;
  auto at = into.begin();
  for (const Partition& partition : entries) {
    const RecordBytes record = encode(partition);
    hash.update(record);
    at = std::copy(record.begin(), record.end(), at);
  }
  Md5 digest{};
  if (!hash.finish(digest))
    return {TableDefect::bad_md5, static_cast<std::uint32_t>(entries.size())};
  write_u16(&*at, md5_magic);
  std::copy(digest.begin(), digest.end(), at + (table_record_bytes - md5_bytes));
  return {};
}

}  // namespace otaria::device
