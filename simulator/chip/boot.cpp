#include "simulator/chip/boot.hpp"

#include <fmt/format.h>

#include "device/verify/image_in_flash.hpp"

namespace otaria::simulator {
namespace {

using device::BootRecordPair;
using device::BootState;

std::string name_of_slot(std::uint32_t slot) {
  return "ota_" + std::to_string(slot);
}

bool image_starts(VirtualFlash& flash, BootReport& report, int index) {
  if (index < 0) return false;  // no layout of ours has a factory partition
  const auto slot = static_cast<std::uint32_t>(index);
  const device::Region region = report.layout.layout.slot[slot];
  device::ImageChecker checker{{.require_chip = device::chip::esp32s3, .max_bytes = region.bytes}};
  if (device::check_image_in_flash(flash, region.base, region.bytes, checker)) return true;
  report.refused.push_back({slot, checker.verdict()});
  return false;
}

bool perform_writes(VirtualFlash& flash, BootReport& report, const device::BootDecision& decision) {
  for (const device::BootRecordWrite& write : decision.writes()) {
    report.writes.push_back(write);
    // ESP-IDF only logs an error here; on this flash there is one kind of error: the power is gone.
    const bool written{device::write_boot_record(flash, report.layout.layout.otadata.base, write)};
    if (!written && !flash.powered()) return false;
  }
  return true;
}

BootRecordPair after(BootRecordPair records, std::span<const device::BootRecordWrite> writes) {
  for (const device::BootRecordWrite& write : writes) records[write.copy] = write.record;
  return records;
}

void judge_trial(BootReport& report) {
  const BootRecordPair records = after(report.records_before, report.writes);
  const auto active = device::active_copy(records);
  if (!active) return;
  const device::BootRecord& record = records[*active];
  const std::uint32_t named = device::slot_of(record.seq, report.layout.layout.slot_count);
  report.fell_back = named != report.slot;
  report.on_trial = !report.fell_back && record.state == BootState::pending;
}

std::string describe_writes(const BootReport& report) {
  std::string text;
  for (const device::BootRecordWrite& write : report.writes) {
    const std::string slot =
        name_of_slot(device::slot_of(write.record.seq, report.layout.layout.slot_count));
    switch (write.record.state) {
      case BootState::aborted:
        text += fmt::format("trial of {} was not confirmed: given up; ", slot);
        break;
      case BootState::pending:
        text += fmt::format("{} selected, its trial begins; ", slot);
        break;
      default:
        text += fmt::format("boot record for {} written (first start); ", slot);
    }
  }
  return text;
}

}  // namespace

BootReport boot(VirtualFlash& flash) {
  BootReport report;
  report.layout = device::read_layout(flash);
  if (!report.layout) return report;
  const device::Layout& layout = report.layout.layout;
  const auto records = device::read_boot_records(flash, layout.otadata.base);
  if (!records) return report;
  report.records_before = records.value();
  const device::BootSetup setup{.records = report.records_before,
                                .slot_count = layout.slot_count,
                                .has_factory = static_cast<bool>(layout.factory)};
  const auto decision =
      device::choose_boot(setup, [&](int index) { return image_starts(flash, report, index); });
  if (!perform_writes(flash, report, decision)) {
    report.outcome = BootOutcome::power_lost;
  } else if (decision.index < 0) {
    report.outcome = BootOutcome::no_bootable_image;
  } else {
    report.outcome = BootOutcome::started;
    report.slot = static_cast<std::uint32_t>(decision.index);
    judge_trial(report);
  }
  return report;
}

std::string describe(const BootReport& report) {
  std::string text = describe_writes(report);
  for (const RefusedImage& refused : report.refused) {
    text += fmt::format("image in {} refused ({} at offset {}); ",
                        name_of_slot(refused.slot),
                        device::name_of(refused.verdict.defect),
                        refused.verdict.offset);
  }
  switch (report.outcome) {
    case BootOutcome::started:
      return text + name_of_slot(report.slot) + " starts" + (report.on_trial ? " on trial" : "") +
             (report.fell_back ? " as a fallback" : "");
    case BootOutcome::power_lost:
      return text + "the power went while the bootloader wrote";
    case BootOutcome::no_layout:
      if (report.layout.defect != device::LayoutDefect::bad_table) {
        return fmt::format("no usable partition table at 0x8000 ({})",
                           device::name_of(report.layout.defect));
      }
      return fmt::format("no partition table at 0x8000 ({} in entry {})",
                         device::name_of(report.layout.table.defect),
                         report.layout.table.index);
    case BootOutcome::no_bootable_image:
      break;
  }
  return text + "no bootable image; a real chip would reset for ever";
}

}  // namespace otaria::simulator
