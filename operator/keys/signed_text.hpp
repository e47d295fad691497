#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/signed_file.hpp"

/// Signed files as an operator makes them: a payload, then one line per signature. The payload's
/// bytes are those of the first signature for ever; nobody re-serialises.
/// Source  reference trust, sections 5.1 and 5.2.
namespace otaria::keys {

/// What one line says; whether it verifies is judged elsewhere.
struct SignerLine {
  std::string key_id;
  contract::Algorithm algorithm = contract::Algorithm::es256;
  contract::Digest digest;              ///< of the signing input
  std::vector<std::uint8_t> signature;  ///< decoded
};

/// A signed file taken apart. Throws KeyError (usage, `code`) for what a device would not read.
struct SignedText {
  std::string payload;  ///< decoded
  std::vector<SignerLine> lines;
};
SignedText read_signed_text(const contract::SignedKind& kind,
                            std::string_view text,
                            std::string_view code);

/// The file with a first line over `payload`. Throws KeyError (refused): `too_long`.
std::string first_signature(const contract::SignedKind& kind,
                            std::string_view payload,
                            crypto::Signer& signer);
/// The file with one line more. Throws KeyError (refused): `already_signed`, `too_many_signatures`,
/// `too_long`. `code`: as read_signed_text.
std::string further_signature(const contract::SignedKind& kind,
                              std::string_view text,
                              crypto::Signer& signer,
                              std::string_view code);

/// Identity of what was signed: SHA-256 of the payload, 64 hex digits.
std::string payload_digest_text(std::string_view payload);

}  // namespace otaria::keys
