#include "server/http/tls_stream.hpp"

#include <linux/tcp.h>  // its tcp_info is longer than the C library's
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace otaria::server {

namespace {

TlsFailure kind_of(unsigned long error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return TlsFailure::other;
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET) return TlsFailure::refused_by_client;
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_VERSION_TOO_LOW:
      return TlsFailure::version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
      return TlsFailure::cipher;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return TlsFailure::client_certificate;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return TlsFailure::closed;
    default:
      return TlsFailure::other;
  }
}

}  // namespace

std::string_view name_of(TlsFailure failure) {
  constexpr std::array<std::string_view, tls_failure_count> names{"not_tls",
                                                                  "version",
                                                                  "cipher",
                                                                  "client_certificate",
                                                                  "refused_by_client",
                                                                  "closed",
                                                                  "timed_out",
                                                                  "other"};
  return names[static_cast<std::size_t>(failure)];
}

void TlsStream::Free::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsStream::Step TlsStream::step_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Step::done;
    case SSL_ERROR_WANT_READ:
      return Step::wait_read;
    case SSL_ERROR_WANT_WRITE:
      return Step::wait_write;
    case SSL_ERROR_ZERO_RETURN:
      return Step::ended;
    default:
      break;
  }
  std::array<char, 256> reason{};
  if (const unsigned long error = ERR_peek_last_error()) {
    ERR_error_string_n(error, reason.data(), reason.size());
    failure_ = reason.data();
    kind_ = kind_of(error);
  } else {
    failure_ = "the peer closed the connection";
    kind_ = TlsFailure::closed;
  }
  ERR_clear_error();
  finished_ = true;  // after a fatal error nothing may be sent (RFC 8446, 6.2)
  return Step::failed;
}

TlsStream::Step TlsStream::handshake() {
  ERR_clear_error();
  return step_of(SSL_accept(ssl_.get()));
}

TlsStream::Step TlsStream::read(std::span<char> into, std::size_t& count) {
  ERR_clear_error();
  return step_of(SSL_read_ex(ssl_.get(), into.data(), into.size(), &count));
}

TlsStream::Step TlsStream::write(std::string_view bytes, std::size_t& count) {
  ERR_clear_error();
  const std::size_t wanted = std::min(bytes.size(), record_bytes);
  return step_of(SSL_write_ex(ssl_.get(), bytes.data(), wanted, &count));
}

void TlsStream::finish() {
  if (finished_ || SSL_in_init(ssl_.get()) != 0) return;
  finished_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());  // only sends; the peer's own farewell is not waited for
  ERR_clear_error();
}

std::uint64_t TlsStream::acknowledged() const {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(SSL_get_fd(ssl_.get()), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  return info.tcpi_bytes_acked;
}

std::string TlsStream::client_common_name() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) return {};
  unsigned char* text = nullptr;
  const int length =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
  if (length < 0) {
    ERR_clear_error();
    return {};
  }
  std::string name{reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)};
  OPENSSL_free(text);
  // A name with a NUL or a line break is made to be read as another.
  const bool plain = std::ranges::all_of(
      name, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; });
  return plain ? name : std::string{};
}

}  // namespace otaria::server
