#include "device/status/reporter.hpp"

#include <algorithm>

#include "contract/device/state_writer.hpp"
#include "device/status/sentence.hpp"

#ifndef OTARIA_AGENT_VERSION
#error "OTARIA_AGENT_VERSION comes from the build"
#endif

namespace otaria::device {
namespace {

using contract::UpdateState;

constexpr std::uint32_t progress_step_percent = 5;
constexpr std::uint32_t progress_step_ms = 10000;
constexpr std::uint32_t progress_least_gap_ms = 1000;

constexpr std::array marks_in_order{Mark::received,
                                    Mark::waiting,
                                    Mark::download_begun,
                                    Mark::download_done,
                                    Mark::verifying,
                                    Mark::installed,
                                    Mark::rebooting,
                                    Mark::trial};

constexpr UpdateState state_of(Mark mark) {
  switch (mark) {
    case Mark::received:
      return UpdateState::received;
    case Mark::waiting:
      return UpdateState::waiting;
    case Mark::download_begun:
    case Mark::download_done:
      return UpdateState::downloading;
    case Mark::verifying:
      return UpdateState::verifying;
    case Mark::installed:
      return UpdateState::installed;
    case Mark::rebooting:
      return UpdateState::rebooting;
    case Mark::trial:
      return UpdateState::trial;
  }
  return UpdateState::received;
}

Mark first_of(const Marks& marks) {
  return *std::ranges::find_if(marks_in_order, [&marks](Mark mark) { return marks.has(mark); });
}

contract::Progress progress_at(std::uint32_t bytes, std::uint32_t total) {
  const std::uint32_t percent =
      total == 0 ? 0 : static_cast<std::uint32_t>(std::uint64_t{bytes} * 100 / total);
  return {percent, bytes, total};
}

constexpr std::string_view slot_name(std::uint32_t index) {
  return index == 0 ? "ota_0" : "ota_1";
}

}  // namespace

Status Reporter::connect(std::string_view token) {
  const auto session = ledger_->take_session();
  if (!session) return session.error();
  session_ = session.value();
  const std::size_t bytes =
      contract::write_will(identity_->id.view(), facts_->version.view(), session_, message_);
  link_->connect({identity_->id.view(), token}, {message_.data(), bytes});
  return {};
}

void Reporter::on_connected() {
  connected_ = true;
  state_due_ = true;
  state_acknowledged_ = false;
  sending_ = Item::none;
}

Status Reporter::on_lost() {
  connected_ = false;
  state_acknowledged_ = false;
  sending_ = Item::none;
  if (rejoining_) {
    rejoining_ = leaving_ = left_ = false;
  } else if (leaving_) {
    left_ = true;
  }
  return ledger_->session_ended();
}

Status Reporter::on_published() {
  const Item item = sending_;
  sending_ = Item::none;
  switch (item) {
    case Item::state:
      state_acknowledged_ = true;
      return ledger_->seq_reset_acknowledged();
    case Item::outcome_mark:
    case Item::mark:
      return ledger_->acknowledge(sent_.serial, sent_.mark);
    case Item::outcome:
      state_due_ = true;  // `last` is known now
      return ledger_->acknowledge_outcome(sent_.serial);
    case Item::unreadable:
      if (unreadable_[sent_.serial].owed > 0) --unreadable_[sent_.serial].owed;
      return {};
    case Item::farewell:
      link_->disconnect();
      left_ = true;
      return {};
    case Item::progress:
    case Item::none:
      return {};
  }
  return {};
}

bool Reporter::progress_is_due() const {
  if (!progress_) return false;
  const std::uint64_t since = clock_->monotonic_ms() - progress_sent_ms_;
  if (since < progress_least_gap_ms) return false;
  return progress_->percent >= sent_percent_ + progress_step_percent || since >= progress_step_ms;
}

std::optional<Reporter::Next> Reporter::next_owed() const {
  for (std::size_t i = 0; i < ledger_->outcome_count(); ++i) {
    const Outcome& outcome = ledger_->outcome(i);
    if (outcome.acknowledged) continue;
    if (outcome.unsent.any())
      return Next{Item::outcome_mark, outcome.serial, first_of(outcome.unsent)};
    return Next{Item::outcome, outcome.serial};
  }
  for (std::uint32_t i = 0; i < unreadable_count_; ++i) {
    if (unreadable_[i].owed > 0) return Next{Item::unreadable, i};
  }
  if (ledger_->current() && ledger_->current()->unsent.any()) {
    return Next{Item::mark, ledger_->current()->serial, first_of(ledger_->current()->unsent)};
  }
  return std::nullopt;
}

std::optional<Reporter::Next> Reporter::next() const {
  if (!connected_ || left_) return std::nullopt;
  // The session's first state comes before all else: the will of this session is understood from
  // then on.
  if (!state_acknowledged_ && state_due_) return Next{Item::state};
  if (auto owed = next_owed()) return owed;
  if (leaving_) return Next{Item::farewell};
  if (progress_is_due()) return Next{Item::progress};
  if (state_due_) return Next{Item::state};
  return std::nullopt;
}

std::uint32_t Reporter::milliseconds_to_next() const {
  constexpr std::uint32_t long_enough = 60000;
  if (!connected_ || sending_ != Item::none || left_) return long_enough;
  if (next()) return 0;
  if (!progress_) return long_enough;
  const std::uint64_t since = clock_->monotonic_ms() - progress_sent_ms_;
  const bool moved = progress_->percent >= sent_percent_ + progress_step_percent;
  const std::uint64_t due = moved ? progress_least_gap_ms : progress_step_ms;
  return since >= due ? 0 : static_cast<std::uint32_t>(due - since);
}

Status Reporter::run() {
  if (sending_ != Item::none) return {};
  const auto owed = next();
  return owed ? send(*owed) : Status{};
}

Status Reporter::send(const Next& next) {
  sent_ = next;
  switch (next.item) {
    case Item::state:
      return send_state();
    case Item::outcome_mark: {
      const Outcome& outcome = *outcome_with(next.serial);
      return send_mark(next.mark,
                       outcome.update,
                       outcome.target.view(),
                       progress_at(outcome.resumed_at, outcome.total));
    }
    case Item::outcome:
      return send_outcome(*outcome_with(next.serial));
    case Item::unreadable:
      return send_unreadable(unreadable_[next.serial]);
    case Item::mark: {
      const Deployment& current = *ledger_->current();
      return send_mark(next.mark,
                       current.notice.update,
                       current.notice.version.view(),
                       progress_at(current.resumed_at, current.total));
    }
    case Item::progress: {
      contract::StatusFields fields;
      fields.state = UpdateState::downloading;
      fields.progress = *progress_;
      fields.update = ledger_->current()->notice.update.view();
      fields.target = ledger_->current()->notice.version.view();
      sent_percent_ = progress_->percent;
      progress_sent_ms_ = clock_->monotonic_ms();
      return send_status(fields);
    }
    case Item::farewell: {
      sending_ = Item::farewell;
      publish(
          BrokerLink::Topic::state,
          contract::write_will(identity_->id.view(), facts_->version.view(), session_, message_));
      return {};
    }
    case Item::none:
      return {};
  }
  return {};
}

Status Reporter::send_mark(Mark mark,
                           const contract::UpdateId& update,
                           std::string_view target,
                           const contract::Progress& entry) {
  contract::StatusFields fields;
  fields.state = state_of(mark);
  fields.update = update.view();
  fields.target = target;
  if (mark == Mark::download_begun) {
    fields.progress = entry;
    sent_percent_ = entry.percent;
    progress_sent_ms_ = clock_->monotonic_ms();
  }
  if (mark == Mark::download_done) fields.progress = progress_at(entry.total, entry.total);
  return send_status(fields);
}

Status Reporter::send_outcome(const Outcome& outcome) {
  std::array<char, 200> memory{};
  contract::StatusFields fields;
  fields.state = outcome.state;
  fields.update = outcome.update.view();
  fields.target = outcome.target.view();
  if (outcome.state != UpdateState::succeeded) {
    const Sentence sentence = tell(outcome.error,
                                   {outcome.target.view(),
                                    facts_->version.view(),
                                    identity_->product.view(),
                                    identity_->hardware.view(),
                                    identity_->channel.view()},
                                   memory);
    fields.error = contract::StatusError{outcome.error.fault, sentence.detail, sentence.hint};
  }
  if (outcome.state == UpdateState::failed && outcome.total != 0) {
    fields.progress = progress_at(outcome.bytes, outcome.total);
  }
  const Status done = send_status(fields);
  if (done) ledger_->outcome_sent(sent_.serial, fields.seq);
  return done;
}

const Outcome* Reporter::outcome_with(std::uint32_t serial) const {
  for (std::size_t i = 0; i < ledger_->outcome_count(); ++i) {
    if (ledger_->outcome(i).serial == serial) return &ledger_->outcome(i);
  }
  return nullptr;
}

Status Reporter::send_unreadable(const Unreadable& notice) {
  std::array<char, 200> memory{};
  contract::StatusFields fields;
  if (notice.owed == 2) {
    fields.state = UpdateState::received;
    return send_status(fields);
  }
  const Sentence sentence =
      tell({Fault::bad_notice, static_cast<std::int64_t>(notice.defect), 0}, {}, memory);
  fields.state = UpdateState::refused;
  fields.error = contract::StatusError{Fault::bad_notice, sentence.detail, sentence.hint};
  return send_status(fields);
}

void Reporter::answer_unreadable(contract::NoticeDefect defect,
                                 std::uint32_t length,
                                 std::uint32_t crc) {
  const auto known = std::span{unreadable_}.first(unreadable_count_);
  if (std::ranges::any_of(
          known, [&](const Unreadable& u) { return u.length == length && u.crc == crc; })) {
    return;
  }
  if (unreadable_count_ == unreadable_kept) {
    if (sending_ == Item::unreadable)
      return;  // a flood; the places must not move under the PUBACK awaited
    std::move(unreadable_.begin() + 1, unreadable_.end(), unreadable_.begin());
    --unreadable_count_;
  }
  unreadable_[unreadable_count_++] = {length, crc, defect, 2};
}

void Reporter::rejoin() {
  rejoining_ = leaving_ = true;
}

void Reporter::leave() {
  rejoining_ = false;
  leaving_ = true;
  if (!connected_) left_ = true;
}

Status Reporter::send_state() {
  const auto seq = ledger_->take_seq();
  if (!seq) return seq.error();
  contract::StateFields fields;
  fields.id = identity_->id.view();
  fields.mac = identity_->mac.view();
  fields.online = true;
  fields.session = session_;
  fields.product = identity_->product.view();
  fields.hardware = identity_->hardware.view();
  fields.chip = "esp32s3";
  fields.channel = identity_->channel.view();
  fields.version = facts_->version.view();
  fields.build = facts_->build.view();
  fields.image = facts_->image;
  fields.slot = slot_name(facts_->slot);
  fields.confirmed = facts_->confirmed;
  fields.security_counter = facts_->security_counter;
  fields.keys = facts_->keys;
  if (facts_->keys != 0) fields.keys_expired = facts_->keys_expired;
  fields.fallback_below_floor = facts_->fallback_below_floor;
  fields.development = identity_->development;
  fields.clock = facts_->clock_suspect ? "suspect" : "ok";
  fields.agent = OTARIA_AGENT_VERSION;
  fields.max_image = facts_->max_image;
  fields.reset_reason = name_of(facts_->reset_reason);
  // A final status that was never sent has no number yet; it follows at once, and then this is said
  // again.
  const Outcome* latest = ledger_->latest_outcome();
  if (latest != nullptr && latest->seq != 0) {
    fields.last = contract::LastOutcome{
        latest->update.view(), latest->target.view(), latest->state, latest->seq};
  }
  fields.seq = seq.value();
  fields.seq_reset = ledger_->seq_reset();
  state_due_ = false;
  sending_ = Item::state;
  publish(BrokerLink::Topic::state, contract::write_state(fields, message_));
  return {};
}

Status Reporter::send_status(contract::StatusFields& fields) {
  const auto seq = ledger_->take_seq();
  if (!seq) return seq.error();
  fields.id = identity_->id.view();
  fields.version = facts_->version.view();
  fields.build = facts_->build.view();
  fields.seq = seq.value();
  fields.at = clock_->unix_s();
  sending_ = sent_.item;
  publish(BrokerLink::Topic::status, contract::write_status(fields, message_));
  return {};
}

void Reporter::publish(BrokerLink::Topic topic, std::size_t bytes) {
  link_->publish(topic, {message_.data(), bytes});
}

}  // namespace otaria::device
