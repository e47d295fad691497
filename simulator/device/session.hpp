#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/agent/agent.hpp"
#include "device/identity/psa_device_key.hpp"
#include "simulator/device/chip_ports.hpp"
#include "simulator/device/taps.hpp"
#include "simulator/device/virtual_device.hpp"
#include "simulator/net/mosquitto_link.hpp"

namespace otaria::simulator {

/// One life of the agent, from start() to the next reset: all that a reset wipes out.
class Session {
 public:
  Session(VirtualDevice& device,
          const BootReport& report,
          const Provisioned& provisioned,
          std::string version);

  VirtualDevice::Outcome run(device::ResetReason reason);

 private:
  using Time = std::chrono::steady_clock::time_point;

  [[nodiscard]] TlsTrust trust_of(const VirtualDevice& device, const Provisioned& provisioned);
  [[nodiscard]] std::vector<contract::Digest> pins_of(std::string_view host);
  [[nodiscard]] device::Status start_agent(device::ResetReason reason);
  std::optional<VirtualDevice::Outcome> turn();
  void wait();
  void deliver_events();
  void run_agent();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool target_is_confirmed() const;
  void send_telemetry();
  void tell_progress();
  void finish_sending();
  VirtualDevice::Outcome leave(VirtualDevice::End end);

  VirtualDevice& owner_;
  EventLog& log_;
  VirtualFlash& flash_;
  std::uint32_t slot_;
  std::string version_;
  std::string key_list_;  ///< provisioned
  bool bootloader_watches_;

  ChipClock clock_;
  ChipRandom random_;
  ChipSystem system_;
  PlannedApplication application_;
  MosquittoLink link_;
  CurlFetcher fetcher_;
  BrokerTap broker_tap_;
  FetcherTap fetcher_tap_;
  device::PsaVerifier verifier_;
  device::PsaDeviceKey device_key_;
  device::Agent agent_;
  EventTap events_;

  Time next_run_;
  Time next_telemetry_;
  Time next_control_;
  std::optional<Time> panic_at_;
  device::Step told_step_ = device::Step::idle;
  bool told_fatal_ = false;
};

}  // namespace otaria::simulator
