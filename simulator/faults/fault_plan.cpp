#include "simulator/faults/fault_plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "contract/semver.hpp"

namespace otaria::simulator {
namespace {

/// Puts the value into the plan; false: malformed.
using Put = bool (*)(FaultPlan& plan, std::string_view value);

struct FaultKind {
  std::string_view name;
  std::string_view value;
  std::string_view effect;
  Put put;
};

template <std::set<std::string, std::less<>> FaultPlan::*member>
bool put_version(FaultPlan& plan, std::string_view value) {
  if (!contract::parse_semver(value)) return false;
  (plan.*member).emplace(value);
  return true;
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <std::optional<std::uint64_t> FaultPlan::*member>
bool put_count(FaultPlan& plan, std::string_view value) {
  const auto count = number_from<std::uint64_t>(value);
  if (!count || *count == 0) return false;
  plan.*member = count;
  return true;
}

bool put_factor(FaultPlan& plan, std::string_view value) {
  const auto factor = number_from<double>(value);
  if (!factor || !std::isfinite(*factor) || *factor < 0 || *factor > 1000) return false;
  plan.slow_flash = *factor;
  return true;
}

template <std::chrono::milliseconds FaultPlan::*member>
bool put_seconds(FaultPlan& plan, std::string_view value) {
  const auto seconds = number_from<double>(value);
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > 1e9) return false;
  plan.*member = std::chrono::milliseconds{std::llround(*seconds * 1000)};
  return true;
}

bool put_clock(FaultPlan& plan, std::string_view value) {
  if (value != "ntp" && value != "unset") return false;
  plan.clock_is_set = value == "ntp";
  return true;
}

constexpr std::array kinds{
    // clang-format off
    FaultKind{"crash-on-boot", "VERSION", "panics before its agent runs, at every start", put_version<&FaultPlan::crash_on_boot>},
    FaultKind{"hang-on-boot", "VERSION", "its agent never runs; the watchdog resets the chip", put_version<&FaultPlan::hang_on_boot>},
    FaultKind{"self-test-fail", "VERSION", "its application's self-test fails", put_version<&FaultPlan::self_test_fail>},
    FaultKind{"no-network-in-trial", "VERSION", "cannot reach the broker while on trial", put_version<&FaultPlan::no_network_in_trial>},
    FaultKind{"crash-in-trial", "VERSION", "panics one second into its trial, before it can be confirmed", put_version<&FaultPlan::crash_in_trial>},
    FaultKind{"power-cut-after", "N", "the N-th coming flash operation is torn, then the chip starts again; once", put_count<&FaultPlan::power_cut_after>},
    FaultKind{"power-cut-at-bytes", "N", "the power goes when a download has reached byte N; once", put_count<&FaultPlan::power_cut_at_bytes>},
    FaultKind{"slow-flash", "FACTOR", "erasing and programming take FACTOR times the typical time (45 ms a sector); 0: none", put_factor},
    FaultKind{"veto-download", "SECONDS", "the application forbids downloads for so long after it was first asked", put_seconds<&FaultPlan::veto_download>},
    FaultKind{"veto-reboot", "SECONDS", "the application forbids the restart for so long after it was first asked", put_seconds<&FaultPlan::veto_reboot>},
    FaultKind{"clock", "unset|ntp", "the device does not know the time, or does (default)", put_clock},
    // clang-format on
};

}  // namespace

void add_fault(FaultPlan& plan, std::string_view fault) {
  const auto equals = fault.find('=');
  const std::string_view name = fault.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : fault.substr(equals + 1);
  for (const FaultKind& kind : kinds) {
    if (kind.name != name) continue;
    if (kind.put(plan, value)) return;
    throw FaultError{"fault '" + std::string{fault} + "': write " + std::string{kind.name} + "=" +
                     std::string{kind.value}};
  }
  throw FaultError{"there is no fault '" + std::string{name} + "'; allowed are\n" + fault_help()};
}

std::string fault_help() {
  std::string help;
  for (const FaultKind& kind : kinds) {
    std::string line = "  " + std::string{kind.name} + "=" + std::string{kind.value};
    line.resize(std::max<std::size_t>(line.size() + 2, 32), ' ');
    help += line + std::string{kind.effect} + "\n";
  }
  return help;
}

}  // namespace otaria::simulator
