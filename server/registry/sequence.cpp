#include "server/registry/sequence.hpp"

#include <algorithm>

namespace otaria::server {

Freshness judge_status(const SequenceMarks& marks, std::uint32_t seq) {
  return placed(marks, seq) > marks.newest ? Freshness::fresh : Freshness::late;
}

Freshness judge_state(const SequenceMarks& marks,
                      std::uint32_t seq,
                      bool seq_reset,
                      bool session_restarted) {
  const Sequence place = placed(marks, seq);
  if (place > marks.newest) return Freshness::fresh;
  if (seq_reset && !session_restarted) return Freshness::restart;
  // A state of the epoch before is never newer than the first of this one.
  return place > marks.newest_state ? Freshness::fresh : Freshness::late;
}

SequenceMarks advanced_by_status(SequenceMarks marks, std::uint32_t seq) {
  marks.newest = std::max(marks.newest, placed(marks, seq));
  return marks;
}

SequenceMarks advanced_by_state(SequenceMarks marks, std::uint32_t seq, Freshness freshness) {
  if (freshness == Freshness::late) return marks;
  if (freshness == Freshness::restart) {
    const Sequence first{marks.newest.epoch + 1, seq};
    return {.newest = first, .newest_state = first};
  }
  const Sequence place = placed(marks, seq);
  marks.newest = std::max(marks.newest, place);
  marks.newest_state = place;
  return marks;
}

}  // namespace otaria::server
