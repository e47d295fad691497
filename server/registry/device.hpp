#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/registry/reports.hpp"
#include "server/registry/sequence.hpp"

namespace otaria::server {

/// What the server knows of one device. Members never reported are absent.
struct Device {
  std::string id;
  std::optional<std::string> mac, product, hardware, chip, channel, version, build, image, slot,
      mode, agent, reset_reason;
  std::optional<bool> confirmed;
  std::optional<std::int64_t> security_counter, keys, max_image;
  bool online = false;
  std::optional<std::uint32_t> session;  ///< of the newest state known
  SequenceMarks marks;
  std::int64_t first_seen = 0;  ///< Unix seconds, the server's clock
  std::int64_t last_seen = 0;
  std::int64_t ordinal = 0;           ///< the store's order of registration
  std::optional<std::string> update;  ///< newest open update; the store fills it in on reading
};

/// How a state changed what is known of its device.
struct StateEffect {
  Device device;
  Freshness freshness = Freshness::late;
  bool id_conflict = false;  ///< the id is registered to another MAC; nothing else was done
  bool new_session = false;  ///< the device connected anew since the newest state known
  bool changed = false;      ///< anything but last_seen
};

/// Merges a state into what is known.
///
/// known              the device by that id; nothing at first contact
/// session_restarted  see judge_state
/// now                Unix seconds
/// Source             docs/spec/contract.md, "State" and "Presence";
/// docs/decisions/0010-the-devices-word.md
StateEffect apply_state(const std::optional<Device>& known,
                        const StateReport& report,
                        bool session_restarted,
                        std::int64_t now);

/// Merges what a status tells about its sender: a sign of life, and the version it runs.
Device apply_status(const std::optional<Device>& known,
                    const StatusReport& report,
                    Freshness freshness,
                    std::int64_t now);

/// Online as of the newest state, and not silent for longer than `silence_s` seconds (0: silence
/// says nothing).
bool is_online(const Device& device, std::int64_t now, std::int64_t silence_s);

}  // namespace otaria::server
