#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace otaria::server {

enum class ClientCertificates {
  off,       ///< not asked for
  optional,  ///< asked for; one that is shown must be valid, none is no obstacle
  required   ///< without a valid one the handshake fails
};

/// What a server speaks TLS with. All files are PEM.
struct TlsFiles {
  std::string
      certificate;  ///< the server's own first, then its intermediate CAs; empty: plain HTTP
  std::string private_key;  ///< without a passphrase; nobody but its owner may read it
  std::string client_ca;    ///< CAs that clients' certificates must come from
  ClientCertificates client_certificates = ClientCertificates::off;
};

/// The files cannot be used; the text names the file, the reason and what to do.
class TlsFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What was read from them, for the log.
struct CertificateSummary {
  std::string names;           ///< `fw.example, 192.0.2.7`
  std::int64_t not_after = 0;  ///< Unix seconds
};

/// Reads the files as a server would. Errors  TlsFileError.
CertificateSummary check_tls_files(const TlsFiles& files);

}  // namespace otaria::server
