#include <algorithm>

#include "contract/device/notice_reader.hpp"
#include "device/agent/agent.hpp"
#include "device/notice/judge.hpp"

/// Notices: identity, repeats, supersession, withdrawal (docs/spec/contract.md, "Identity and repeats").
namespace otaria::device {
namespace {

using contract::UpdateState;

bool may_still_change(Phase phase) {
  return phase < Phase::installed;
}

}  // namespace

void Agent::on_message(std::span<const char> payload, std::uint32_t true_length) {
  if (step_ == Step::halted) return;
  if (true_length == 0) {
    withdraw();
    return;
  }
  const std::string_view text{payload.data(), payload.size()};
  contract::NoticeReading reading = contract::read_notice(text);
  if (true_length > payload.size()) reading.defect = contract::Defect::too_long;
  if (reading.defect != contract::Defect::none && !reading.has_identity) {
    const std::span<const std::uint8_t> bytes{reinterpret_cast<const std::uint8_t*>(payload.data()),
                                              payload.size()};
    reporter_.answer_unreadable(reading.defect, true_length, crc32(bytes));
    return;
  }
  offer(reading.notice, static_cast<std::uint32_t>(reading.defect));
}

void Agent::withdraw() {
  parked_ = false;
  const auto& current = ledger_.current();
  if (!current || !may_still_change(current->phase)) return;
  finish_by_bytes({Fault::withdrawn});
}

void Agent::offer(const contract::Notice& notice, std::uint32_t defect) {
  if (const auto& current = ledger_.current()) {
    if (current->has_same_identity(notice)) {
      if (defect == 0) repeat(notice);
      return;
    }
    if (!may_still_change(current->phase) || step_ == Step::on_trial) {
      parked_ = true;
      return;
    }
    finish_by_bytes({Fault::superseded});
    if (step_ == Step::halted) return;
  } else if (is_refreshing_keys()) {
    keys_wanted_ = true;  // an offer comes first
    keys_wanted_from_ms_ = now();
    cancel_fetch();
    keys_.abandon();
    enter(Step::idle);
  } else if (step_ != Step::idle) {
    parked_ = true;  // a trial without an update of ours
    return;
  }
  if (!notice.update.empty() && ledger_.find_outcome(notice.update.view()) != nullptr) {
    ledger_.repeat_outcome(notice.update.view());
    return;
  }
  if (defect != 0) {
    refuse(notice, {Fault::bad_notice, defect}, UpdateState::refused);
    return;
  }
  if (auto allowed = judge_channel(notice, identity_); !allowed) {
    refuse(notice, allowed.error(), UpdateState::refused);
    return;
  }
  if (notice.digest == facts_.image && facts_.confirmed) {
    refuse(notice, {}, UpdateState::succeeded);
    return;
  }
  const Situation situation{facts_.version.view(),
                            facts_.max_image,
                            ledger_.failed_attempts(notice.digest),
                            policy_.failed_attempts_limit,
                            ports_.clock.unix_s(),
                            identity_.development,
                            keys_.has_keys()};
  if (auto judgement = judge(notice, situation); !judgement) {
    refuse(notice, judgement.error(), UpdateState::refused);
    return;
  }
  if (!ok(ledger_.accept(notice))) return;
  if (asks_for_manifest(notice, situation)) {
    begin_judgement();  // in hand already, so that what comes meanwhile finds it there
  } else {
    begin_accepted();
  }
}

// The notice of the update in hand came again: after a reset that is the leave to go on; with a new
// URL it heals an expired one.
void Agent::repeat(const contract::Notice& notice) {
  const Deployment& current = *ledger_.current();
  if (current.notice.digest != notice.digest) return;  // one id, two images: the first one counts
  const bool new_url = !(current.notice.url == notice.url);
  if (new_url && !ok(ledger_.replace_url(notice.url))) return;
  if (step_ == Step::awaiting_notice) {
    if (!is_proven()) {
      begin_judgement();  // a reset came between: only what the journal accepted counts
    } else if (current.bytes_fetched) {
      prepare_download();
    } else {
      begin_accepted();
    }
  } else if (step_ == Step::awaiting_url &&
             (new_url || now() - step_entered_ms_ >= policy_.retry_limit_ms)) {
    request();  // the same URL is worth another try too, but not in step with a server that repeats
                // itself
  }
}

// Ends at once what never came into hand.
void Agent::refuse(const contract::Notice& notice, Error error, UpdateState state) {
  Outcome outcome;
  outcome.update = notice.update;
  outcome.target = notice.version;
  outcome.state = state;
  outcome.error = error;
  outcome.unsent.set(Mark::received);
  if (!ok(ledger_.finish_unaccepted(outcome, notice.digest))) return;
  reporter_.state_changed();
}

void Agent::begin_accepted() {
  const contract::Notice& notice = ledger_.current()->notice;
  const std::uint64_t wait_s = courtesy_wait_s(notice, ports_.clock.unix_s(), ports_.random.next());
  enter(Step::delaying);
  resume_at_ms_ = now() + wait_s * 1000;
  download_reported_ = false;
  if (wait_s != 0) report_waiting();
}

}  // namespace otaria::device
