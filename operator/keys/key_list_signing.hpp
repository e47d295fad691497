#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/trust/judgement.hpp"
#include "operator/keys/key_error.hpp"
#include "operator/keys/key_list_draft.hpp"

/// Key lists under the roots' signatures, judged by the device's own code.
namespace otaria::keys {

/// How a signature of a list stands.
enum class SignatureStanding {
  valid,    ///< by a root of the list or of the one before
  unknown,  ///< by a key that neither has as root: devices pass over it
  invalid,  ///< by a root, and it does not verify: devices refuse the whole list
};
struct JudgedSignature {
  std::string key_id;
  SignatureStanding standing = SignatureStanding::unknown;
};
/// `against`: the signed list before it; empty: none is known.
std::vector<JudgedSignature> signatures_of(const std::string& text, const std::string& against);

/// Adds a signature: to the payload alone its first line, to a signed list a further one; the
/// payload of a signed list stays as it is, byte for byte. A working file is brought into the form
/// of RFC 8785 first.
/// Throws KeyError (refused): `not_a_root` when the key is no root of the list or of `against`;
/// `bad_signature` when an existing line of a root does not verify; as further_signature().
std::string sign_key_list(const KeyListText& list,
                          const std::string& against,
                          crypto::Signer& signer);

/// The device's judgement of a signed list. `against`: the list in force; empty: only by itself.
/// The time floor is that list's `issued`, as on a device that knows no more.
contract::KeyListVerdict judge(const std::string& text, const std::string& against);
/// A refusal in words; its code is the device's own. Only for a verdict that is not ok().
KeyError words_of(const contract::KeyListVerdict& verdict);

}  // namespace otaria::keys
