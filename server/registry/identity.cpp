#include "server/registry/identity.hpp"

#include <algorithm>
#include <array>

#include "contract/vocabulary.hpp"

namespace otaria::server {
namespace {

constexpr std::array<std::string_view, 5> state_names{
    "pending", "active", "suspended", "revoked", "retired"};

Refusal id_conflict(const std::string& id) {
  return {"id_conflict",
          "the id \"" + id + "\" belongs to a device with another MAC",
          "choose another id, or leave it out: the server then makes one of the MAC"};
}

}  // namespace

std::string_view name_of(IdentityState state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::optional<IdentityState> identity_state_from(std::string_view name) {
  for (std::size_t i = 0; i < state_names.size(); ++i) {
    if (state_names[i] == name) return static_cast<IdentityState>(i);
  }
  return std::nullopt;
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= contract::max_name_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return contract::is_device_id_character(c) || c == '.';
         });
}

std::string short_id(std::string_view mac) {
  std::string digits{mac.substr(mac.size() - 4)};
  for (char& c : digits) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return "sensor_" + digits;
}

std::string long_id(std::string_view mac) {
  return "sensor_" + std::string{mac};
}

Outcome<std::string> choose_id(const std::string& mac,
                               const std::string& wanted,
                               const IdTaken& taken) {
  if (!wanted.empty()) {
    if (taken(wanted)) return id_conflict(wanted);
    return wanted;
  }
  std::string id = short_id(mac);
  if (!taken(id)) return id;
  id = long_id(mac);
  if (taken(id)) return id_conflict(id);
  return id;
}

Outcome<DeviceIdentity> in_state(const DeviceIdentity& identity,
                                 IdentityState state,
                                 const std::string& reason,
                                 std::int64_t now) {
  if (identity.state == state) return identity;
  const bool ended =
      identity.state == IdentityState::revoked || identity.state == IdentityState::retired;
  if (state == IdentityState::pending ||
      (ended && state != IdentityState::revoked && state != IdentityState::retired)) {
    return Refusal{"identity_revoked",
                   identity.id + " is " + std::string{name_of(identity.state)} +
                       ": its key cannot become " + std::string{name_of(state)} + " again",
                   "give the device a new key: otaria device claim " + identity.id};
  }
  if (identity.key.empty() && state != IdentityState::revoked && state != IdentityState::retired) {
    return Refusal{"no_key",
                   identity.id + " has not enrolled yet: no key of it is known",
                   "let the device enrol with its claim, or import its key"};
  }
  DeviceIdentity changed = identity;
  changed.state = state;
  changed.reason = reason;
  changed.changed_at = now;
  if (state == IdentityState::revoked || state == IdentityState::retired) changed.next_key.clear();
  return changed;
}

}  // namespace otaria::server
