#include "server/registry/device.hpp"

#include <algorithm>

namespace otaria::server {
namespace {

template <class T>
void take(std::optional<T>& known, const std::optional<T>& reported, bool& changed) {
  if (!reported || known == reported) return;
  known = reported;
  changed = true;
}

Device first_contact(const std::string& id, std::int64_t now) {
  Device device;
  device.id = id;
  device.first_seen = now;
  device.last_seen = now;
  return device;
}

// A presence message ends the session it names. When the broker hands it out as the retained
// message it is also the newest word on a session that began and ended while the server was away.
bool ends_the_session(const Device& device, const StateReport& presence) {
  if (!device.session) return true;
  return presence.session == *device.session ||
         (presence.retained && presence.session > *device.session);
}

StateEffect apply_presence(Device device,
                           const StateReport& presence,
                           bool first,
                           std::int64_t now) {
  StateEffect effect{.device = std::move(device), .freshness = Freshness::late};
  // "online": true without a number is no message of the contract's; it proves nothing.
  if (presence.online || !ends_the_session(effect.device, presence)) {
    effect.changed = first;
    return effect;
  }
  effect.freshness = Freshness::fresh;
  effect.changed = first || effect.device.online || effect.device.session != presence.session;
  effect.device.online = false;
  effect.device.session = presence.session;
  effect.device.last_seen = std::max(effect.device.last_seen, now);
  return effect;
}

void merge(StateEffect& effect, const StateReport& report) {
  Device& device = effect.device;
  bool& changed = effect.changed;
  take(device.mac, report.mac, changed);
  take(device.product, report.product, changed);
  take(device.hardware, report.hardware, changed);
  take(device.chip, report.chip, changed);
  take(device.channel, report.channel, changed);
  take(device.version, report.version, changed);
  take(device.build, report.build, changed);
  take(device.image, report.image, changed);
  take(device.slot, report.slot, changed);
  take(device.mode, report.mode, changed);
  take(device.agent, report.agent, changed);
  take(device.reset_reason, report.reset_reason, changed);
  take(device.confirmed, report.confirmed, changed);
  take(device.security_counter, report.security_counter, changed);
  take(device.keys, report.keys, changed);
  take(device.max_image, report.max_image, changed);
  if (device.online != report.online) changed = true;
  device.online = report.online;
}

}  // namespace

StateEffect apply_state(const std::optional<Device>& known,
                        const StateReport& report,
                        bool session_restarted,
                        std::int64_t now) {
  const bool first = !known;
  Device device = known.value_or(first_contact(report.id, now));
  if (device.mac && report.mac && *device.mac != *report.mac) {
    return {.device = std::move(device), .id_conflict = true};
  }
  if (report.is_presence()) return apply_presence(std::move(device), report, first, now);

  StateEffect effect{.device = std::move(device), .changed = first};
  effect.freshness =
      judge_state(effect.device.marks, *report.seq, report.seq_reset, session_restarted);
  if (effect.freshness == Freshness::late) return effect;

  effect.new_session = effect.device.session != report.session;
  effect.changed = effect.changed || effect.new_session;
  merge(effect, report);
  effect.device.session = report.session;
  effect.device.marks = advanced_by_state(effect.device.marks, *report.seq, effect.freshness);
  effect.device.last_seen = std::max(effect.device.last_seen, now);
  return effect;
}

Device apply_status(const std::optional<Device>& known,
                    const StatusReport& report,
                    Freshness freshness,
                    std::int64_t now) {
  Device device = known.value_or(first_contact(report.id, now));
  if (freshness == Freshness::late) return device;
  if (!report.version.empty()) device.version = report.version;
  if (!report.build.empty()) device.build = report.build;
  device.marks = advanced_by_status(device.marks, report.seq);
  device.last_seen = std::max(device.last_seen, now);
  return device;
}

bool is_online(const Device& device, std::int64_t now, std::int64_t silence_s) {
  return device.online && (silence_s == 0 || now - device.last_seen <= silence_s);
}

}  // namespace otaria::server
