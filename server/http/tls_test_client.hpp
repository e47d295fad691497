#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "server/http/test_client.hpp"

namespace otaria::server {

/// What a client brings to the handshake. Certificates and keys are PEM.
struct TlsClientOptions {
  std::string trusted{};  ///< CA; the server's certificate must hold for 127.0.0.1 under it
  std::string certificate{}, key{};
  int version = 0;          ///< the only one offered; 0: 1.2 and 1.3
  std::string ciphers{};    ///< of TLS 1.2, in the client's order
  std::string protocols{};  ///< ALPN, as on the wire
  int receive_buffer = 0;
};

/// A TLS client for tests that blocks, over TestClient's socket.
class TlsTestClient {
 public:
  TlsTestClient(std::uint16_t port, const TlsClientOptions& options)
      : tcp{port, options.receive_buffer},
        context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free},
        ssl_{nullptr, SSL_free} {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), certificate(options.trusted).get());
    if (!options.certificate.empty()) {
      SSL_CTX_use_certificate(context_.get(), certificate(options.certificate).get());
      const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio{
          BIO_new_mem_buf(options.key.data(), static_cast<int>(options.key.size())), BIO_free_all};
      const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
          PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
      SSL_CTX_use_PrivateKey(context_.get(), key.get());
    }
    if (options.version != 0) {
      SSL_CTX_set_security_level(context_.get(), 0);  // or this client itself refuses the old ones
      SSL_CTX_set_min_proto_version(context_.get(), options.version);
      SSL_CTX_set_max_proto_version(context_.get(), options.version);
    }
    if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context_.get(), options.ciphers.c_str());
    ssl_.reset(SSL_new(context_.get()));
    if (!options.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(),
                          reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    }
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), "127.0.0.1");
    SSL_set_fd(ssl_.get(), tcp.descriptor());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  /// The handshake as this side sees it. In TLS 1.3 a server may still refuse the client's
  /// certificate.
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] SSL* ssl() { return ssl_.get(); }

  bool send(std::string_view bytes) {
    std::size_t count = 0;
    return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) == 1 &&
           count == bytes.size();
  }
  std::string get(std::string_view path) {
    send("GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return read_response();
  }
  /// Everything until the peer closes.
  std::string read_all() {
    while (read_some()) {
    }
    return received;
  }
  /// One response with Content-Length.
  std::string read_response() {
    std::size_t end = 0;
    while ((end = received.find("\r\n\r\n")) == std::string::npos) {
      if (!read_some()) return std::exchange(received, {});
    }
    std::size_t size = end + 4;
    const auto field = received.find("Content-Length: ");
    if (field < end) size += std::stoul(received.substr(field + 16));
    while (received.size() < size && read_some()) {
    }
    std::string response = received.substr(0, size);
    received.erase(0, response.size());
    return response;
  }
  /// The server said that nothing more comes: the end is no cut.
  [[nodiscard]] bool ended_well() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

  std::string received;
  TestClient tcp;

 private:
  static std::unique_ptr<X509, decltype(&X509_free)> certificate(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio{
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all};
    return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
  }
  bool read_some() {
    pollfd waiting{tcp.descriptor(), POLLIN, 0};
    if (SSL_pending(ssl_.get()) == 0 && ::poll(&waiting, 1, 20'000) <= 0) return false;
    char bytes[65536];
    std::size_t count = 0;
    if (SSL_read_ex(ssl_.get(), bytes, sizeof bytes, &count) != 1) return false;
    received.append(bytes, count);
    return true;
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool connected_ = false;
};

}  // namespace otaria::server
