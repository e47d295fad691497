#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/messages.hpp"
#include "device/agent/identity.hpp"
#include "device/result/result.hpp"

namespace otaria::device {

/// What a notice is judged against.
struct Situation {
  std::string_view running_version;
  std::uint32_t max_image = 0;        ///< bytes of the passive slot
  std::uint32_t failed_attempts = 0;  ///< with this digest
  std::uint32_t failed_attempts_limit = 3;
  std::optional<std::uint32_t> unix_s;  ///< only while the clock is set
  bool development = false;
  bool keys = false;  ///< a key list is in force
};

/// Whether a notice leads to a manifest that must be fetched and judged (manifest_gate.hpp) before
/// anything else; judge() then answers only for what the notice itself says.
inline bool asks_for_manifest(const contract::Notice& notice, const Situation& situation) {
  return !notice.manifest.empty() && (situation.keys || !situation.development);
}

/// Whether a device of this mode listens to such a notice at all (reference trust, section 8, steps
/// 1 and 2): in production only with a manifest, and with https URLs unless plain http was
/// provisioned.
/// Errors  bad_notice (`expected`: plain_http_url), manifest_required.
Status judge_channel(const contract::Notice& notice, const Identity& identity);

/// Whether a well-formed notice may be followed; when it asks_for_manifest(), whether that may be
/// fetched. The first objection wins; `force` skips only the order of versions and the count of
/// attempts.
/// Errors  manifest_required, unknown_key, too_large, notice_expired, not_newer, attempts_exhausted.
/// Source  docs/spec/contract.md, "Notice"; reference trust section 8.
Status judge(const contract::Notice& notice, const Situation& situation);

/// Why a device waits before it downloads, in seconds from now; 0 = it need not. `random` picks the
/// place in `spread`.
std::uint32_t courtesy_wait_s(const contract::Notice& notice,
                              std::optional<std::uint32_t> unix_s,
                              std::uint32_t random);

}  // namespace otaria::device
