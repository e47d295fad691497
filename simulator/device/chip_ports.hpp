#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "device/ports/clock.hpp"
#include "device/ports/system.hpp"
#include "simulator/faults/fault_plan.hpp"

namespace otaria::simulator {

/// The host's clocks; "since boot" begins when this object is made.
class ChipClock final : public device::Clock {
 public:
  explicit ChipClock(const FaultPlan& plan) : plan_{plan} {}
  [[nodiscard]] std::uint64_t monotonic_ms() const override {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since_start()).count());
  }
  [[nodiscard]] std::optional<std::uint32_t> unix_s() const override {
    if (!plan_.clock_is_set) return std::nullopt;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now).count());
  }
  [[nodiscard]] std::chrono::steady_clock::duration since_start() const {
    return std::chrono::steady_clock::now() - started_;
  }

 private:
  const FaultPlan& plan_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

class ChipRandom final : public device::Random {
 public:
  explicit ChipRandom(std::uint64_t seed)
      : engine_{static_cast<std::mt19937::result_type>(seed ^ (seed >> 32))} {}
  std::uint32_t next() override { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

class ChipSystem final : public device::System {
 public:
  void restart() override { restart_requested_ = true; }
  [[nodiscard]] bool restart_requested() const { return restart_requested_; }

 private:
  bool restart_requested_ = false;
};

/// When the application was first asked; kept across resets, as a veto counts from its first
/// question.
struct VetoTimes {
  std::optional<std::chrono::steady_clock::time_point> download;
  std::optional<std::chrono::steady_clock::time_point> reboot;
};

/// A sensor's application as far as updates are concerned; the fault plan decides how it behaves.
class PlannedApplication final : public device::Application {
 public:
  PlannedApplication(const FaultPlan& plan, VetoTimes& vetoes, std::string version)
      : plan_{plan}, vetoes_{vetoes}, version_{std::move(version)} {}

  Answer may_download() override { return answer(vetoes_.download, plan_.veto_download); }
  Answer may_reboot() override { return answer(vetoes_.reboot, plan_.veto_reboot); }
  Health self_test() override {
    if (plan_.self_test_fail.contains(version_)) return Health::failed;
    // Nothing can be confirmed before the crash that is planned.
    return plan_.crash_in_trial.contains(version_) ? Health::pending : Health::passed;
  }

 private:
  static Answer answer(std::optional<std::chrono::steady_clock::time_point>& first_asked,
                       std::chrono::milliseconds veto) {
    const auto now = std::chrono::steady_clock::now();
    if (!first_asked) first_asked = now;
    return now - *first_asked < veto ? Answer::not_now : Answer::yes;
  }

  const FaultPlan& plan_;
  VetoTimes& vetoes_;
  std::string version_;
};

}  // namespace otaria::simulator
