#pragma once

#include <filesystem>
#include <string>

#include "operator/cert/certificate.hpp"

namespace otaria::cert {

/// Where an identity lies.
struct IdentityFiles {
  std::filesystem::path certificate;  ///< `<name>.pem`, mode 0644
  std::filesystem::path key;          ///< `<name>.key`, mode 0600
};
IdentityFiles identity_files(const std::filesystem::path& directory, const std::string& name);

/// Writes both files; creates the folder (0700) when it is not there. Never replaces a file: who
/// has a key keeps it.
/// Cut     each file is there whole or not at all; the key comes first.
/// Errors  CertError `file_exists`, `not_written`.
void write_identity(const IdentityFiles& files, const Identity& identity);

/// Errors  CertError `no_such_file`, `key_exposed` (others than the owner may read the key).
Identity read_identity(const IdentityFiles& files);

/// At most 1 MiB. Errors  CertError `no_such_file`.
std::string read_pem(const std::filesystem::path& path);

}  // namespace otaria::cert
