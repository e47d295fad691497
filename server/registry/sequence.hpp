#pragma once

#include <compare>
#include <cstdint>

namespace otaria::server {

/// A place in the stream of a device's messages. `epoch` counts the times the device lost its
/// journal and began to number anew; the device does not know it.
struct Sequence {
  std::uint32_t epoch = 0;
  std::uint32_t seq = 0;
  // clang-tidy 14 takes the 0 inside a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend constexpr auto operator<=>(const Sequence&, const Sequence&) = default;
};

/// What the server remembers of one device's numbering.
struct SequenceMarks {
  Sequence newest;        ///< highest of all messages
  Sequence newest_state;  ///< highest of the state messages; seq 0: none yet
};

enum class Freshness : std::uint8_t {
  fresh,   ///< above everything known
  late,    ///< overtaken by another message, or a repeat; the history knows which
  restart  ///< a lower number after a lost journal: a new epoch begins with it
};

/// Judges the number of a status. A status cannot begin an epoch: it names no session.
Freshness judge_status(const SequenceMarks& marks, std::uint32_t seq);

/// Judges the number of a state. A number at or below the newest is accepted once per session, when
/// the state says `seq_reset`. `fresh` means newer than every state known: statuses run ahead of
/// states on another topic.
///
/// session_restarted  whether this (mac, session) has begun an epoch before
/// Source             docs/spec/contract.md, "Order"
Freshness judge_state(const SequenceMarks& marks,
                      std::uint32_t seq,
                      bool seq_reset,
                      bool session_restarted);

/// The place in the stream that `seq` has under the newest epoch.
constexpr Sequence placed(const SequenceMarks& marks, std::uint32_t seq) {
  return {marks.newest.epoch, seq};
}

/// The marks after a message that was judged so.
SequenceMarks advanced_by_status(SequenceMarks marks, std::uint32_t seq);
SequenceMarks advanced_by_state(SequenceMarks marks, std::uint32_t seq, Freshness freshness);

}  // namespace otaria::server
