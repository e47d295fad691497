#include "device/slot/layout.hpp"

namespace otaria::device {
namespace {

class LayoutFinder final : public PartitionVisitor {
 public:
  void visit(const Partition& partition) override {
    Region* region = place_of(partition);
    if (region != nullptr && !*region) *region = {partition.offset, partition.bytes};
  }

  LayoutReading finish() {
    LayoutReading reading;
    while (layout_.slot_count < Layout::max_slots && layout_.slot[layout_.slot_count])
      ++layout_.slot_count;
    reading.layout = layout_;
    reading.defect = defect();
    return reading;
  }

 private:
  Region* place_of(const Partition& partition) {
    const std::uint8_t subtype = partition.subtype;
    switch (partition.type) {
      case partition_type::app:
        if (subtype == partition_subtype::factory) return &layout_.factory;
        if (subtype >= partition_subtype::ota_0 && subtype <= partition_subtype::ota_15) {
          return &layout_.slot[subtype - partition_subtype::ota_0];
        }
        return nullptr;
      case partition_type::data:
        if (subtype == partition_subtype::otadata) return &layout_.otadata;
        if (subtype == partition_subtype::nvs) return &layout_.nvs;
        return nullptr;
      case partition_type::otaria:
        if (subtype == partition_subtype::otaria_journal) return &layout_.journal;
        if (subtype == partition_subtype::otaria_keys) return &layout_.keys;
        return nullptr;
      default:
        return nullptr;
    }
  }

  [[nodiscard]] LayoutDefect defect() const {
    if (!layout_.otadata) return LayoutDefect::no_otadata;
    if (layout_.otadata.bytes < 2 * Flash::sector_bytes) return LayoutDefect::otadata_too_small;
    for (std::uint32_t i = layout_.slot_count; i < Layout::max_slots; ++i) {
      if (layout_.slot[i]) return LayoutDefect::slot_gap;
    }
    if (layout_.slot_count < 2) return LayoutDefect::too_few_slots;
    if (!layout_.journal) return LayoutDefect::no_journal;
    return LayoutDefect::none;
  }

  Layout layout_;
};

}  // namespace

std::string_view name_of(LayoutDefect defect) {
  constexpr std::string_view names[] = {"none",
                                        "unreadable",
                                        "bad_table",
                                        "no_otadata",
                                        "otadata_too_small",
                                        "too_few_slots",
                                        "slot_gap",
                                        "no_journal"};
  return names[static_cast<std::size_t>(defect)];
}

LayoutReading read_layout(Flash& flash, std::uint32_t table_offset) {
  LayoutFinder finder;
  const auto walked = walk_partition_table(flash, table_offset, finder);
  LayoutReading reading;
  if (!walked) {
    reading.defect = LayoutDefect::unreadable;
    reading.flash = walked.error();
  } else if (!walked.value()) {
    reading.defect = LayoutDefect::bad_table;
    reading.table = walked.value();
  } else {
    reading = finder.finish();
  }
  return reading;
}

LayoutReading find_layout(std::span<const Partition> entries) {
  LayoutFinder finder;
  for (const Partition& partition : entries) finder.visit(partition);
  return finder.finish();
}

}  // namespace otaria::device
