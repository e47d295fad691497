#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace otaria::device {

/// Where the agent stands. On power-up it is derived from flash, never remembered.
enum class Step : std::uint8_t {
  idle,
  fetching_manifest,
  fetching_keys,
  fetch_waiting,
  judging,
  delaying,
  awaiting_notice,
  preparing,
  requesting,
  streaming,
  backing_off,
  awaiting_url,
  verifying,
  rehashing,
  selecting,
  installed,
  rebooting,
  on_trial,
  going_back,
  halted,
};

/// How long a step may last; the figures are the Policy's.
enum class AtMost : std::uint8_t {
  unlimited,
  veto_limit,           ///< the application's patience, 24 h
  absent_notice_limit,  ///< connected time, 24 h
  expired_url_limit,    ///< connected time, 1 h
  stall_window,         ///< 60 s with too few bytes
  retry_wait,           ///< the back-off, or what Retry-After asked for
  one_pass,             ///< bounded by its own work: it ends by itself
  flush_wait,           ///< 5 s for the last PUBACK
  trial_timeout,        ///< 5 min
};

struct StepRow {
  Step step;
  std::string_view does;
  AtMost at_most;
  Step if_done;
  Step if_failed;  ///< failed or late; idle = the update ends with a final status
};

/// The life of an update. docs/spec/agent.md is printed from it.
inline constexpr std::array steps{
    // clang-format off
//        step                     does                                                       at most                      done                     failed or late
  StepRow{Step::idle,              "waits for a notice",                                      AtMost::unlimited,           Step::fetching_manifest, Step::idle},
  StepRow{Step::fetching_manifest, "fetches the manifest into a free area of flash",          AtMost::stall_window,        Step::judging,           Step::fetch_waiting},
  StepRow{Step::fetching_keys,     "fetches a key list likewise, when a newer one is wanted", AtMost::stall_window,        Step::judging,           Step::fetch_waiting},
  StepRow{Step::fetch_waiting,     "waits before it asks for the file again",                 AtMost::retry_wait,          Step::fetching_manifest, Step::idle},
  StepRow{Step::judging,           "signatures, manifest, policy; journals what it accepts",  AtMost::one_pass,            Step::delaying,          Step::idle},
  StepRow{Step::delaying,          "spread, not_before, the application's veto",              AtMost::veto_limit,          Step::preparing,         Step::idle},
  StepRow{Step::awaiting_notice,   "after a reset: is the update still wanted?",              AtMost::absent_notice_limit, Step::preparing,         Step::idle},
  StepRow{Step::preparing,         "hashes what an earlier session left in flash",            AtMost::one_pass,            Step::requesting,        Step::requesting},
  StepRow{Step::requesting,        "asks the server",                                         AtMost::stall_window,        Step::streaming,         Step::backing_off},
  StepRow{Step::streaming,         "writes and hashes, block by block",                       AtMost::stall_window,        Step::verifying,         Step::backing_off},
  StepRow{Step::backing_off,       "waits before it asks again",                              AtMost::retry_wait,          Step::requesting,        Step::idle},
  StepRow{Step::awaiting_url,      "the URL has expired: waits for a renewed one",            AtMost::expired_url_limit,   Step::requesting,        Step::idle},
  StepRow{Step::verifying,         "digest, image; then writes the held-back bytes",          AtMost::one_pass,            Step::rehashing,         Step::idle},
  StepRow{Step::rehashing,         "reads the whole slot once more",                          AtMost::one_pass,            Step::selecting,         Step::idle},
  StepRow{Step::selecting,         "writes the boot record",                                  AtMost::one_pass,            Step::installed,         Step::idle},
  StepRow{Step::installed,         "waits until the application lets it restart",             AtMost::veto_limit,          Step::rebooting,         Step::rebooting},
  StepRow{Step::rebooting,         "reports, leaves the broker",                              AtMost::flush_wait,          Step::halted,            Step::halted},
  StepRow{Step::on_trial,          "self-test, broker reached, then confirms",                AtMost::trial_timeout,       Step::idle,              Step::going_back},
  StepRow{Step::going_back,        "leaves the broker, selects the previous image",           AtMost::flush_wait,          Step::halted,            Step::halted},
  StepRow{Step::halted,            "the chip restarts; or the flash has failed",              AtMost::unlimited,           Step::halted,            Step::halted},
};  // clang-format on

constexpr const StepRow& row_of(Step step) {
  return steps[static_cast<std::size_t>(step)];
}

constexpr bool has_one_row_per_step_in_order() {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].step != static_cast<Step>(i)) return false;
  }
  return steps.size() == static_cast<std::size_t>(Step::halted) + 1;
}
constexpr bool comes_to_rest_if_everything_fails(Step step) {
  for (std::size_t failures = 0; failures < steps.size(); ++failures) step = row_of(step).if_failed;
  return step == Step::idle || step == Step::halted;
}
static_assert(has_one_row_per_step_in_order());
static_assert(std::ranges::all_of(steps, comes_to_rest_if_everything_fails, &StepRow::step));

}  // namespace otaria::device
