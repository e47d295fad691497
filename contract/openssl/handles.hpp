#pragma once

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

/// OpenSSL's objects as owners; for the sources of this folder.
namespace otaria::crypto {

template <class T, void (*free)(T*)>
struct Freed {
  void operator()(T* object) const { free(object); }
};

using KeyHandle = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using BioHandle = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG, ECDSA_SIG_free>>;
using CertificateHandle = std::unique_ptr<X509, Freed<X509, X509_free>>;
using AlgorithmHandle = std::unique_ptr<X509_ALGOR, Freed<X509_ALGOR, X509_ALGOR_free>>;
using WrappedKey = std::unique_ptr<X509_SIG, Freed<X509_SIG, X509_SIG_free>>;
using PlainKey =
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>>;

/// A BIO that reads `text`, which must outlive it.
BioHandle reading(std::string_view text);
/// What a memory BIO was written.
std::string written(BIO* bio);
/// The half that everybody may know; algorithm and bytes. Throws CryptoError for another curve, or
/// an RSA key that has no 3,072 bits.
struct PublicKey public_half(EVP_PKEY* key);
/// An EVP_PKEY of a public key; null for one that cannot be one.
KeyHandle handle_of(const struct PublicKey& key);

}  // namespace otaria::crypto
