#include "simulator/net/test_support/test_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace otaria::simulator {
namespace {

template <auto free_it>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

void need(bool ok) {
  if (!ok) throw std::runtime_error{"OpenSSL cannot make a test certificate"};
}

std::string text_of(BIO* bio) {
  char* at = nullptr;
  const long length = BIO_get_mem_data(bio, &at);
  return {at, static_cast<std::size_t>(length)};
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension{
      X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  need(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

TestCertificate TestCertificate::make(const Wish& wish) {
  const Key key{EVP_EC_gen("P-256")};
  const Certificate certificate{X509_new()};
  need(key && certificate);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.begins_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.ends_s);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>("localhost");
  need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name, wish.names.c_str());
  need(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);

  const Bio certificate_out{BIO_new(BIO_s_mem())};
  const Bio key_out{BIO_new(BIO_s_mem())};
  need(PEM_write_bio_X509(certificate_out.get(), certificate.get()) == 1);
  need(PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
       1);
  return {text_of(certificate_out.get()), text_of(key_out.get())};
}

contract::Digest TestCertificate::pin() const {
  const Bio text{BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size()))};
  const Certificate certificate{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)};
  need(certificate != nullptr);
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  need(length > 0);
  contract::Digest digest;
  const bool hashed = EVP_Digest(der,
                                 static_cast<std::size_t>(length),
                                 digest.bytes.data(),
                                 nullptr,
                                 EVP_sha256(),
                                 nullptr) == 1;
  OPENSSL_free(der);
  need(hashed);
  return digest;
}

}  // namespace otaria::simulator
