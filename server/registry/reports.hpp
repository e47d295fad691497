#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "contract/messages.hpp"

namespace otaria::server {

/// Why an update ended, in the device's words. The code is kept as text: a newer device may know
/// more of them.
struct UpdateError {
  std::string code;
  std::string detail;
  std::string hint;
  friend bool operator==(const UpdateError&, const UpdateError&) = default;
};

/// A status as the server works with it; every member was validated by the codec.
struct StatusReport {
  std::string id;
  std::string version;
  std::string build;
  std::string update;  ///< empty: of a three-field notice
  std::string target;
  contract::UpdateState state = contract::UpdateState::received;
  std::optional<contract::Progress> progress;
  std::optional<UpdateError> error;
  std::uint32_t seq = 0;
  std::optional<std::int64_t> at;  ///< Unix seconds by the device's clock
};

/// `last` of a state: the final outcome of the device's latest update.
struct LastOutcome {
  std::string update;  ///< empty: of a three-field notice
  std::string target;
  contract::UpdateState state = contract::UpdateState::succeeded;
  std::uint32_t seq = 0;
};

/// A state. What is absent means unchanged.
struct StateReport {
  std::string id;
  std::optional<std::string> mac;
  bool online = false;
  std::uint32_t session = 0;
  std::optional<std::string> product, hardware, chip, channel, version, build, image, slot, mode,
      agent, reset_reason;
  std::optional<bool> confirmed;
  std::optional<std::int64_t> security_counter, keys, max_image;
  std::optional<LastOutcome> last;
  std::optional<std::uint32_t> seq;  ///< absent: the will, or its copy before a clean farewell
  bool seq_reset = false;
  bool retained =
      false;  ///< delivered because we subscribed: the newest the broker holds on the topic

  /// `{"id","version","online":false,"session"}`: tells presence, nothing else.
  [[nodiscard]] bool is_presence() const { return !seq; }
};

}  // namespace otaria::server
