#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>

#include "operator/cert/certificate.hpp"
#include "operator/cert/openssl.hpp"

namespace otaria::cert {
namespace {

std::string name_text(const X509_NAME* name) {
  const BioPointer out{BIO_new(BIO_s_mem())};
  need(out && X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0,
       "a name cannot be shown");
  return text_of(out.get());
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    throw CertError{"not_a_certificate", "A certificate's time cannot be read."};
  }
  return timegm(&parts);
}

std::string serial_of(const X509* certificate) {
  const std::unique_ptr<BIGNUM, Free<BN_free>> number{
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr)};
  need(number != nullptr, "no serial number");
  char* digits = BN_bn2hex(number.get());
  need(digits != nullptr, "no serial number");
  std::string text = digits;
  OPENSSL_free(digits);
  return text;
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(address);
  if (length != 4 && length != 16) return "an address of " + std::to_string(length) + " bytes";
  inet_ntop(length == 4 ? AF_INET : AF_INET6,
            ASN1_STRING_get0_data(address),
            text.data(),
            static_cast<socklen_t>(text.size()));
  return text.data();
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> texts;
  const std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>> names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int kind = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind);
    if (kind == GEN_IPADD) {
      texts.push_back(address_text(static_cast<const ASN1_OCTET_STRING*>(value)));
    } else if (kind == GEN_DNS) {
      const auto* text = static_cast<const ASN1_STRING*>(value);
      texts.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
    }
  }
  return texts;
}

std::string key_of(const X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return "unknown";
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_utf8_string_param(
          key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &length) == 1) {
    const std::string name = group.data();
    return "EC " + (name == "prime256v1" ? std::string{"P-256"} : name);
  }
  ERR_clear_error();
  const char* type = EVP_PKEY_get0_type_name(key);
  return std::string{type == nullptr ? "unknown" : type} + " " +
         std::to_string(EVP_PKEY_get_bits(key));
}

std::string base64url(const std::array<unsigned char, SHA256_DIGEST_LENGTH>& bytes) {
  std::array<unsigned char, 48> text{};
  const int length = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  std::string encoded{reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
  for (char& c : encoded) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (encoded.ends_with('=')) encoded.pop_back();
  return encoded;
}

std::string pin_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  need(length > 0, "no public key");
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<std::size_t>(length), digest.data());
  OPENSSL_free(der);
  return base64url(digest);
}

Description description_of(X509* certificate) {
  const auto usage = X509_get_extended_key_usage(certificate);
  return {.subject = name_text(X509_get_subject_name(certificate)),
          .issuer = name_text(X509_get_issuer_name(certificate)),
          .serial = serial_of(certificate),
          .names = names_of(certificate),
          .not_before = seconds_of(X509_get0_notBefore(certificate)),
          .not_after = seconds_of(X509_get0_notAfter(certificate)),
          .key = key_of(certificate),
          .spki_pin = pin_of(certificate),
          .authority = X509_check_ca(certificate) == 1,
          .for_servers = (usage & XKU_SSL_SERVER) != 0,
          .for_clients = (usage & XKU_SSL_CLIENT) != 0};
}

}  // namespace

std::vector<Description> describe(std::string_view pem) {
  const BioPointer in = bio_over(pem);
  std::vector<Description> found;
  ERR_clear_error();
  while (const CertificatePointer certificate{
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    found.push_back(description_of(certificate.get()));
  }
  const unsigned long reason = ERR_peek_last_error();
  ERR_clear_error();
  // The end of the text is told as "no start line"; anything else is a certificate that cannot be
  // read.
  if (found.empty() || ERR_GET_REASON(reason) != PEM_R_NO_START_LINE) {
    throw CertError{"not_a_certificate",
                    found.empty()
                        ? "There is no certificate in it."
                        : "Certificate " + std::to_string(found.size() + 1) + " cannot be read.",
                    "A PEM file begins with -----BEGIN CERTIFICATE-----."};
  }
  return found;
}

}  // namespace otaria::cert
