#include "simulator/device/virtual_device.hpp"

#include <fmt/format.h>

#include <thread>
#include <utility>

#include "simulator/chip/inspection.hpp"
#include "simulator/device/session.hpp"

namespace otaria::simulator {
namespace {

using device::ResetReason;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// From reset to the agent's start; keeps a crash loop from eating the host.
constexpr milliseconds start_up_time{100};

}  // namespace

VirtualDevice::VirtualDevice(VirtualFlash& flash,
                             DeviceOptions options,
                             FaultPlan plan,
                             EventLog& log)
    : flash_{flash},
      options_{std::move(options)},
      plan_{std::move(plan)},
      log_{log},
      control_{options_.control} {
  flash_.seed_tearing(options_.seed);
  flash_.on_misuse([this](std::string_view text) { log_.line("flash", text); });
  apply_plan();
}

VirtualDevice::End VirtualDevice::run(const std::atomic<bool>& stop) {
  stop_ = &stop;
  switched_on_ = steady_clock::now();
  ResetReason reason = ResetReason::power_on;
  while (true) {
    Outcome outcome = power_up(reason);
    if (outcome.end) return *outcome.end;
    if (!flash_.powered()) outcome = power_lost();  // together with another reset
    reason = outcome.reset;
    std::this_thread::sleep_for(start_up_time);
    if (const auto end = ended()) return *end;
  }
}

VirtualDevice::Outcome VirtualDevice::power_up(ResetReason reason) {
  log_.chip_started();
  ++starts_;
  log_.line("chip", fmt::format("reset reason {}", device::name_of(reason)));
  const BootReport report = boot(flash_);
  if (report.outcome == BootOutcome::power_lost) return power_lost();
  if (report.outcome != BootOutcome::started) return unusable(describe(report));
  const auto provisioned = load_provisioned(flash_, report.layout.layout.nvs);
  if (!provisioned) return unusable("no identity in the nvs partition: provision this flash");
  return run_image(report, *provisioned, reason);
}

VirtualDevice::Outcome VirtualDevice::run_image(const BootReport& report,
                                                const Provisioned& provisioned,
                                                ResetReason reason) {
  const std::string version = version_of_slot(flash_, report.layout.layout, report.slot);
  log_.line("boot", fmt::format("{}, version {}", describe(report), version));
  if (plan_.crash_on_boot.contains(version)) {
    log_.line("fault", fmt::format("version {} panics before its agent runs", version));
    return {ResetReason::panic, {}};
  }
  if (plan_.hang_on_boot.contains(version)) {
    log_.line("fault", fmt::format("version {} hangs", version));
    return hang();
  }
  return Session{*this, report, provisioned, version}.run(reason);
}

VirtualDevice::Outcome VirtualDevice::hang() {
  const auto bite = steady_clock::now() + options_.watchdog;
  while (steady_clock::now() < bite) {
    if (const auto end = ended()) return {ResetReason::power_on, end};
    if (obey_control()) return {ResetReason::panic, {}};
    if (!flash_.powered()) return power_lost();
    std::this_thread::sleep_for(milliseconds{20});
  }
  log_.line("chip", "the watchdog resets it");
  return {ResetReason::task_watchdog, {}};
}

VirtualDevice::Outcome VirtualDevice::unusable(std::string_view why) {
  log_.line("chip", why);
  return {ResetReason::power_on, End::unusable};
}

VirtualDevice::Outcome VirtualDevice::power_lost() {
  log_.line("chip",
            fmt::format("lost its power, after {} flash operations", flash_.counters().operations));
  flash_.power_on();
  return {ResetReason::power_on, {}};
}

void VirtualDevice::apply_plan() {
  flash_.set_timing(FlashTiming::typical(plan_.slow_flash));
  if (plan_.power_cut_after)
    flash_.cut_power_in(*std::exchange(plan_.power_cut_after, std::nullopt));
}

bool VirtualDevice::obey_control() {
  if (options_.control.empty()) return false;
  bool panics = false;
  for (const std::string& line : control_.new_lines()) {
    try {
      if (line == "power-cut") {
        flash_.cut_power_now();
      } else if (line == "crash") {
        panics = true;
      } else if (line == "clear") {
        plan_ = {};
        if (flash_.powered()) flash_.power_on();  // forgets a cut still to come
      } else {
        add_fault(plan_, line);
      }
      log_.line("control", line);
    } catch (const FaultError& error) {
      log_.line("control", error.what());
    }
  }
  apply_plan();
  return panics;
}

std::optional<VirtualDevice::End> VirtualDevice::ended() const {
  if (*stop_) return End::switched_off;
  if (options_.run_for && steady_clock::now() - switched_on_ >= *options_.run_for)
    return End::time_over;
  return std::nullopt;
}

}  // namespace otaria::simulator
