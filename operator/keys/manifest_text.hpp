#pragma once

#include <string>
#include <string_view>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/manifest.hpp"

/// Release manifests as an operator makes them.
/// Source  reference trust, section 5.
namespace otaria::keys {

/// The payload: JSON by RFC 8785, read back by the device's own reader. Throws KeyError (usage,
/// `bad_manifest`).
std::string manifest_payload(const contract::Manifest& manifest);

/// Throws KeyError (usage, `bad_manifest`) for a file that a device would not read.
contract::Manifest manifest_of(std::string_view text);

/// As signed_text.hpp, for manifests.
std::string sign_manifest(std::string_view payload, crypto::Signer& signer);
std::string cosign_manifest(std::string_view text, crypto::Signer& signer);

}  // namespace otaria::keys
