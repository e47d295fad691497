#include "simulator/net/tls_trust.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

namespace otaria::simulator {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unique_ptr<BIO, BioFree> reading(const std::string& pem) {
  return std::unique_ptr<BIO, BioFree>{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

std::unique_ptr<X509, CertificateFree> next_certificate(BIO* text) {
  return std::unique_ptr<X509, CertificateFree>{PEM_read_bio_X509(text, nullptr, nullptr, nullptr)};
}

// A device has nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

std::unique_ptr<EVP_PKEY, KeyFree> key_from(const std::string& pem) {
  return std::unique_ptr<EVP_PKEY, KeyFree>{
      PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, &no_passphrase, nullptr)};
}

bool load_anchors(SSL_CTX* context, const std::string& pem) {
  const auto text = reading(pem);
  int loaded = 0;
  for (;;) {
    const auto anchor = next_certificate(text.get());
    if (!anchor) break;
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), anchor.get()) != 1) return false;
    ++loaded;
  }
  ERR_clear_error();  // the end of the text is told as an error
  return loaded > 0;
}

bool ended_before(X509* certificate, std::uint32_t floor) {
  std::time_t limit = floor;
  return X509_cmp_time(X509_get0_notAfter(certificate), &limit) < 0;
}

}  // namespace

TlsTrust TlsTrust::as_of_now(std::string_view host) const {
  TlsTrust fixed{.ca_pem = ca_pem, .client = client};
  if (pins) fixed.pins = [answer = pins(host)](std::string_view) { return answer; };
  if (time_floor) fixed.time_floor = [answer = time_floor()] { return answer; };
  return fixed;
}

void TlsJudge::install(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &TlsJudge::verify, this);
}

int TlsJudge::verify(X509_STORE_CTX* store, void* self) {
  return static_cast<TlsJudge*>(self)->judge(store) ? 1 : 0;
}

bool TlsJudge::judge(X509_STORE_CTX* store) {
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store), X509_V_FLAG_NO_CHECK_TIME);
  verdict_ = Verdict::untrusted;
  if (X509_verify_cert(store) != 1) return false;
  const auto refuse = [&](Verdict verdict, int error) {
    verdict_ = verdict;
    X509_STORE_CTX_set_error(store, error);
    return false;
  };
  const std::uint32_t floor = trust_.time_floor ? trust_.time_floor() : 0;
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store);
  for (int i = 0; floor > 0 && i < sk_X509_num(chain); ++i) {
    if (ended_before(sk_X509_value(chain, i), floor)) {
      return refuse(Verdict::expired, X509_V_ERR_CERT_HAS_EXPIRED);
    }
  }
  X509* leaf = sk_X509_value(chain, 0);
  if (!names_host(leaf)) return refuse(Verdict::wrong_host, X509_V_ERR_HOSTNAME_MISMATCH);
  if (with_pins_ && !is_pinned(leaf)) {
    return refuse(Verdict::wrong_pin, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  verdict_ = Verdict::good;
  return true;
}

bool TlsJudge::names_host(X509* leaf) const {
  if (X509_check_ip_asc(leaf, host_.c_str(), 0) == 1) return true;
  return X509_check_host(leaf, host_.data(), host_.size(), 0, nullptr) == 1;
}

// The leaf alone: a pin on a certificate of the chain would hold for every leaf below it.
bool TlsJudge::is_pinned(X509* leaf) const {
  const auto pins = trust_.pins ? trust_.pins(host_) : std::vector<contract::Digest>{};
  if (pins.empty()) return true;
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
  if (length <= 0) return false;
  contract::Digest digest;
  const bool hashed = EVP_Digest(der,
                                 static_cast<std::size_t>(length),
                                 digest.bytes.data(),
                                 nullptr,
                                 EVP_sha256(),
                                 nullptr) == 1;
  OPENSSL_free(der);
  return hashed && std::find(pins.begin(), pins.end(), digest) != pins.end();
}

std::string_view TlsJudge::reason() const {
  switch (verdict_) {
    case Verdict::not_asked:
      return "no certificate was shown";
    case Verdict::good:
      return "the certificate is good";
    case Verdict::untrusted:
      return "the certificate comes from none of the device's trust anchors";
    case Verdict::expired:
      return "the certificate has ended before a time that has certainly passed";
    case Verdict::wrong_host:
      return "the certificate is for another host";
    case Verdict::wrong_pin:
      return "the certificate's key is none of the host's pins in the key list";
  }
  return {};
}

std::string why_unusable(const TlsClient& client) {
  if (client.certificate_pem.empty() && client.key_pem.empty()) return {};
  const auto certificate = next_certificate(reading(client.certificate_pem).get());
  const auto key = key_from(client.key_pem);
  const bool fits = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!certificate) return "the certificate is none in PEM";
  if (!key) return "the key is none in PEM, or it is encrypted";
  return fits ? "" : "the key does not belong to the certificate";
}

bool show_certificate(SSL_CTX* context, const TlsClient& client) {
  if (client.certificate_pem.empty()) return true;
  const auto text = reading(client.certificate_pem);
  const auto own = next_certificate(text.get());
  const auto key = key_from(client.key_pem);
  bool good = own && key && SSL_CTX_use_certificate(context, own.get()) == 1 &&
              SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  while (good) {
    const auto issuer = next_certificate(text.get());
    if (!issuer) break;
    good = SSL_CTX_add1_chain_cert(context, issuer.get()) == 1;
  }
  ERR_clear_error();  // the end of the text is told as an error
  return good;
}

SslContext client_context(const TlsTrust& trust) {
  SslContext context{SSL_CTX_new(TLS_client_method())};
  if (!context) return nullptr;
  const bool loaded = trust.ca_pem.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                                           : load_anchors(context.get(), trust.ca_pem);
  if (!loaded || !show_certificate(context.get(), trust.client)) context.reset();
  return context;
}

}  // namespace otaria::simulator
