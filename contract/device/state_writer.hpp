#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/digest.hpp"
#include "contract/packet.hpp"
#include "contract/vocabulary.hpp"

namespace otaria::contract {

/// Largest state payload whose PUBLISH packet fits max_packet_bytes under any device id.
inline constexpr std::size_t max_state_bytes =
    max_payload_bytes(max_device_id_bytes + state_topic_suffix.size());

/// How the latest update ended.
struct LastOutcome {
  std::string_view update = {};  ///< empty: member absent (three-field notice)
  std::string_view target = {};
  UpdateState state = UpdateState::succeeded;
  std::uint32_t seq = 0;  ///< of the status that said so
};

/// The members of a state. Views are read during the call only; a text that is empty, but for id
/// and version, is not written. Names (product, hardware, channel) of the lengths that
/// vocabulary.hpp allows always fit, unless they hold control characters.
struct StateFields {
  std::string_view id = {};
  std::string_view mac = {};  ///< 12 lower-case hex digits
  bool online = true;
  std::uint32_t session = 0;
  std::string_view product = {};
  std::string_view hardware = {};
  std::string_view chip = {};  ///< at most 16 bytes
  std::string_view channel = {};
  std::string_view version = {};
  std::string_view build = {};  ///< first 16 hex digits of the running image's app_elf_sha256
  Digest image = {};            ///< of the running image file as published
  std::string_view slot = {};   ///< `ota_0`, `ota_1`
  bool confirmed = true;        ///< false during a trial
  std::uint32_t security_counter = 0;             ///< lowest one this device installs
  std::uint32_t keys = 0;                         ///< serial of the key list in force; 0: none
  std::optional<bool> keys_expired = {};          ///< certainly past its `expires`
  std::optional<bool> fallback_below_floor = {};  ///< the other slot's image is below the counter
  bool development = false;                       ///< `mode`
  std::string_view clock = {};  ///< `ok`, or `suspect`: the set clock is behind the time floor
  std::string_view agent = {};  ///< version of the agent itself
  std::uint32_t max_image = 0;  ///< bytes of the passive slot
  std::string_view reset_reason = {};
  std::optional<LastOutcome> last = {};
  std::uint32_t seq = 0;
  bool seq_reset = false;  ///< the member is written only when true
};

/// Writes the payload of `<id>/ota/state`. Returns its length in bytes, or 0 when it does not fit
/// `out` (whose content is then of no use). `patch` is the empty list: this build decodes no
/// patches.
///
/// Source  docs/spec/contract.md, "State".
std::size_t write_state(const StateFields& fields, std::span<char> out);

/// Writes the will, `{"id":…,"version":…,"online":false,"session":N}`; returns as write_state.
/// Source  docs/spec/contract.md, "Presence".
std::size_t write_will(std::string_view id,
                       std::string_view version,
                       std::uint32_t session,
                       std::span<char> out);

}  // namespace otaria::contract
