#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contract/digest.hpp"

namespace otaria::simulator {

/// What a device shows to servers that ask for it (mutual TLS).
struct TlsClient {
  std::string certificate_pem = {};  ///< with its chain, the device's own first; empty: none
  std::string key_pem = {};          ///< PKCS#8, not encrypted; never printed
};
/// What is wrong with it, in words; empty: nothing, or there is none. Never names the key's
/// content.
std::string why_unusable(const TlsClient& client);

/// What a device believes of TLS servers. Chain and host name are always checked; there is no
/// switch.
struct TlsTrust {
  std::string ca_pem = {};  ///< trust anchors; empty: those of the host
  /// SHA-256 of the SubjectPublicKeyInfo that a host may show (key list, RFC 7469, section 2.4).
  /// Empty function or answer: the host is not pinned.
  std::function<std::vector<contract::Digest>(std::string_view host)> pins = {};
  /// Unix seconds that have certainly passed: a certificate whose `notAfter` is earlier is refused.
  /// The chip's clock decides nothing, so `notBefore` is not looked at. Empty or 0: unknown.
  /// Source  reference trust, sections 9 and 13.
  std::function<std::uint32_t()> time_floor = {};
  TlsClient client = {};

  /// The same with the present answers of both functions, for one host: may be asked by any thread.
  [[nodiscard]] TlsTrust as_of_now(std::string_view host) const;
};

/// Judges the certificate of one connection. Must outlive the SSL_CTX it is installed in.
class TlsJudge {
 public:
  enum class Verdict : std::uint8_t { not_asked, good, untrusted, expired, wrong_host, wrong_pin };

  TlsJudge(const TlsTrust& trust, std::string host, bool with_pins = true)
      : trust_{trust}, host_{std::move(host)}, with_pins_{with_pins} {}
  TlsJudge(const TlsJudge&) = delete;
  TlsJudge& operator=(const TlsJudge&) = delete;

  /// TLS 1.2 at least, verification on, and this judge as the one who verifies.
  void install(SSL_CTX* context);
  [[nodiscard]] Verdict verdict() const { return verdict_; }
  /// In words, for the log.
  [[nodiscard]] std::string_view reason() const;

 private:
  static int verify(X509_STORE_CTX* store, void* self);
  bool judge(X509_STORE_CTX* store);
  [[nodiscard]] bool names_host(X509* leaf) const;
  [[nodiscard]] bool is_pinned(X509* leaf) const;

  const TlsTrust& trust_;
  std::string host_;
  bool with_pins_;
  Verdict verdict_ = Verdict::not_asked;
};

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

/// Loads what the device shows into a context, if there is anything. False: it cannot be used.
bool show_certificate(SSL_CTX* context, const TlsClient& client);

/// A client's context with the trust anchors, and what the device shows, loaded. Null: either
/// cannot be used.
SslContext client_context(const TlsTrust& trust);

}  // namespace otaria::simulator
