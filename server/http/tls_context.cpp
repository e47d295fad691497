#include "server/http/tls_context.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "server/http/certificate_names.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;
constexpr std::int64_t soon_s = 14 * std::int64_t{86'400};
// AES first: the chips have it in hardware. Every suite is ECDHE with an AEAD.
constexpr const char* tls_1_2_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* tls_1_3_ciphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";

template <auto free_it>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : number_{open(path.c_str(), O_RDONLY | O_CLOEXEC)} {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

/// The mode is judged on the very file that is read.
Bio read_file(const std::string& path, const char* what, bool secret) {
  const auto refused = [&](const std::string& why) {
    return TlsFileError{fmt::format("the {} {} {}", what, path, why)};
  };
  const Descriptor file{path};
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0) {
    throw refused(fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  if (!S_ISREG(about.st_mode)) throw refused("is no file");
  if (about.st_size > static_cast<off_t>(largest_file)) throw refused("is longer than 1 MiB");
  if (secret && (about.st_mode & 077U) != 0) {
    throw refused(fmt::format("may be used by others than its owner (mode {:04o}): chmod 600 {}",
                              about.st_mode & 07777U,
                              path));
  }
  Bio memory{BIO_new(secret ? BIO_s_secmem() : BIO_s_mem())};
  char piece[4096];
  for (;;) {
    const ssize_t count = read(file.get(), piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw refused(fmt::format("cannot be read: {}", std::strerror(errno)));
    if (count == 0) break;
    if (!memory || BIO_write(memory.get(), piece, static_cast<int>(count)) != count) {
      throw std::bad_alloc{};
    }
  }
  if (secret) OPENSSL_cleanse(piece, sizeof piece);
  return memory;
}

// Servers start without anybody at the keyboard.
int note_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 0;
}

Certificate next_certificate(BIO* from, const std::string& path, bool first) {
  ERR_clear_error();
  Certificate certificate{PEM_read_bio_X509(from, nullptr, nullptr, nullptr)};
  if (certificate) return certificate;
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = openssl_reason();
  if (at_end && !first) return nullptr;
  throw TlsFileError{
      at_end ? fmt::format("there is no certificate in {}: it must hold the server's certificate, "
                           "then its intermediate CAs, as PEM",
                           path)
             : fmt::format("a certificate in {} cannot be read: {}", path, reason)};
}

CertificateSummary use_certificate(SSL_CTX* context, const std::string& path) {
  const Bio file = read_file(path, "certificate", false);
  const Certificate own = next_certificate(file.get(), path, true);
  if (SSL_CTX_use_certificate(context, own.get()) != 1) {
    throw TlsFileError{
        fmt::format("the certificate {} cannot be used: {}", path, openssl_reason())};
  }
  while (const Certificate above = next_certificate(file.get(), path, false)) {
    if (SSL_CTX_add1_chain_cert(context, above.get()) != 1) {
      throw TlsFileError{fmt::format("the chain in {} cannot be used: {}", path, openssl_reason())};
    }
  }
  return summary_of(own.get());
}

void use_key(SSL_CTX* context, const TlsFiles& files) {
  const Bio file = read_file(files.private_key, "private key", true);
  bool encrypted = false;
  const Key key{PEM_read_bio_PrivateKey(file.get(), nullptr, note_passphrase, &encrypted)};
  const std::string reason = openssl_reason();
  if (!key) {
    throw TlsFileError{
        encrypted
            ? fmt::format("the private key {} is encrypted with a passphrase, which nobody is "
                          "there to type: store it without one, mode 0600",
                          files.private_key)
            : fmt::format("there is no private key in {} (PEM): {}", files.private_key, reason)};
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    const std::string why = openssl_reason();
    throw TlsFileError{
        fmt::format("the private key {} does not belong to the certificate {} ({}): "
                    "name the pair that was issued together",
                    files.private_key,
                    files.certificate,
                    why)};
  }
}

void ask_clients(SSL_CTX* context, const TlsFiles& files) {
  if (files.client_certificates == ClientCertificates::off) return;
  const Bio file = read_file(files.client_ca, "client CA", false);
  X509_STORE* trusted = SSL_CTX_get_cert_store(context);
  bool first = true;
  while (const Certificate authority = next_certificate(file.get(), files.client_ca, first)) {
    first = false;
    if (X509_check_ca(authority.get()) != 1) {
      throw TlsFileError{fmt::format("{} holds a certificate that is no CA's", files.client_ca)};
    }
    if (X509_STORE_add_cert(trusted, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      throw TlsFileError{fmt::format("{} cannot be used: {}", files.client_ca, openssl_reason())};
    }
  }
  const bool required = files.client_certificates == ClientCertificates::required;
  SSL_CTX_set_verify(
      context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
}

/// HTTP/1.1 is all we speak. A client that offers only other protocols is told so (RFC 7301, 3.2).
int choose_protocol(SSL*,
                    const unsigned char** chosen,
                    unsigned char* chosen_length,
                    const unsigned char* offered,
                    unsigned int offered_length,
                    void*) {
  constexpr std::string_view ours = "http/1.1";
  for (unsigned int at = 0; at < offered_length; at += offered[at] + 1U) {
    const std::string_view name{reinterpret_cast<const char*>(offered + at + 1), offered[at]};
    if (name != ours) continue;
    *chosen = offered + at + 1;
    *chosen_length = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_rules(SSL_CTX* context) {
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  constexpr std::string_view session_context = "otaria";
  const bool ok =
      SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(context, tls_1_2_ciphers) == 1 &&
      SSL_CTX_set_ciphersuites(context, tls_1_3_ciphers) == 1 &&
      SSL_CTX_set1_groups_list(context, groups) == 1 &&
      SSL_CTX_set_session_id_context(context,
                                     reinterpret_cast<const unsigned char*>(session_context.data()),
                                     session_context.size()) == 1;
  if (!ok) throw TlsFileError{"OpenSSL cannot be set up: " + openssl_reason()};
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

std::string date_of(std::int64_t unix_s) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<std::time_t>(unix_s)));
}

void log_certificate(const std::string& path, const CertificateSummary& summary) {
  const std::int64_t left = summary.not_after - std::time(nullptr);
  if (left < 0) {
    spdlog::warn("certificate {}: expired on {}: clients refuse it; put a new one in its place",
                 path,
                 date_of(summary.not_after));
  } else if (left < soon_s) {
    spdlog::warn("certificate {}: for {}, expires soon, on {}",
                 path,
                 summary.names,
                 date_of(summary.not_after));
  } else {
    spdlog::info(
        "certificate {}: for {}, valid until {}", path, summary.names, date_of(summary.not_after));
  }
}

std::shared_ptr<SSL_CTX> load_context(const TlsFiles& files, CertificateSummary& summary) {
  std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  if (!context) throw std::bad_alloc{};
  set_rules(context.get());
  summary = use_certificate(context.get(), files.certificate);
  use_key(context.get(), files);
  ask_clients(context.get(), files);
  return context;
}

}  // namespace

CertificateSummary check_tls_files(const TlsFiles& files) {
  CertificateSummary summary;
  load_context(files, summary);
  return summary;
}

TlsContext::TlsContext(TlsFiles files) : files_{std::move(files)} {
  used_ = seen_ = look_at_files();
  CertificateSummary summary;
  context_ = load_context(files_, summary);
  log_certificate(files_.certificate, summary);
}

std::unique_ptr<TlsStream> TlsContext::accept(int socket) const {
  SSL* ssl = nullptr;
  {
    const std::scoped_lock lock{mutex_};
    ssl = SSL_new(context_.get());
  }
  if (ssl == nullptr) return nullptr;
  auto stream = std::make_unique<TlsStream>(ssl);
  if (SSL_set_fd(ssl, socket) != 1) return nullptr;
  SSL_set_accept_state(ssl);
  return stream;
}

std::optional<std::string> TlsContext::reload() {
  const Fingerprint now = look_at_files();
  std::string wrong;
  CertificateSummary summary;
  std::shared_ptr<SSL_CTX> context;
  try {
    context = load_context(files_, summary);
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  {
    const std::scoped_lock lock{mutex_};
    used_ = seen_ = now;
    if (context) context_.swap(context);
  }
  if (!wrong.empty()) {
    spdlog::error("the certificate in use stays: {}", wrong);
    return wrong;
  }
  log_certificate(files_.certificate, summary);
  return std::nullopt;
}

void TlsContext::reload_if_changed() {
  const Fingerprint now = look_at_files();
  {
    const std::scoped_lock lock{mutex_};
    const bool at_rest = std::exchange(seen_, now) == now;
    if (now == used_ || !at_rest) return;
  }
  reload();
}

TlsContext::Fingerprint TlsContext::look_at_files() const {
  Fingerprint fingerprint{};
  std::size_t i = 0;
  for (const std::string* path : {&files_.certificate, &files_.private_key, &files_.client_ca}) {
    struct stat about {};
    if (!path->empty() && stat(path->c_str(), &about) == 0) {
      // The mode too: a key that was refused for it comes into use by chmod.
      fingerprint[i] = {static_cast<std::int64_t>(about.st_ino),
                        static_cast<std::int64_t>(about.st_dev) << 16 | about.st_mode,
                        about.st_size,
                        about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec};
    }
    ++i;
  }
  return fingerprint;
}

}  // namespace otaria::server
