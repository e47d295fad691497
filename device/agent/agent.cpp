#include "device/agent/agent.hpp"

#include <algorithm>

#include "device/notice/manifest_gate.hpp"

namespace otaria::device {
namespace {

using contract::UpdateState;

constexpr std::uint32_t glance_ms = 200;  // asking the application again
constexpr std::uint32_t second_ms = 1000;

std::span<char, contract::max_packet_bytes> as_text(
    std::array<std::uint8_t, contract::max_packet_bytes>& bytes) {
  return std::span<char, contract::max_packet_bytes>{reinterpret_cast<char*>(bytes.data()),
                                                     bytes.size()};
}

TokenSettings token_settings(const TokenAccess& access,
                             const Identity& identity,
                             const Policy& policy) {
  TokenSettings settings;
  settings.access = &access;
  settings.identity = &identity;
  settings.retry_first_ms = policy.reconnect_first_ms;
  settings.retry_limit_ms = policy.reconnect_limit_ms;
  return settings;
}

}  // namespace

Agent::Agent(const Ports& ports, const Identity& identity, const Policy& policy)
    : ports_{ports},
      identity_{identity},
      policy_{policy},
      journal_{ports.flash, 0, 0, std::span{message_}.first<Journal::work_bytes>()},
      ledger_{journal_},
      reporter_{ledger_, ports_.broker, ports_.clock, identity_, facts_, as_text(message_)},
      keys_{ports.flash, ledger_, hasher_, ports.verifier},
      reconnect_{policy.reconnect_first_ms, policy.reconnect_limit_ms},
      tokens_{token_settings(ports_.tokens, identity_, policy),
              ports.fetcher,
              hasher_,
              ports.clock,
              ports.random,
              as_text(message_)},
      writer_{ports.flash},
      backoff_{policy.retry_first_ms, policy.retry_limit_ms} {}

// A journal or flash that does not take what must be durable ends all updating until the next
// start: going on would act before it is remembered.
bool Agent::ok(Status status) {
  if (status) return true;
  if (fatal_.fault == Fault::none) fatal_ = status.error();
  cancel_fetch();
  enter(Step::halted);
  return false;
}

void Agent::mark(Mark mark, bool durable) {
  ok(ledger_.mark(mark, durable));
}

void Agent::report_waiting() {
  ledger_.note_waiting();
  reporter_.progress_ended();
  download_reported_ = false;
  mark(Mark::waiting, true);
}

void Agent::enter(Step step) {
  step_ = step;
  step_entered_ms_ = now();
  connected_ms_ = 0;
  window_started_ms_ = step_entered_ms_;
  window_bytes_ = 0;
}

std::uint32_t Agent::until(std::uint64_t time) const {
  const std::uint64_t present = now();
  return time <= present
             ? 0
             : static_cast<std::uint32_t>(std::min<std::uint64_t>(time - present, long_ms));
}

// --- broker
// ---------------------------------------------------------------------------------------------------------

void Agent::on_broker_connected() {
  reconnect_.reset();
  accounted_ms_ = now();
  lists_between_ = 0;
  renew_expired_keys();
  reporter_.on_connected();
  ports_.broker.subscribe_to_notices();
}

void Agent::on_broker_lost() {
  account_connected_time();
  link_open_ = false;
  reconnect_at_ms_ = reporter_.rejoining() ? now() : now() + reconnect_.next(ports_.random);
  ok(reporter_.on_lost());
}

void Agent::on_broker_refused() {
  tokens_.token_refused();
}

void Agent::on_published() {
  ok(reporter_.on_published());
}

void Agent::keep_connected() {
  if (link_open_ || step_ == Step::halted || reporter_.left() || now() < reconnect_at_ms_) return;
  if (step_ == Step::rebooting || step_ == Step::going_back) return;
  if (lacks_token()) return;  // the broker would refuse us
  link_open_ = true;
  renewed_ = false;
  adopt_assigned_id();
  ok(reporter_.connect(tokens_.token()));
}

void Agent::account_connected_time() {
  const std::uint64_t present = now();
  if (reporter_.connected()) connected_ms_ += present - accounted_ms_;
  accounted_ms_ = present;
}

// --- the end of an update
// ----------------------------------------------------------------------------------------------

void Agent::finish(UpdateState state, Error error) {
  cancel_fetch();
  reporter_.progress_ended();
  if (!ok(ledger_.finish(state, error, bytes_in_hand()))) return;
  reporter_.state_changed();
  ports_.application.progress(state, {});
  enter(Step::idle);
  take_parked_notice();
}

std::uint32_t Agent::bytes_in_hand() const {
  const Deployment& current = *ledger_.current();
  if (!current.bytes_fetched) return 0;
  if (current.phase > Phase::downloading) return current.total;
  return std::max(writer_.written(), current.phase == Phase::downloading ? current.prefix : 0);
}

// Refused means that nothing was fetched; one byte makes it a failure.
void Agent::finish_by_bytes(Error error) {
  finish(ledger_.current()->bytes_fetched ? UpdateState::failed : UpdateState::refused, error);
}

void Agent::take_parked_notice() {
  if (!parked_) return;
  parked_ = false;
  if (reporter_.connected())
    ports_.broker.subscribe_to_notices();  // the broker sends the retained notice again
}

// --- driving
// ------------------------------------------------------------------------------------------------------------

std::uint32_t Agent::run() {
  if (step_ == Step::halted) return long_ms;
  const std::uint32_t tokens_want = run_tokens();
  if (step_ == Step::halted) return long_ms;
  keep_connected();
  account_connected_time();
  watch_clock();
  const std::uint32_t keys_want = fetch_wanted_keys();
  const std::uint32_t step_wants = step_ == Step::halted ? long_ms : run_step();
  if (step_ == Step::halted) return long_ms;
  if (!ok(reporter_.run())) return long_ms;
  const std::uint32_t link_wants = link_open_ || lacks_token() ? long_ms : until(reconnect_at_ms_);
  return std::min(
      {step_wants, link_wants, tokens_want, keys_want, reporter_.milliseconds_to_next()});
}

std::uint32_t Agent::run_step() {
  switch (step_) {
    case Step::idle:
    case Step::halted:
      return long_ms;
    case Step::fetching_manifest:
    case Step::fetching_keys:
      return run_fetching();
    case Step::fetch_waiting:
      if (now() >= resume_at_ms_) fetch(file_);
      return until(resume_at_ms_);
    case Step::judging:
      run_judging();
      return 0;
    case Step::delaying:
      return run_delaying();
    case Step::awaiting_notice:
    case Step::awaiting_url:
      return run_awaiting();
    case Step::preparing:
      if (scan_slice()) finish_prefix_scan();
      return 0;
    case Step::requesting:
    case Step::streaming:
      return run_transfer();
    case Step::backing_off:
      if (now() >= resume_at_ms_) request();
      return until(resume_at_ms_);
    case Step::verifying:
      verify();
      return 0;
    case Step::rehashing:
      if (scan_slice()) finish_rehash();
      return 0;
    case Step::selecting:
      select();
      return 0;
    case Step::installed:
      return run_installed();
    case Step::rebooting:
    case Step::going_back:
      return run_leaving();
    case Step::on_trial:
      return run_trial();
  }
  return long_ms;
}

std::uint32_t Agent::run_delaying() {
  const contract::Notice& notice = ledger_.current()->notice;
  const auto unix_s = ports_.clock.unix_s();
  if (notice.deadline && unix_s && *unix_s > *notice.deadline) {
    finish_by_bytes({Fault::notice_expired, *unix_s, *notice.deadline});
    return 0;
  }
  if (now() < resume_at_ms_) return std::min(until(resume_at_ms_), second_ms);
  if (ports_.application.may_download() == Application::Answer::yes) {
    prepare_download();
    return 0;
  }
  const std::uint64_t vetoed_ms = now() - std::max(resume_at_ms_, step_entered_ms_);
  if (vetoed_ms >= policy_.veto_limit_s * std::uint64_t{second_ms}) {
    finish_by_bytes({Fault::busy, static_cast<std::int64_t>(vetoed_ms / second_ms)});
    return 0;
  }
  if (!ledger_.current()->waiting_reported) report_waiting();
  return glance_ms;
}

std::uint32_t Agent::run_awaiting() {
  const bool for_url = step_ == Step::awaiting_url;
  const std::uint64_t limit_s =
      for_url ? policy_.expired_url_limit_s : policy_.absent_notice_limit_s;
  if (connected_ms_ < limit_s * second_ms) return second_ms;
  finish_by_bytes(for_url ? Error{Fault::download_failed, last_status_, writer_.written()}
                          : Error{Fault::withdrawn});
  return 0;
}

std::uint32_t Agent::run_transfer() {
  const std::uint64_t window_ends = window_started_ms_ + policy_.stall_window_ms;
  if (now() < window_ends) return until(window_ends);
  if (step_ != Step::requesting && window_bytes_ >= policy_.stall_minimum_bytes) {
    window_started_ms_ = now();
    window_bytes_ = 0;
    return until(window_started_ms_ + policy_.stall_window_ms);
  }
  cancel_fetch();
  last_status_ = 0;
  if (is_fetching_file()) {
    retry_file();
  } else {
    // A server that gives a block now and then must not hold the device for days: what is too slow
    // for the window is no progress either.
    if (writer_.written() - request_offset_ < policy_.stall_minimum_bytes) {
      request_offset_ = writer_.written();
    }
    retry(transport_error());
  }
  return 0;
}

std::uint32_t Agent::run_installed() {
  const std::uint64_t vetoed_ms = now() - step_entered_ms_;
  const bool patience_over = vetoed_ms >= policy_.veto_limit_s * std::uint64_t{second_ms};
  if (!patience_over && ports_.application.may_reboot() != Application::Answer::yes)
    return glance_ms;
  ports_.application.about_to_reboot();
  mark(Mark::rebooting, true);
  if (step_ == Step::halted) return long_ms;
  enter(Step::rebooting);
  reporter_.leave();
  return 0;
}

std::uint32_t Agent::run_leaving() {
  const std::uint64_t latest = step_entered_ms_ + policy_.rebooting_flush_ms;
  if (!reporter_.left() && now() < latest) return until(latest);
  const bool back = step_ == Step::going_back;
  enter(Step::halted);
  if (back) {
    // Only a pending trial ends by itself; a selection whose state was lost needs a record for the
    // old slot.
    const auto active = records_->active();
    const bool pending = active && active.value() && active.value()->slot == facts_.slot &&
                         active.value()->record.state == BootState::pending;
    if (!pending) {
      if (auto done = records_->repair(passive()); !done) fatal_ = done.error();
    }
  }
  ports_.system.restart();
  return long_ms;
}

// --- trial
// ----------------------------------------------------------------------------------------------------------------

std::uint32_t Agent::run_trial() {
  const Application::Health health = ports_.application.self_test();
  const std::uint64_t lasted_ms = now() - step_entered_ms_;
  if (health == Application::Health::failed) {
    fail_trial({Fault::self_test_failed, static_cast<std::int64_t>(lasted_ms / second_ms)});
    return 0;
  }
  if (health == Application::Health::passed && reporter_.broker_reached()) {
    confirm();
    return 0;
  }
  if (lasted_ms >= policy_.trial_timeout_s * std::uint64_t{second_ms}) {
    fail_trial({Fault::trial_timeout,
                static_cast<std::int64_t>(lasted_ms / second_ms),
                policy_.trial_timeout_s});
    return 0;
  }
  return glance_ms;
}

// otadata first, then the journal: a cut between them starts one more trial that finds itself
// confirmed.
void Agent::confirm() {
  if (auto done = records_->confirm(facts_.slot); !done) {
    fail_trial(done.error());
    return;
  }
  const auto manifest = ledger_.current() ? ledger_.current()->manifest : std::nullopt;
  if (!ok(ledger_.confirm_slot(facts_.slot, manifest))) return;
  if (manifest && !ok(ledger_.note_time(counted_issue(manifest->issued, keys_.issued())))) return;
  facts_.confirmed = true;
  learn_keys();
  if (ledger_.current()) {
    finish(UpdateState::succeeded, {});
    return;
  }
  enter(Step::idle);
  take_parked_notice();
}

void Agent::fail_trial(Error error) {
  if (ledger_.current() && !ok(ledger_.set_trial_failure(error))) return;
  go_back();
}

void Agent::go_back() {
  const Region& other = passive_slot();
  checker_.reset({chip::esp32s3, other.bytes});
  if (!check_image_in_flash(ports_.flash, other.base, other.bytes, checker_)) {
    enter(Step::on_trial);  // nothing whole to go back to: keep trying to become healthy
    return;
  }
  ports_.application.about_to_reboot();
  enter(Step::going_back);
  reporter_.leave();
}

}  // namespace otaria::device
