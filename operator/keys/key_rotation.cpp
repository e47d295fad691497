#include "operator/keys/key_rotation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "operator/keys/key_error.hpp"

namespace otaria::keys {
namespace {

using contract::KeyRole;

constexpr std::uint32_t day_s = 86400;

std::uint32_t in_common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return static_cast<std::uint32_t>(std::count_if(a.begin(), a.end(), [&](const auto& id) {
    return std::find(b.begin(), b.end(), id) != b.end();
  }));
}

/// A list as lines that can be compared.
std::set<std::string> lines_of(const KeyListDraft& list) {
  std::set<std::string> lines;
  for (const DraftKey& each : list.keys) {
    lines.insert(fmt::format(
        "{} key {} ({})", name_of(each.role), each.key.key_id(), name_of(each.key.algorithm)));
  }
  for (const KeyRole role : {KeyRole::root, KeyRole::release, KeyRole::order})
    lines.insert(fmt::format("threshold {}: {}", name_of(role), list.threshold_of(role)));
  for (const auto& key_id : list.revoked) lines.insert("revoked " + key_id);
  for (const auto& [product, counter] : list.floors)
    lines.insert(fmt::format("floor {}: {}", product, counter));
  for (const auto& [host, pins] : list.pins) {
    for (const auto& pin : pins) lines.insert(fmt::format("pin {}: {}", host, pin));
  }
  lines.insert(fmt::format("epoch {}", list.epoch));
  return lines;
}

/// Whether whoever can sign `next` is enough for a device that holds `held`.
bool follows_directly(const KeyListDraft& held,
                      const KeyListDraft& before,
                      const KeyListDraft& next) {
  if (next.serial <= held.serial || next.serial - held.serial > contract::max_serial_step)
    return false;
  std::vector<std::string> signers = before.ids_of(KeyRole::root);
  for (auto& id : next.ids_of(KeyRole::root)) {
    if (std::find(signers.begin(), signers.end(), id) == signers.end()) signers.push_back(id);
  }
  return in_common(held.ids_of(KeyRole::root), signers) >= held.threshold_of(KeyRole::root);
}

}  // namespace

KeyListDraft next_list(const KeyListDraft& before, std::uint32_t now, std::uint32_t days) {
  KeyListDraft next = before;
  ++next.serial;
  next.issued = std::max(now, before.issued);
  next.expires = next.issued + days * day_s;
  return next;
}

void add_key(KeyListDraft& list, const crypto::PublicKey& key, KeyRole role) {
  const std::string key_id = key.key_id();
  if (const DraftKey* there = list.find(key_id); there != nullptr) {
    throw refusal("key_listed",
                  fmt::format("Key {} is in the list already, as {} key; a key has one role.",
                              key_id,
                              name_of(there->role)),
                  "Make another key: otaria key create.");
  }
  if (std::find(list.revoked.begin(), list.revoked.end(), key_id) != list.revoked.end()) {
    throw refusal("key_revoked",
                  fmt::format("The list revokes key {}.", key_id),
                  "Make another key: otaria key create.");
  }
  list.keys.push_back({key, role});
}

void remove_key(KeyListDraft& list, const std::string& key_id) {
  if (list.find(key_id) == nullptr) {
    throw refusal("unknown_key",
                  fmt::format("List {} has no key {}.", list.serial, key_id),
                  "`otaria key list` shows those it has.");
  }
  std::erase_if(list.keys, [&](const DraftKey& each) { return each.key.key_id() == key_id; });
}

void revoke_key(KeyListDraft& list, const std::string& key_id) {
  remove_key(list, key_id);
  if (list.revoked.size() == contract::max_key_list_revoked)
    list.revoked.erase(list.revoked.begin());
  list.revoked.push_back(key_id);
}

std::vector<std::string> differences(const std::optional<KeyListDraft>& before,
                                     const KeyListDraft& next) {
  const std::set<std::string> old_lines = before ? lines_of(*before) : std::set<std::string>{};
  const std::set<std::string> new_lines = lines_of(next);
  std::vector<std::string> told;
  for (const auto& line : old_lines) {
    if (!new_lines.contains(line)) told.push_back("- " + line);
  }
  for (const auto& line : new_lines) {
    if (!old_lines.contains(line)) told.push_back("+ " + line);
  }
  return told;
}

SigningPlan plan_signatures(const KeyListDraft& before, const KeyListDraft& next) {
  SigningPlan plan;
  plan.old_needed = before.threshold_of(KeyRole::root);
  plan.old_roots = before.ids_of(KeyRole::root);
  plan.new_needed = next.threshold_of(KeyRole::root);
  plan.new_roots = next.ids_of(KeyRole::root);
  const std::uint32_t both =
      std::min({in_common(plan.old_roots, plan.new_roots), plan.old_needed, plan.new_needed});
  plan.fewest_signatures = plan.old_needed + plan.new_needed - both;
  if (plan.fewest_signatures > contract::key_list_kind.lines) {
    throw refusal("too_many_signatures",
                  fmt::format("The list would need {} signatures, and devices read {}.",
                              plan.fewest_signatures,
                              contract::key_list_kind.lines),
                  "Change fewer roots at a time.");
  }
  return plan;
}

Reach reach_of(std::uint32_t held,
               const KeyListDraft& before,
               const KeyListDraft& next,
               const std::function<std::optional<KeyListDraft>(std::uint32_t)>& fetch) {
  if (held == before.serial)
    return follows_directly(before, before, next) ? Reach::direct : Reach::unreachable;
  if (held == 0 || held > before.serial) return Reach::unreachable;
  const auto own = fetch(held);
  if (!own) return Reach::unreachable;
  if (follows_directly(*own, before, next)) return Reach::direct;
  if (before.serial - held > most_steps) return Reach::unreachable;
  // Each list was accepted by the server on top of the one before it: the chain holds where it is
  // whole.
  for (std::uint32_t serial = held + 1; serial < before.serial; ++serial) {
    if (!fetch(serial)) return Reach::unreachable;
  }
  return Reach::stepwise;
}

}  // namespace otaria::keys
