#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "operator/keys/key_list_draft.hpp"

/// Changes of keys that cannot leave a fleet without a trusted one. Each makes the next list; the
/// roots sign it afterwards.
/// Source  reference trust, section 6 (table of events).
namespace otaria::keys {

/// The list after `before`: serial one higher, `issued` not lower, the rest as it was.
KeyListDraft next_list(const KeyListDraft& before, std::uint32_t now, std::uint32_t days);

/// Throws KeyError (refused): `key_listed` (there already), `key_revoked` (the list revokes it).
void add_key(KeyListDraft& list, const crypto::PublicKey& key, contract::KeyRole role);
/// Throws KeyError (refused): `unknown_key`.
void remove_key(KeyListDraft& list, const std::string& key_id);
/// remove_key(), and names it as revoked; beyond 16 the oldest entry goes: it then answers
/// `unknown_key` in place of `revoked_key`, and is trusted as little.
void revoke_key(KeyListDraft& list, const std::string& key_id);

/// What a root should look at before it signs: one line per difference, for people. Without a list
/// before it every key, revocation, floor and pin is one.
std::vector<std::string> differences(const std::optional<KeyListDraft>& before,
                                     const KeyListDraft& next);

/// Who has to sign a list so that devices with `before` take it.
struct SigningPlan {
  std::uint32_t old_needed = 0;  ///< of old_roots
  std::vector<std::string> old_roots;
  std::uint32_t new_needed = 0;  ///< of new_roots
  std::vector<std::string> new_roots;
  std::uint32_t fewest_signatures = 0;
};
/// Throws KeyError (refused): `too_many_signatures` when more lines are needed than a file may
/// have.
SigningPlan plan_signatures(const KeyListDraft& before, const KeyListDraft& next);

/// How a device comes from the list it holds to the next one.
enum class Reach {
  direct,       ///< the next list carries enough signatures of the roots it knows
  stepwise,     ///< over lists in between, which the server has
  unreachable,  ///< by no list: only by cable
};
/// `fetch`: a list of the server by serial, as a draft; nothing when it has none. Asked for `held`
/// and, if need be, each serial up to `before`; at most `most_steps` of them.
inline constexpr std::uint32_t most_steps = 32;
Reach reach_of(std::uint32_t held,
               const KeyListDraft& before,
               const KeyListDraft& next,
               const std::function<std::optional<KeyListDraft>(std::uint32_t)>& fetch);

}  // namespace otaria::keys
