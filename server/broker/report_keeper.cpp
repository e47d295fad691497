#include "server/broker/report_keeper.hpp"

#include <algorithm>

namespace otaria::server {
namespace {

bool is_later_than(const Deployment& older, const Deployment& newer) {
  return older.id < newer.id;
}

/// The device claims to run the update's image and tells by its state that it runs another.
bool is_belied(const Deployment& deployment,
               contract::UpdateState claimed,
               const std::optional<Device>& device) {
  return claimed == contract::UpdateState::succeeded && device && device->image &&
         !deployment.sha256.empty() && *device->image != deployment.sha256;
}

}  // namespace

void restate_notice(StoreTransaction& transaction, const std::string& device, std::int64_t now_ms) {
  for (const Deployment& deployment : transaction.open_deployments(device)) {
    if (!deployment.offered()) continue;
    const std::int64_t not_before_ms = std::int64_t{deployment.not_before.value_or(0)} * 1000;
    transaction.put_outbox(device, deployment.id, std::max(now_ms, not_before_ms));
    return;
  }
  transaction.put_outbox(device, std::nullopt, now_ms);
}

void ReportKeeper::keep(StoreTransaction& transaction,
                        const StatusReport& report,
                        std::int64_t now_ms) {
  const std::int64_t now = now_ms / 1000;
  const auto known = transaction.device(report.id);
  const SequenceMarks marks = known ? known->marks : SequenceMarks{};
  const Freshness freshness = known ? judge_status(marks, report.seq) : Freshness::fresh;
  const Sequence place = placed(marks, report.seq);
  if (freshness == Freshness::fresh) {
    transaction.put_device(apply_status(known, report, freshness, now));
  }
  const bool recorded = transaction.add_status({.device = report.id,
                                                .update = report.update,
                                                .version = report.version,
                                                .target = report.target,
                                                .state = report.state,
                                                .progress = report.progress,
                                                .error = report.error,
                                                .place = place,
                                                .at = report.at,
                                                .received_at = now});
  if (!recorded) {
    ++counters_.repeats;
    return;
  }
  ++counters_.statuses;
  if (!report.update.empty()) advance(transaction, report, place, now_ms);
}

void ReportKeeper::advance(StoreTransaction& transaction,
                           const StatusReport& report,
                           Sequence place,
                           std::int64_t now_ms) {
  const auto deployment = transaction.deployment(report.update);
  // An update that someone else sent: on record, but its notice is not ours to touch.
  if (!deployment || deployment->device != report.id) {
    ++counters_.unknown_updates;
    return;
  }
  if (!deployment->final_by_device() &&
      is_belied(*deployment, report.state, transaction.device(report.id))) {
    note_belied(*deployment);
  }
  const Decision decision = apply(*deployment, report, place, deadlines_, now_ms / 1000);
  if (decision.contradiction) {
    ++counters_.contradictions;
    log_.warn("contradiction",
              report.id + " reports " + std::string{contract::name_of(report.state)} +
                  " for update " + report.update + ", which ended " +
                  std::string{state_name(*deployment)});
  }
  settle(transaction, *deployment, decision, now_ms);
  if (!decision.changed) return;
  for (const Deployment& older : transaction.open_deployments(report.id)) {
    if (!is_later_than(older, *deployment)) continue;
    const Decision over = apply_newer_begun(older, now_ms / 1000);
    if (over.changed) transaction.put_deployment(over.next);
  }
}

// It counts all the same: whoever lies about the update can lie about the image too, and a state
// that comes after its status is nobody's lie.
void ReportKeeper::note_belied(const Deployment& deployment) {
  ++counters_.contradictions;
  log_.warn("contradiction",
            deployment.device + " reports succeeded for update " + deployment.id +
                " while its newest state names another image");
}

void ReportKeeper::settle(StoreTransaction& transaction,
                          const Deployment& before,
                          const Decision& decision,
                          std::int64_t now_ms) {
  if (decision.changed || decision.next.place != before.place) {
    transaction.put_deployment(decision.next);
  }
  if (decision.notice == NoticeEffect::answered) {
    transaction.outbox_answered(before.device, before.id);
  } else if (decision.notice == NoticeEffect::restate) {
    restate_notice(transaction, before.device, now_ms);
  }
}

void ReportKeeper::keep(StoreTransaction& transaction,
                        const StateReport& report,
                        std::int64_t now_ms) {
  const auto known = transaction.device(report.id);
  const std::string mac = report.mac.value_or(known && known->mac ? *known->mac : "");
  const bool restarted = report.seq_reset && transaction.session_restarted(mac, report.session);
  const StateEffect effect = apply_state(known, report, restarted, now_ms / 1000);
  if (effect.id_conflict) {
    ++counters_.id_conflicts;
    log_.warn("id_conflict",
              report.id + " belongs to " + *known->mac + " and was claimed by " + mac +
                  ": provision the second device with another id, e.g. sensor_" + mac);
    return;
  }
  if (effect.changed || effect.freshness != Freshness::late) transaction.put_device(effect.device);
  if (effect.freshness == Freshness::late) {
    ++counters_.repeats;
    return;
  }
  ++counters_.states;
  // The lower number counts once: after this a copy of it is a repeat like any other.
  if (report.seq_reset && !restarted) transaction.add_session_restart(mac, report.session);
  if (report.last) heal_by_last(transaction, *report.last, effect.device, now_ms);
  if (effect.device.mode == "production") withdraw_unsigned(transaction, report.id, now_ms);
  if (!effect.new_session) return;
  const auto open = transaction.open_deployments(report.id);
  const bool unanswered = std::any_of(open.begin(), open.end(), [](const Deployment& deployment) {
    return apply_new_session(deployment).notice == NoticeEffect::restate;
  });
  if (unanswered) restate_notice(transaction, report.id, now_ms);
}

// It was offered when the device had not said, or was still on the bench.
void ReportKeeper::withdraw_unsigned(StoreTransaction& transaction,
                                     const std::string& device,
                                     std::int64_t now_ms) {
  bool changed = false;
  for (const Deployment& open : transaction.open_deployments(device)) {
    if (open.manifest || !open.offered()) continue;
    const Decision decision =
        withdraw(open, contract::name_of(contract::Fault::manifest_required), now_ms / 1000);
    if (!decision.changed) continue;
    transaction.put_deployment(decision.next);
    changed = true;
  }
  if (!changed) return;
  log_.warn("manifest_required",
            device + " is in production mode: an update that nobody signed was withdrawn");
  restate_notice(transaction, device, now_ms);
}

void ReportKeeper::heal_by_last(StoreTransaction& transaction,
                                const LastOutcome& last,
                                const Device& device,
                                std::int64_t now_ms) {
  if (last.update.empty()) return;
  const auto deployment = transaction.deployment(last.update);
  if (!deployment || deployment->device != device.id) return;
  if (!deployment->final_by_device() && is_belied(*deployment, last.state, device)) {
    note_belied(*deployment);
  }
  const Sequence place = placed(device.marks, last.seq);
  settle(transaction,
         *deployment,
         apply_last(*deployment, last, place, deadlines_, now_ms / 1000),
         now_ms);
}

}  // namespace otaria::server
