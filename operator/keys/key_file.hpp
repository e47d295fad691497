#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "contract/openssl/crypto.hpp"
#include "operator/keys/secret.hpp"

/// Signing keys in files.
///
/// Form     a line of text that says the role, `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (PKCS#8),
///          then `PUBLIC KEY`, so that a list can be made of it without the passphrase. Any PEM
///          file with a private key is read, ours or not.
/// Refused  a file that group or others can read; an unencrypted key unless for development;
///          passphrases that are protected by less than PBES2 with scrypt, or PBKDF2 with at least
///          600,000 rounds of HMAC-SHA-256 or better.
/// Source   RFC 5958, RFC 7468, RFC 8018; reference trust, section 16.
namespace otaria::keys {

inline constexpr std::size_t longest_key_file = std::size_t{64} * 1024;
inline constexpr long fewest_pbkdf2_rounds = 600000;

/// What a PEM file says before anything is decrypted.
struct KeyFileFacts {
  bool has_private = false;
  bool encrypted = false;
  std::optional<contract::KeyRole> role;        ///< when the file says it
  std::optional<crypto::PublicKey> public_key;  ///< in the clear: unproven until the key is opened
};

/// Throws KeyError (usage): `key_file_unreadable`; `key_file_exposed`; `no_key`: nothing in it that
/// we can use; `key_format`: an encryption that is older than PKCS#8, or several private keys.
KeyFileFacts look_into_key_file(const std::string& path);

struct OpenOptions {
  SecretSources secrets;
  bool development = false;  ///< unencrypted key files are taken
};

/// Opens a private key. `nth`: how many were opened before, see passphrase_for().
/// Throws KeyError: as look_into_key_file(), and `key_not_encrypted`, `weak_encryption`,
/// `wrong_passphrase`, `unsuitable_key`, `key_file_contradicts` (its public part is another key's).
crypto::PrivateKey open_key_file(const std::string& path,
                                 const OpenOptions& options,
                                 std::size_t nth);

/// The text of a new key file; an empty passphrase leaves the key unencrypted. Wipe it after use.
std::string key_file_text(const crypto::PrivateKey& key,
                          contract::KeyRole role,
                          std::string_view passphrase);

}  // namespace otaria::keys
