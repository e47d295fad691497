#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "contract/vocabulary.hpp"
#include "server/registry/reports.hpp"
#include "server/registry/sequence.hpp"

namespace otaria::server {

/// One device's part of an update: what was offered and how far the device says it is.
struct Deployment {
  std::string id;  ///< ULID; the wire's `update`
  std::string device;
  std::optional<std::string> release;  ///< absent: a file hosted elsewhere
  std::string target;
  std::optional<std::string> from;  ///< the version known when it was offered
  std::string sha256;
  std::optional<std::uint32_t> size;
  std::string url;  ///< of a file hosted elsewhere; empty: ours, made from the digest
  std::optional<std::string> manifest;  ///< id of the manifest; absent: nobody signed the image
  bool force = false;
  std::uint32_t spread_s = 0;
  std::optional<std::uint32_t> not_before, deadline;  ///< Unix seconds

  std::optional<contract::UpdateState> reported;  ///< newest word of the device; absent: offered
  std::optional<contract::Progress> progress;
  std::optional<UpdateError> error;
  Sequence place;           ///< of the newest report applied
  bool stale = false;       ///< silent for longer than its state allows; any report heals it
  bool withdrawn = false;   ///< no longer offered, by the operator or the deadline
  bool superseded = false;  ///< no longer offered: the device has a newer one
  /// Ended in the books without the device's word, because it cannot have heard of the offer. The
  /// device's word undoes it.
  bool closed_by_server = false;
  std::int64_t created_at = 0;  ///< Unix seconds
  std::int64_t updated_at = 0;
  std::int64_t due_at = 0;  ///< when it becomes stale; 0: never

  [[nodiscard]] bool final() const { return reported && contract::is_final(*reported); }
  [[nodiscard]] bool final_by_device() const { return final() && !closed_by_server; }
  /// The device has answered: the notice arrived.
  [[nodiscard]] bool delivered() const { return reported && !closed_by_server; }
  /// What the retained notice should say, if no newer deployment does.
  [[nodiscard]] bool offered() const { return !final() && !withdrawn && !superseded; }
};

/// `offered`, a state of the contract, or `stale`.
std::string_view state_name(const Deployment& deployment);

/// Seconds a deployment may stay in one state without a word.
struct Deadlines {
  std::int64_t offered = std::int64_t{7} * 86400;
  /// By UpdateState, received to trial. `waiting` outlasts the device's own limits of 24 h (veto,
  /// absent notice).
  std::array<std::int64_t, 7> by_state{600, 90000, 3600, 900, 600, 600, 900};

  [[nodiscard]] std::int64_t of(std::optional<contract::UpdateState> state) const {
    if (!state) return offered;
    return by_state[static_cast<std::size_t>(*state)];
  }
};

/// What a report means for the retained notice.
enum class NoticeEffect : std::uint8_t {
  none,
  answered,  ///< it arrived: stop repeating it
  restate,   ///< publish what is offered now, or an empty payload when nothing is
};

struct Decision {
  Deployment next;
  bool changed = false;        ///< something a person would see
  bool contradiction = false;  ///< a report that cannot follow a final state; the state stands
  NoticeEffect notice = NoticeEffect::none;
};

/// Applies a status to the deployment it names. Idempotent; repeats and overtaken reports change
/// nothing.
///
/// place   of the report in its device's stream
/// now     Unix seconds, the server's clock
/// Source  docs/spec/contract.md, "Order" and "Identity and repeats";
/// docs/decisions/0010-the-devices-word.md
Decision apply(const Deployment& current,
               const StatusReport& report,
               Sequence place,
               const Deadlines& deadlines,
               std::int64_t now);

/// Applies `last` of a state that names this deployment: heals a final status that was lost.
Decision apply_last(const Deployment& current,
                    const LastOutcome& last,
                    Sequence place,
                    const Deadlines& deadlines,
                    std::int64_t now);

/// The device has a new session: an unfinished update goes on only after its notice is received
/// again.
Decision apply_new_session(const Deployment& current);

/// The device has begun a newer deployment: an older one it never finished is over.
Decision apply_newer_begun(const Deployment& older, std::int64_t now);

/// A newer deployment was decided for the device: this one is offered no more. The device says how
/// it ends.
Decision supersede(const Deployment& older, std::int64_t now);

/// Withdraws the offer. Closed at once when the device never answered; else the device says how it
/// ends. A final one stays as it is.
///
/// code  `withdrawn`, or `notice_expired` when the deadline did it
Decision withdraw(const Deployment& current, std::string_view code, std::int64_t now);

/// Marks it stale when its deadline has passed.
Decision apply_silence(const Deployment& current, std::int64_t now);

/// Sets the deadline of a new deployment: counted from not_before, when that lies ahead.
void start_deadline(Deployment& deployment, const Deadlines& deadlines, std::int64_t now);

}  // namespace otaria::server
