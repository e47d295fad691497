#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "contract/trust/key_list.hpp"
#include "server/registry/refusal.hpp"
#include "server/registry/signed_files.hpp"

/// Key lists on the server: it serves what the roots signed, and signs nothing.
/// Source  reference trust, section 6.
namespace otaria::server {

/// A list whose expiry is nearer than this is cried about: 60 days.
inline constexpr std::int64_t key_list_warning_s = std::int64_t{60} * 86'400;

/// Judges an uploaded list as a device that holds `newest` would; the first one only by itself.
/// Codes: too_large, bad_keylist, bad_signature, keylist_not_newer, keylist_conflict (equal serial,
/// another payload: the roots signed twice), keylist_too_far, keylist_expired. The very list that
/// is the newest is none of these: it comes back as it is stored.
///
/// now  Unix seconds
Outcome<StoredKeyList> judge_key_list_file(const std::string& file,
                                           const std::optional<StoredKeyList>& newest,
                                           std::int64_t now);

/// What a list says, for people and programs.
struct KeyListContent {
  struct Key {
    std::string id, algorithm, role, public_key;  ///< the key as base64url, as it stands there
  };
  contract::KeyListHead head;
  std::vector<Key> keys;
  std::vector<std::string> revoked;
  std::vector<std::pair<std::string, std::uint32_t>> floors;           ///< by product
  std::vector<std::pair<std::string, std::vector<std::string>>> pins;  ///< by host
};

/// Reads a stored list. Throws std::runtime_error when it cannot be read: the database was changed
/// by somebody else.
KeyListContent content_of(const StoredKeyList& list);

}  // namespace otaria::server
