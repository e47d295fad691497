#pragma once

#include <string_view>

#include "contract/defect.hpp"
#include "contract/messages.hpp"
#include "contract/text.hpp"

namespace otaria::contract {

using NoticeDefect = Defect;

/// What became of a payload on the notice topic.
struct NoticeReading {
  NoticeDefect defect =
      NoticeDefect::none;  ///< the first one; none: `notice` is whole and every member valid
  Text<24> member;         ///< the member at fault; empty: none, or a name longer than this
  /// Every member that could be read, also when another could not.
  Notice notice;
  /// The update can be named although something else may be wrong: by a readable `update`
  /// (notice.update) or, when no `update` stands there, by a readable `signature` (notice.digest,
  /// notice.update empty).
  bool has_identity = false;
};

/// Most keys and values of a notice, those inside unknown members counted.
inline constexpr std::size_t max_notice_values = 64;

/// Reads a notice. Unknown members are ignored, known ones must be right: `version` a semver 2.0.0,
/// `url` and `manifest` http(s) URLs (is_url), `signature` 64 hex digits in lower case (upper case
/// is refused: one digest has one spelling), `force` a JSON boolean, `update` as is_update_id says,
/// the numbers plain decimal integers of 0 to 2^32 - 1.
///
/// Errors   in the reading; nothing else can happen. `too_long` for more than max_packet_bytes.
/// Memory   about 2 KiB of stack (tokens, one reading); no heap.
/// Source   docs/spec/contract.md, "Notice".
NoticeReading read_notice(std::string_view payload);

}  // namespace otaria::contract
