#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/messages.hpp"
#include "contract/packet.hpp"
#include "contract/vocabulary.hpp"

namespace otaria::contract {

/// Largest status payload whose PUBLISH packet fits max_packet_bytes under any device id.
inline constexpr std::size_t max_status_bytes =
    max_payload_bytes(max_device_id_bytes + status_topic_suffix.size());

/// Bytes that `detail` and `hint` may have together, as written: quotes, backslashes and line ends
/// count double or more. Within this, a status of the longest id, versions, update and numbers fits
/// max_status_bytes.
inline constexpr std::size_t max_error_text_bytes = 512;

/// Why an update ended: for programs the code, for people the sentence and what to do.
struct StatusError {
  Fault fault = Fault::none;
  std::string_view detail = {};
  std::string_view hint = {};
};

/// The members of a status. Views are read during the call only.
struct StatusFields {
  std::string_view id = {};
  std::string_view version = {};  ///< what runs now
  std::string_view build = {};    ///< start of the running image's app_elf_sha256; empty: absent
  std::string_view update = {};   ///< empty: member absent (three-field notice)
  std::string_view target = {};   ///< version of the notice; empty: member absent
  UpdateState state = UpdateState::received;
  std::optional<Progress> progress = {};  ///< downloading, or failed with bytes fetched
  std::optional<StatusError> error = {};  ///< in every final state but succeeded
  std::uint32_t seq = 0;
  std::optional<std::uint32_t> at = {};  ///< Unix seconds; absent while the clock is not set
};

/// Writes the payload of `<id>/ota/status`. Returns its length in bytes, or 0 when it does not fit
/// `out` (whose content is then of no use).
///
/// Source  docs/spec/contract.md, "Status".
std::size_t write_status(const StatusFields& fields, std::span<char> out);

}  // namespace otaria::contract
