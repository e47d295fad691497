#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// X.509 certificates: a CA of one's own, what it issues, and what stands in any certificate.
///
/// Source  RFC 5280 (profile), RFC 7469 section 2.4 (pin), RFC 9110 section 4.3.4 (names). Keys are ECDSA P-256,
///         signatures ECDSA with SHA-256: small handshakes, and every TLS stack of the fleet has
///         them.
namespace otaria::cert {

/// What was asked for cannot be done; `code` is stable, for programs.
struct CertError : std::exception {
  CertError(std::string error_code, std::string what_happened, std::string what_to_do = {})
      : code(std::move(error_code)),
        detail(std::move(what_happened)),
        hint(std::move(what_to_do)) {}
  [[nodiscard]] const char* what() const noexcept override { return detail.c_str(); }

  std::string code;
  std::string detail;
  std::string hint;
};

/// A certificate and its private key, both PEM. The key is PKCS#8 without a passphrase: whoever
/// writes it to disk gives it mode 0600.
struct Identity {
  std::string certificate;
  std::string key;
};

/// How long a certificate is valid.
struct Validity {
  int days = 397;  ///< 1 to 36,500
  std::int64_t not_before =
      0;  ///< Unix seconds; 0: an hour before now, for clocks that are a little slow
};

/// A self-signed CA that may issue end entities only (pathlen 0).
/// Errors  CertError `bad_name`, `bad_validity`.
Identity make_authority(const std::string& name, const Validity& validity);

/// A certificate for a TLS server, valid for every host in `hosts` (DNS names, `*.example.org`,
/// IPv4 and IPv6 addresses) and never longer than its CA.
/// Errors  CertError `bad_host` (names the one), `no_host`, `bad_validity`, `bad_authority` (no CA, or its key is
///         another's).
Identity issue_server(const Identity& authority,
                      const std::vector<std::string>& hosts,
                      const Validity& validity);

/// A certificate for a TLS client (a device: its MAC).
/// Errors  CertError `bad_name` (1 to 64 of A-Z a-z 0-9 . _ : @ -), `bad_validity`, `bad_authority`.
Identity issue_client(const Identity& authority,
                      const std::string& common_name,
                      const Validity& validity);

/// Whether `name` can be the common name of a client.
bool is_client_name(std::string_view name);

/// What stands in one certificate.
struct Description {
  std::string subject;  ///< RFC 2253 text
  std::string issuer;
  std::string serial;              ///< hex
  std::vector<std::string> names;  ///< of the subjectAltName: DNS names and addresses
  std::int64_t not_before = 0;     ///< Unix seconds
  std::int64_t not_after = 0;
  std::string key;  ///< `EC P-256`, `RSA 3072`, …
  std::string
      spki_pin;  ///< base64url without padding of SHA-256 over SubjectPublicKeyInfo, 43 characters
  bool authority = false;
  bool for_servers = false;  ///< extended key usage allows it (or there is none)
  bool for_clients = false;
};

/// All certificates of a PEM text, in order.
/// Errors  CertError `not_a_certificate` when there is none, or one cannot be read.
std::vector<Description> describe(std::string_view pem);

}  // namespace otaria::cert
