#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

/// OpenSSL's objects with an owner, for this module alone.
namespace otaria::cert {

template <auto free_it>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using CertificatePointer = std::unique_ptr<X509, Free<X509_free>>;
using BioPointer = std::unique_ptr<BIO, Free<BIO_free_all>>;

/// Throws std::runtime_error with OpenSSL's own reason unless `ok`: for what only fails when memory
/// or entropy does.
void need(bool ok, const char* what);

BioPointer bio_over(std::string_view text);  ///< reads `text`, which must outlive it
std::string text_of(BIO* bio);               ///< what was written to a memory BIO

}  // namespace otaria::cert
