#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// How an operator names a key on a command line: what follows `--key`.
namespace otaria::keys {

/// A PEM file.
struct FileReference {
  std::string path;
};

/// An object in a PKCS#11 token. Attributes are decoded; empty means that it is not asked for.
/// Source  RFC 7512, section 2.3.
struct TokenReference {
  std::string token;         ///< the token's label
  std::string serial;        ///< the token's
  std::string manufacturer;  ///< the token's
  std::string model;         ///< the token's
  std::string object;        ///< CKA_LABEL
  std::string id;            ///< CKA_ID: bytes
  std::optional<unsigned long> slot;
  std::string pin_file;     ///< of `pin-source=file:…`
  std::string module_path;  ///< of `module-path=…`; empty: see module_of()
};

/// A program that signs: digest in, signature out (signer_command.hpp).
struct CommandReference {
  std::string program;
  std::string public_key_file;  ///< PEM
};

using KeyReference = std::variant<FileReference, TokenReference, CommandReference>;

/// Parses `PATH`, `pkcs11:token=…;object=…?pin-source=file:…` or `cmd:PROGRAM?public=FILE`.
/// Throws KeyError (usage): `bad_key_reference`; `pin_on_command_line` for `pin-value`, which every
/// process of the machine could read.
KeyReference parse_key_reference(std::string_view text);

/// Throws as parse_key_reference.
TokenReference parse_pkcs11_uri(std::string_view text);

/// `text` for people and messages: a PKCS#11 URI without its query.
std::string display_name(std::string_view text);

inline constexpr const char* module_variable = "OTARIA_PKCS11_MODULE";
/// The shared object to load for a token: named in the reference, else in the environment, else
/// p11-kit's proxy, which knows the modules that are configured on the machine.
std::string module_of(const TokenReference& reference);

}  // namespace otaria::keys
