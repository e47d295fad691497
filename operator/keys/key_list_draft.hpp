#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/key_list.hpp"

/// Key lists as an operator edits them.
/// Source  reference trust, section 6.
namespace otaria::keys {

struct DraftKey {
  crypto::PublicKey key;
  contract::KeyRole role = contract::KeyRole::root;
};

/// What a list says, as values. Nothing is checked until payload_of().
struct KeyListDraft {
  std::uint32_t serial = 1;
  std::uint32_t epoch = 0;
  std::uint32_t issued = 0;                                           ///< Unix seconds
  std::uint32_t expires = 0;                                          ///< Unix seconds
  std::array<std::uint32_t, contract::key_roles> threshold{1, 1, 0};  ///< by KeyRole
  std::vector<DraftKey> keys;
  std::vector<std::string> revoked;                      ///< key ids
  std::map<std::string, std::uint32_t> floors;           ///< product to lowest security counter
  std::map<std::string, std::vector<std::string>> pins;  ///< host to base64url SHA-256 of SPKIs

  [[nodiscard]] std::uint32_t& threshold_of(contract::KeyRole role) {
    return threshold[static_cast<std::size_t>(role)];
  }
  [[nodiscard]] std::uint32_t threshold_of(contract::KeyRole role) const {
    return threshold[static_cast<std::size_t>(role)];
  }
  /// Ids of the keys of a role, in the list's order.
  [[nodiscard]] std::vector<std::string> ids_of(contract::KeyRole role) const;
  [[nodiscard]] const DraftKey* find(std::string_view key_id) const;
};

/// The list's payload: JSON by RFC 8785, read back by the device's own reader.
/// Throws KeyError (refused): `bad_key_list` with the reader's word; `below_threshold`;
/// `too_many_keys`.
std::string payload_of(const KeyListDraft& draft);

/// From a payload. A member that this version does not know is refused (`unknown_member`): a list
/// made from it would silently lose it. Throws KeyError (usage, `bad_key_list`).
KeyListDraft draft_of(std::string_view payload);
/// The same without that refusal: to look at a list, not to make one of it.
KeyListDraft view_of(std::string_view payload);

/// A key list as it lies in a file: signed, or the working form before the first signature, which
/// is its payload alone, as JSON that a person may edit.
struct KeyListText {
  std::string payload;
  std::string text;  ///< of the signed file; empty: not signed yet
  [[nodiscard]] bool is_signed() const { return !text.empty(); }
};
/// Throws KeyError (usage): `bad_key_list`.
KeyListText read_key_list_text(std::string_view text);

}  // namespace otaria::keys
