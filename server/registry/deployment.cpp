#include "server/registry/deployment.hpp"

#include <algorithm>

namespace otaria::server {
namespace {

using contract::Fault;
using contract::is_final;
using contract::UpdateState;

Decision unchanged(const Deployment& current) {
  return {.next = current};
}

// The offer was never answered: the device holds nothing of it, and the notice is gone.
void close(Deployment& deployment, std::string_view code, std::string detail, std::int64_t now) {
  deployment.reported = deployment.reported && *deployment.reported >= UpdateState::downloading
                            ? UpdateState::failed
                            : UpdateState::refused;
  deployment.error = UpdateError{std::string{code}, std::move(detail), ""};
  deployment.closed_by_server = true;
  deployment.stale = false;
  deployment.due_at = 0;
  deployment.updated_at = now;
}

Decision after_final(const Deployment& current, const StatusReport& report, Sequence place) {
  Decision decision = unchanged(current);
  if (report.state == UpdateState::waiting) {
    decision.notice = NoticeEffect::restate;  // it waits for a notice that will not come
    return decision;
  }
  decision.contradiction = report.state != *current.reported;
  if (decision.contradiction) return decision;
  decision.next.place = std::max(current.place, place);
  if (!current.error && report.error) {  // `last` had healed the outcome; this is its cause
    decision.next.error = report.error;
    decision.changed = true;
  }
  return decision;
}

NoticeEffect notice_effect(const Deployment& next) {
  const UpdateState state = *next.reported;
  if (is_final(state) || state == UpdateState::waiting) return NoticeEffect::restate;
  // A device that begins what was withdrawn has crossed with the withdrawal, or never got it.
  if (state == UpdateState::received && !next.offered()) return NoticeEffect::restate;
  return NoticeEffect::answered;
}

void set_due(Deployment& deployment, const Deadlines& deadlines, std::int64_t now) {
  const std::int64_t limit = deployment.final() ? 0 : deadlines.of(deployment.reported);
  deployment.due_at = limit == 0 ? 0 : now + limit;
}

Decision take(const Deployment& current,
              const StatusReport& report,
              Sequence place,
              const Deadlines& deadlines,
              std::int64_t now) {
  Decision decision = unchanged(current);
  Deployment& next = decision.next;
  next.reported = report.state;
  if (report.progress) next.progress = report.progress;
  next.error = report.error;
  next.place = place;
  next.stale = false;
  next.closed_by_server = false;
  next.updated_at = now;
  set_due(next, deadlines, now);
  decision.changed = true;
  decision.notice = notice_effect(next);
  return decision;
}

}  // namespace

std::string_view state_name(const Deployment& deployment) {
  if (deployment.stale) return "stale";
  return deployment.reported ? contract::name_of(*deployment.reported) : "offered";
}

Decision apply(const Deployment& current,
               const StatusReport& report,
               Sequence place,
               const Deadlines& deadlines,
               std::int64_t now) {
  if (current.final_by_device()) {
    // A cause that comes late is as true as one in time; anything else late says nothing new.
    const bool cause = report.state == *current.reported && !current.error && report.error;
    return place > current.place || cause ? after_final(current, report, place)
                                          : unchanged(current);
  }
  if (place <= current.place) return unchanged(current);
  if (current.closed_by_server && report.state == UpdateState::waiting) {
    Decision decision = unchanged(current);
    decision.next.place = place;
    decision.notice = NoticeEffect::restate;
    return decision;
  }
  return take(current, report, place, deadlines, now);
}

Decision apply_last(const Deployment& current,
                    const LastOutcome& last,
                    Sequence place,
                    const Deadlines& deadlines,
                    std::int64_t now) {
  if (!is_final(last.state) || current.final_by_device()) return unchanged(current);
  StatusReport report;
  report.state = last.state;
  report.seq = last.seq;
  // Whatever order its reports came in: nothing can follow an outcome.
  return take(current, report, std::max(current.place, place), deadlines, now);
}

Decision apply_new_session(const Deployment& current) {
  Decision decision = unchanged(current);
  if (current.reported && !current.final()) decision.notice = NoticeEffect::restate;
  return decision;
}

Decision apply_newer_begun(const Deployment& older, std::int64_t now) {
  Decision decision = unchanged(older);
  // From `installed` on the device finishes the older one first and says how: its outcome is not
  // ours to guess.
  if (older.final() || (older.reported && *older.reported >= UpdateState::installed))
    return decision;
  close(decision.next,
        contract::name_of(Fault::superseded),
        "the device has begun a newer update and sent no outcome of this one",
        now);
  decision.next.superseded = true;
  decision.changed = true;
  return decision;
}

Decision supersede(const Deployment& older, std::int64_t now) {
  Decision decision = unchanged(older);
  if (older.final() || older.superseded) return decision;
  decision.next.superseded = true;
  decision.next.updated_at = now;
  decision.changed = true;
  return decision;
}

Decision withdraw(const Deployment& current, std::string_view code, std::int64_t now) {
  Decision decision = unchanged(current);
  if (current.final() || current.withdrawn) return decision;
  decision.next.withdrawn = true;
  decision.next.updated_at = now;
  if (!current.reported) {
    close(decision.next, code, "the offer ended before the device answered it", now);
  }
  decision.changed = true;
  decision.notice = NoticeEffect::restate;
  return decision;
}

Decision apply_silence(const Deployment& current, std::int64_t now) {
  Decision decision = unchanged(current);
  if (current.final() || current.stale || current.due_at == 0 || current.due_at > now) {
    return decision;
  }
  decision.next.stale = true;
  decision.next.updated_at = now;
  decision.changed = true;
  return decision;
}

void start_deadline(Deployment& deployment, const Deadlines& deadlines, std::int64_t now) {
  const std::int64_t from = std::max<std::int64_t>(now, deployment.not_before.value_or(0));
  deployment.due_at = deadlines.offered == 0 ? 0 : from + deadlines.offered;
}

}  // namespace otaria::server
