#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/defect.hpp"
#include "contract/messages.hpp"
#include "contract/vocabulary.hpp"

/// The messages of the contract on the host's side. Safe from any thread; nothing here throws but
/// std::bad_alloc.
///
/// Source  docs/spec/contract.md; JSON Schema in contract/schema/.
namespace otaria::contract {

/// A message, or why it is none.
template <class T>
struct [[nodiscard]] Decoded {
  std::optional<T> value = {};
  Defect defect = Defect::none;
  std::string
      member;  ///< the member at fault, e.g. `seq` or `error.code`; empty: the text as a whole

  explicit operator bool() const { return value.has_value(); }
};

/// The `error` of a status. A code that this build does not know is kept: newer devices may say
/// more. Control characters in the sentences were read as spaces: they go to terminals and logs.
struct HostError {
  std::string code = {};  ///< fault_from() tells whether it is one of ours
  std::string detail = {};
  std::string hint = {};

  friend bool operator==(const HostError&, const HostError&) = default;
};

/// A status. Required on the wire: id, version, state, seq.
struct HostStatus {
  std::string id = {};
  std::string version = {};  ///< running; not always a semver; empty: the device cannot tell
  std::optional<std::string> build = {};
  std::optional<std::string> update = {};
  std::optional<std::string> target = {};
  UpdateState state = UpdateState::received;
  std::optional<Progress> progress = {};  ///< its three members stand there together or not at all
  std::optional<HostError> error = {};
  std::uint32_t seq = 0;
  std::optional<std::uint32_t> at = {};  ///< Unix seconds by the device's clock
};

/// How the latest update of a device ended.
struct HostLast {
  std::optional<std::string> update = {};
  std::optional<std::string> target = {};
  UpdateState state = UpdateState::succeeded;
  std::uint32_t seq = 0;

  friend bool operator==(const HostLast&, const HostLast&) = default;
};

/// A state or, with only id, version, online and session, a will. Required on the wire: id. Absent
/// means unchanged.
struct HostState {
  std::string id = {};
  std::optional<std::string> mac = {};
  std::optional<bool> online = {};
  std::optional<std::uint32_t> session = {};
  std::optional<std::string> product = {};
  std::optional<std::string> hardware = {};
  std::optional<std::string> chip = {};
  std::optional<std::string> channel = {};
  std::optional<std::string> version = {};
  std::optional<std::string> build = {};
  std::optional<std::string>
      image;  ///< 64 lower-case hex digits: SHA-256 of the running image file
  std::optional<std::string> slot = {};
  std::optional<bool> confirmed = {};
  std::optional<std::uint32_t> security_counter = {};
  std::optional<std::uint32_t> keys = {};
  std::optional<bool> keys_expired = {};
  std::optional<bool> fallback_below_floor = {};
  std::optional<std::string> mode = {};   ///< `development` or `production`
  std::optional<std::string> clock = {};  ///< `ok` or `suspect`; newer devices may say more
  std::optional<std::string> agent = {};
  std::optional<std::uint32_t> max_image = {};  ///< bytes
  std::optional<std::vector<std::string>> patch = {};
  std::optional<std::string> reset_reason = {};
  std::optional<HostLast> last = {};
  std::optional<std::uint32_t> seq = {};
  bool seq_reset = false;
};

/// Each takes the whole payload. Errors: every Defect; `too_long` for more than max_packet_bytes,
/// which no device sends.
Decoded<Notice> decode_notice(std::string_view payload);
Decoded<HostStatus> decode_status(std::string_view payload);
Decoded<HostState> decode_state(std::string_view payload);

/// Each writes what the fields say, in the contract's order, on one line. Bytes that are no UTF-8
/// become U+FFFD. Optional members of a notice are written when they differ from their default,
/// `force` always.
std::string encode_notice(const Notice& notice);
std::string encode_status(const HostStatus& status);
std::string encode_state(const HostState& state);

/// Bytes of the PUBLISH packet that brings `payload` to the device `id`; a device takes
/// max_packet_bytes. Every Notice that its own members can hold fits under every id.
std::size_t notice_packet_bytes(std::string_view id, std::string_view payload);

}  // namespace otaria::contract
