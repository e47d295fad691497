#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/http/tls_files.hpp"
#include "server/http/tls_stream.hpp"

namespace otaria::server {

/// The server's side of TLS: certificate, key and rules, replaceable while connections run.
///
/// Rules    TLS 1.2 and 1.3; ECDHE with AES-GCM or ChaCha20-Poly1305, the server's order; no compression, no
///          renegotiation, no early data. Session tickets, no session cache: a connection that is
///          gone costs nothing.
/// Threads  all of it from any.
/// Errors   the constructor throws TlsFileError.
/// Source   RFC 8446, RFC 5246, RFC 9325 (recommendations); OpenSSL 3.0.
class TlsContext {
 public:
  explicit TlsContext(TlsFiles files);

  /// A connection's own state, by the certificate in use now. Null: no memory.
  std::unique_ptr<TlsStream> accept(int socket) const;

  /// Reads the files again. What is wrong with them, and then everything stays as it was; or
  /// nothing.
  std::optional<std::string> reload();

  /// For a look every few seconds: reloads once the files differ from those in use and have come to
  /// rest, that is, look as they did at the look before (certificate and key are rarely replaced in
  /// one step). Logs what it does.
  void reload_if_changed();

 private:
  /// Device, inode, size and time of change (nanoseconds) of each file; zeros for one that is not
  /// there.
  using Fingerprint = std::array<std::array<std::int64_t, 4>, 3>;

  [[nodiscard]] Fingerprint look_at_files() const;

  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<SSL_CTX> context_;
  Fingerprint used_{};  // when the files were read last, successfully or not
  Fingerprint seen_{};
};

}  // namespace otaria::server
