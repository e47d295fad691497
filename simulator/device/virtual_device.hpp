#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "device/agent/identity.hpp"
#include "simulator/chip/boot.hpp"
#include "simulator/chip/identity_store.hpp"
#include "simulator/chip/virtual_flash.hpp"
#include "simulator/device/chip_ports.hpp"
#include "simulator/device/event_log.hpp"
#include "simulator/faults/control_file.hpp"
#include "simulator/faults/fault_plan.hpp"
#include "simulator/net/broker_url.hpp"
#include "simulator/net/curl_fetcher.hpp"

namespace otaria::simulator {

struct DeviceOptions {
  BrokerAddress broker;
  std::string token;   ///< MQTT password; empty: none
  std::string ca_pem;  ///< instead of the provisioned trust anchors; empty: those
  std::string server;  ///< instead of the provisioned one; empty: that
  device::Policy policy;
  std::chrono::milliseconds watchdog{5000};
  std::chrono::seconds telemetry{30};  ///< 0: none
  std::string exit_when_confirmed;     ///< a version; empty: run on
  std::optional<std::chrono::seconds> run_for;
  std::filesystem::path control;  ///< empty: none
  std::uint64_t seed = 0;
};

/// One powered virtual ESP32-S3: boots, runs the agent, and starts again after each reset until it
/// is switched off.
///
/// Resets   everything above the flash is made anew: agent, connections, RAM. A panic or a power
/// cut drops the broker's
///          socket without a DISCONNECT; a restart the agent asked for first writes out what it
///          published.
/// Thread   one; `stop` may be set from a signal handler.
class VirtualDevice {
 public:
  enum class End : std::uint8_t {
    switched_off,  ///< `stop` was set
    confirmed,     ///< exit_when_confirmed came true
    time_over,     ///< run_for has passed
    unusable,      ///< no layout, no identity, nothing bootable, or the agent cannot start; the log
                   ///< says which
  };

  VirtualDevice(VirtualFlash& flash, DeviceOptions options, FaultPlan plan, EventLog& log);
  End run(const std::atomic<bool>& stop);

 private:
  friend class Session;
  /// Why the chip starts again, or that it does not.
  struct Outcome {
    device::ResetReason reset = device::ResetReason::power_on;
    std::optional<End> end;
  };

  Outcome power_up(device::ResetReason reason);
  Outcome run_image(const BootReport& report,
                    const Provisioned& provisioned,
                    device::ResetReason reason);
  Outcome hang();
  Outcome unusable(std::string_view why);
  Outcome power_lost();
  void apply_plan();
  /// Carries out new lines of the control file. True: the chip is to panic.
  bool obey_control();
  [[nodiscard]] std::optional<End> ended() const;

  VirtualFlash& flash_;
  DeviceOptions options_;
  FaultPlan plan_;
  EventLog& log_;
  ControlFile control_;
  CurlEngine engine_;
  VetoTimes vetoes_;
  const std::atomic<bool>* stop_ = nullptr;
  std::chrono::steady_clock::time_point switched_on_ = std::chrono::steady_clock::now();
  std::uint64_t starts_ = 0;
};

}  // namespace otaria::simulator
