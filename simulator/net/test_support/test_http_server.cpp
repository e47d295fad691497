#include "simulator/net/test_support/test_http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <utility>

namespace otaria::simulator {
namespace {

SSL_CTX* context_of(const TestCertificate& certificate) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* in = BIO_new_mem_buf(certificate.certificate_pem.data(),
                            static_cast<int>(certificate.certificate_pem.size()));
  X509* leaf = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  in = BIO_new_mem_buf(certificate.key_pem.data(), static_cast<int>(certificate.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  const bool usable =
      SSL_CTX_use_certificate(context, leaf) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
  X509_free(leaf);
  EVP_PKEY_free(key);
  if (!usable) throw std::runtime_error{"the test certificate cannot be used"};
  return context;
}

}  // namespace

/// Plain or TLS bytes of one accepted socket.
class TestHttpServer::Stream {
 public:
  Stream(int socket, void* context) : socket_{socket} {
    if (context == nullptr) return;
    tls_ = SSL_new(static_cast<SSL_CTX*>(context));
    SSL_set_fd(tls_, socket);
    usable_ = SSL_accept(tls_) == 1;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (tls_ != nullptr) {
      if (usable_) SSL_shutdown(tls_);
      SSL_free(tls_);
    }
  }
  long read(char* into, std::size_t length) {
    if (!usable_) return -1;
    return tls_ != nullptr ? SSL_read(tls_, into, static_cast<int>(length))
                           : static_cast<long>(::recv(socket_, into, length, 0));
  }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const long sent =
          tls_ != nullptr
              ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
              : static_cast<long>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

 private:
  int socket_;
  SSL* tls_ = nullptr;
  bool usable_ = true;
};

TestHttpServer::TestHttpServer(Answers answers, std::optional<TestCertificate> tls)
    : answers_{std::move(answers)}, tls_{std::move(tls)} {
  std::signal(SIGPIPE, SIG_IGN);  // SSL_write knows no MSG_NOSIGNAL
  if (tls_) tls_context_ = context_of(*tls_);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* at = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, at, sizeof address) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, at, &length) != 0) {
    throw std::runtime_error{"the test server cannot listen"};
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

TestHttpServer::~TestHttpServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  const int open = open_socket_;
  if (open >= 0) ::shutdown(open, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  if (tls_context_ != nullptr) SSL_CTX_free(static_cast<SSL_CTX*>(tls_context_));
}

std::string TestHttpServer::url(const std::string& path) const {
  return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + path;
}

std::vector<std::string> TestHttpServer::requests() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

void TestHttpServer::serve() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    open_socket_ = socket;
    if (!stopping_) serve_connection(socket);
    open_socket_ = -1;
    ::close(socket);
  }
}

void TestHttpServer::serve_connection(int socket) {
  Stream stream{socket, tls_context_};
  std::string received;
  char buffer[4096];
  while (!stopping_) {
    std::size_t end = 0;
    while ((end = received.find("\r\n\r\n")) == std::string::npos) {
      const long got = stream.read(buffer, sizeof buffer);
      if (got <= 0) return;
      received.append(buffer, static_cast<std::size_t>(got));
    }
    const std::string head = received.substr(0, end + 4);
    received.erase(0, end + 4);
    {
      const std::lock_guard lock{mutex_};
      requests_.push_back(head);
    }
    const Answer answer = answers_(head);
    if (!stream.write(answer.bytes) || answer.close_after) return;
  }
}

}  // namespace otaria::simulator
