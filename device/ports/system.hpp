#pragma once

#include <cstdint>
#include <string_view>

#include "contract/messages.hpp"

namespace otaria::device {

/// Why the chip started; names are those of the state's `reset_reason`.
/// Source  esp_reset_reason_t, reference/esp-idf-port.md section 10.
enum class ResetReason : std::uint8_t {
  unknown,
  power_on,
  external,
  software,
  panic,
  interrupt_watchdog,
  task_watchdog,
  other_watchdog,
  deep_sleep,
  brownout,
};

constexpr std::string_view name_of(ResetReason reason) {
  constexpr std::string_view names[] = {"unknown",
                                        "power_on",
                                        "external",
                                        "software",
                                        "panic",
                                        "int_watchdog",
                                        "task_watchdog",
                                        "watchdog",
                                        "deep_sleep",
                                        "brownout"};
  return names[static_cast<unsigned>(reason)];
}

/// The rest of what a platform owes.
class System {
 public:
  /// Resets the chip. On the chip it does not return; elsewhere the driver stops calling this
  /// agent.
  virtual void restart() = 0;

 protected:
  ~System() = default;
};

/// What the application may say to an update. Every hook returns at once.
class Application {
 public:
  enum class Answer : std::uint8_t { yes, not_now };
  enum class Health : std::uint8_t { pending, passed, failed };

  /// May the download start? `not_now` is asked again until the agent's veto limit (then `busy`).
  virtual Answer may_download() { return Answer::yes; }
  /// May the device restart into the new image now?
  virtual Answer may_reboot() { return Answer::yes; }
  /// The restart comes next: put the sensor into a safe state.
  virtual void about_to_reboot() {}
  /// Asked repeatedly during the trial until it is not `pending`.
  virtual Health self_test() { return Health::passed; }
  virtual void progress(contract::UpdateState state, const contract::Progress& progress) {
    (void)state;
    (void)progress;
  }

 protected:
  ~Application() = default;
};

}  // namespace otaria::device
