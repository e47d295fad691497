#include <algorithm>
#include <array>

#include "contract/semver.hpp"
#include "device/agent/agent.hpp"
#include "device/verify/image_in_flash.hpp"

/// The start: what runs, and what a reset interrupted. Everything is derived from flash.
namespace otaria::device {
namespace {

using contract::UpdateState;

constexpr std::uint32_t no_layout_code = 100;  // found = this + LayoutDefect

bool ended_its_trial(const BootRecord& record) {
  return record.state == BootState::aborted || record.state == BootState::invalid;
}

}  // namespace

Status Agent::start(const BootInfo& boot) {
  facts_.slot = boot.running_slot;
  facts_.reset_reason = boot.reset_reason;
  if (auto done = find_partitions(); !done) return done;
  facts_.max_image = passive_slot().bytes;
  if (auto done = ledger_.open(ports_.random.next()); !done) return done;
  if (auto done = ledger_.session_ended(); !done) return done;
  adopt_assigned_id();
  if (auto done = open_keys(boot.key_list); !done) return done;
  if (auto done = identify_running(); !done) return done;
  learn_keys();
  reconcile();
  reconnect_at_ms_ = now();
  accounted_ms_ = now();
  return fatal_.fault == Fault::none ? Status{} : Status{fatal_};
}

Status Agent::find_partitions() {
  const LayoutReading reading = read_layout(ports_.flash);
  if (!reading) {
    if (reading.defect == LayoutDefect::unreadable) return reading.flash;
    return flash_failed(no_layout_code + static_cast<std::int64_t>(reading.defect),
                        default_table_offset);
  }
  const Layout& layout = reading.layout;
  if (layout.slot_count != Ledger::slots || facts_.slot >= Ledger::slots) {
    return flash_failed(no_layout_code, layout.slot_count);  // this agent serves two slots
  }
  slots_ = {layout.slot[0], layout.slot[1]};
  keys_region_ = layout.keys;
  records_.emplace(ports_.flash, layout);
  journal_ = Journal{ports_.flash,
                     layout.journal.base,
                     layout.journal.bytes,
                     std::span{message_}.first<Journal::work_bytes>()};
  return {};
}

// A list that came with the device counts when it is newer than what was fetched since.
Status Agent::open_keys(contract::FileSource* provisioned) {
  keys_.open(keys_region_, identity_.product.view());
  if (provisioned == nullptr) return {};
  contract::KeyListVerdict refused;
  const auto taken = keys_.take_provisioned(*provisioned, refused);
  return taken ? Status{} : Status{taken.error()};
}

Status Agent::identify_running() {
  const Region& slot = slots_[facts_.slot];
  const auto found = image_length_in_flash(ports_.flash, slot.base, slot.bytes);
  if (!found) return found.error();
  if (auto done = read_build(); !done) return done;
  const SlotContent& content = ledger_.slot(facts_.slot);
  if (!content.known || content.appended_hash != found.value().appended_digest.bytes) {
    if (auto done = describe_unknown_image(found.value()); !done) return done;
  }
  facts_.image = ledger_.slot(facts_.slot).digest;
  facts_.version = ledger_.slot(facts_.slot).version;
  return {};
}

Status Agent::read_build() {
  std::array<std::uint8_t, descriptor_bytes> bytes{};
  if (auto done = ports_.flash.read(slots_[facts_.slot].base + descriptor_offset, bytes); !done)
    return done;
  const AppDescriptor descriptor = read_app_descriptor(bytes);
  facts_.build = build_of(descriptor);
  build_ = descriptor.app_elf_sha256;
  build_time_ = build_time_of(descriptor);
  return {};
}

// Flashed by cable, or the journal was lost: hash the file once, and find the best name for its
// version.
Status Agent::describe_unknown_image(const ImageIdentity& found) {
  const Region& slot = slots_[facts_.slot];
  std::uint32_t bytes = found.bytes;
  const std::uint32_t next_sector =
      (bytes + Flash::sector_bytes - 1) / Flash::sector_bytes * Flash::sector_bytes;
  if (next_sector + signature_sector_bytes <= slot.bytes) {
    std::array<std::uint8_t, 1> first{};
    if (auto done = ports_.flash.read(slot.base + next_sector, first); !done) return done;
    if (first[0] == signature_sector_magic) bytes = next_sector + signature_sector_bytes;
  }
  checker_.reset({chip::esp32s3, slot.bytes});
  for (std::uint32_t at = 0; at < bytes; at += SlotWriter::block_bytes) {
    const auto block = writer_.scratch().first(std::min(SlotWriter::block_bytes, bytes - at));
    if (auto done = ports_.flash.read(slot.base + at, block); !done) return done;
    checker_.update(block);  // for its digest: what the image is worth was decided by who booted it
  }
  SlotContent content;
  content.known = true;
  content.digest = checker_.file_digest();
  content.bytes = bytes;
  content.appended_hash = found.appended_digest.bytes;

  std::array<std::uint8_t, descriptor_bytes> descriptor{};
  if (auto done = ports_.flash.read(slot.base + descriptor_offset, descriptor); !done) return done;
  const AppDescriptor described = read_app_descriptor(descriptor);
  const std::string_view own = described.version.view();
  const bool from_offer = ledger_.current() && ledger_.current()->notice.digest == content.digest;
  if (from_offer) {
    content.version = ledger_.current()->notice.version;
  } else if (!identity_.provisioned_version.empty()) {
    content.version = identity_.provisioned_version;
  } else {
    content.version.assign(contract::parse_semver(own) ? own : "0.0.0");
  }
  const auto active = records_->active();
  content.confirmed = active && active.value() &&
                      active.value()->record.state != BootState::fresh &&
                      active.value()->record.state != BootState::pending && !from_offer;
  return ledger_.set_slot(facts_.slot, content);
}

bool Agent::runs_unfinished_update() const {
  const auto& current = ledger_.current();
  return current && current->phase >= Phase::verified && current->notice.digest == facts_.image;
}

void Agent::reconcile() {
  const auto records = records_->read();
  if (!records) {
    ok(records.error());
    return;
  }
  const auto active = active_copy(records.value());
  const auto names = [&](const BootRecord& record, std::uint32_t slot) {
    return !is_unwritten(record) && slot_of(record.seq, Ledger::slots) == slot;
  };
  const bool fell_back = active && !names(records.value()[*active], facts_.slot);
  const bool passive_aborted = std::ranges::any_of(records.value(), [&](const BootRecord& record) {
    return names(record, passive()) && ended_its_trial(record);
  });
  const BootState state = active ? records.value()[*active].state : BootState::undefined;
  // Running and recorded slot must agree before anything else: confirming or selecting act on the
  // active record.
  if ((fell_back || !active) && !ok(records_->repair(facts_.slot))) return;

  const bool watched = !fell_back && (state == BootState::pending || state == BootState::fresh);
  facts_.confirmed = ledger_.slot(facts_.slot).confirmed && !watched;
  if (runs_unfinished_update()) {
    begin_trial();
  } else if (const auto& current = ledger_.current()) {
    const bool selected = current->phase == Phase::installed || current->trial_starts > 0;
    const bool refused_by_bootloader = passive_aborted || fell_back;
    if (selected || (current->phase == Phase::verified && refused_by_bootloader)) {
      end_after_return(refused_by_bootloader);
    } else {
      report_waiting();
      if (step_ != Step::halted) enter(Step::awaiting_notice);
    }
  } else if (!facts_.confirmed) {
    enter(Step::on_trial);  // selected by somebody else, or a torn record: watched all the same
  }
}

void Agent::begin_trial() {
  if (ledger_.current()->phase != Phase::installed && !ok(ledger_.set_phase(Phase::installed)))
    return;
  if (!ok(ledger_.start_trial())) return;
  facts_.confirmed = false;
  enter(Step::on_trial);
  const Deployment& current = *ledger_.current();
  if (auto same = check_build(build_); !same) {
    fail_trial(same.error());
    return;
  }
  if (current.trial_failure.fault != Fault::none) {
    go_back();  // it had given up already, and was started once more
  } else if (current.trial_starts > policy_.trial_starts_limit) {
    fail_trial(
        {Fault::boot_failed, static_cast<std::int64_t>(facts_.reset_reason), current.trial_starts});
  }
}

Error Agent::cause_of_return(bool bootloader_refused_it) const {
  const Deployment& current = *ledger_.current();
  if (current.trial_failure.fault != Fault::none) return current.trial_failure;
  const bool power =
      facts_.reset_reason == ResetReason::power_on || facts_.reset_reason == ResetReason::brownout;
  if (power) return {Fault::power_lost, std::max<std::int64_t>(current.trial_starts, 1)};
  if (current.trial_starts == 0 && !bootloader_refused_it) return {Fault::power_lost, 2};
  return {Fault::boot_failed, static_cast<std::int64_t>(facts_.reset_reason), current.trial_starts};
}

// The new image was selected, and the old one runs.
void Agent::end_after_return(bool bootloader_refused_it) {
  const Deployment& current = *ledger_.current();
  const bool was_started = current.trial_starts > 0 || bootloader_refused_it;
  if (!was_started && !current.reselected) {
    // The selection itself was lost (esp32-flash-formats section 6, W1). The image is whole: once
    // more.
    if (!ok(ledger_.set_reselected())) return;
    start_scan(current.total, true);
    enter(Step::rehashing);
    return;
  }
  finish(was_started ? UpdateState::rolled_back : UpdateState::failed,
         cause_of_return(bootloader_refused_it));
}

}  // namespace otaria::device
