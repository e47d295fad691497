#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace otaria::simulator {

/// A fault that is not understood; the text says what is allowed.
class FaultError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What shall go wrong. Versions are those an image counts as (docs/spec/virtual-device.md).
struct FaultPlan {
  std::set<std::string, std::less<>> crash_on_boot;
  std::set<std::string, std::less<>> hang_on_boot;
  std::set<std::string, std::less<>> self_test_fail;
  std::set<std::string, std::less<>> no_network_in_trial;
  std::set<std::string, std::less<>> crash_in_trial;
  std::optional<std::uint64_t>
      power_cut_after;  ///< flash operations from now; taken out once armed
  std::optional<std::uint64_t> power_cut_at_bytes;  ///< of a download; taken out once it happened
  double slow_flash = 0;  ///< times the typical duration; 0: as fast as the host
  std::chrono::milliseconds veto_download{0};
  std::chrono::milliseconds veto_reboot{0};
  bool clock_is_set = true;
};

/// Adds one `name=value` to the plan. Throws FaultError.
void add_fault(FaultPlan& plan, std::string_view fault);

/// One line per fault: what it is called and does.
std::string fault_help();

}  // namespace otaria::simulator
