#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "operator/cert/certificate.hpp"
#include "operator/cert/openssl.hpp"

namespace otaria::cert {
namespace {

constexpr int longest_validity_days = 36'500;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::int64_t slow_clock_s = 3'600;
constexpr std::size_t longest_common_name = 64;  // RFC 5280, ub-common-name

struct Authority {
  CertificatePointer certificate;
  KeyPointer key;
};

KeyPointer new_key() {
  KeyPointer key{EVP_EC_gen("P-256")};
  need(key != nullptr, "no key");
  return key;
}

std::string pem_of(X509* certificate) {
  const BioPointer out{BIO_new(BIO_s_mem())};
  need(out && PEM_write_bio_X509(out.get(), certificate) == 1, "a certificate cannot be written");
  return text_of(out.get());
}

std::string pem_of(EVP_PKEY* key) {
  const BioPointer out{BIO_new(BIO_s_secmem())};  // wiped when it is freed
  need(out && PEM_write_bio_PKCS8PrivateKey(
                  out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "a key cannot be written");
  return text_of(out.get());
}

// A key with a passphrase is refused instead of asked about: this runs in scripts.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Authority read_authority(const Identity& identity) {
  const auto bad = [](const std::string& why) {
    ERR_clear_error();
    return CertError{"bad_authority",
                     "The CA cannot issue certificates: " + why + ".",
                     "Name a folder that `otaria cert ca --out DIR` made."};
  };
  Authority authority;
  authority.certificate.reset(
      PEM_read_bio_X509(bio_over(identity.certificate).get(), nullptr, no_passphrase, nullptr));
  if (!authority.certificate) throw bad("its certificate cannot be read");
  authority.key.reset(
      PEM_read_bio_PrivateKey(bio_over(identity.key).get(), nullptr, no_passphrase, nullptr));
  if (!authority.key) throw bad("its private key cannot be read");
  if (X509_check_ca(authority.certificate.get()) != 1) throw bad("its certificate is no CA's");
  if (X509_check_private_key(authority.certificate.get(), authority.key.get()) != 1) {
    throw bad("certificate and private key do not belong together");
  }
  return authority;
}

void set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  need(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "no random bytes");
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);  // positive, of full length
  const std::unique_ptr<BIGNUM, Free<BN_free>> number{
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
  need(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
       "no serial number");
}

void set_validity(X509* certificate, const Validity& validity, const X509* authority) {
  if (validity.days < 1 || validity.days > longest_validity_days) {
    throw CertError{"bad_validity",
                    std::to_string(validity.days) + " days is no validity from 1 to 36,500 days.",
                    "Give another number of --days."};
  }
  const std::int64_t from =
      validity.not_before != 0 ? validity.not_before : std::time(nullptr) - slow_clock_s;
  const std::time_t until = from + validity.days * seconds_per_day;
  need(ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr,
       "no such time");
  if (authority == nullptr) return;
  const ASN1_TIME* limit = X509_get0_notAfter(authority);
  if (ASN1_TIME_compare(X509_get0_notAfter(certificate), limit) > 0) {
    need(X509_set1_notAfter(certificate, limit) == 1, "no such time");
  }
}

void set_common_name(X509* certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  need(X509_NAME_add_entry_by_NID(
           subject, NID_commonName, MBSTRING_UTF8, text, static_cast<int>(name.size()), -1, 0) == 1,
       "a name cannot be set");
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension{
      X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  need(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

CertError bad_host(const std::string& host) {
  return {"bad_host",
          "`" + host + "` is neither a host name nor an address.",
          "Write names as devices do: fw.example, *.example.org, 192.0.2.7 or 2001:db8::7."};
}

/// RFC 1123 labels, the first of which may be `*`; ASCII only (a name of another script is given as
/// xn--…).
bool is_dns_name(std::string_view host) {
  if (host.starts_with("*.")) host.remove_prefix(2);
  if (host.empty() || host.size() > 253) return false;
  while (true) {
    const std::string_view label = host.substr(0, host.find('.'));
    const bool plain = std::ranges::all_of(label, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (label.empty() || label.size() > 63 || !plain || label.front() == '-' ||
        label.back() == '-') {
      return false;
    }
    if (label.size() == host.size()) return true;
    host.remove_prefix(label.size() + 1);
  }
}

using GeneralNamePointer = std::unique_ptr<GENERAL_NAME, Free<GENERAL_NAME_free>>;

GeneralNamePointer general_name(const std::string& host) {
  GeneralNamePointer name{GENERAL_NAME_new()};
  need(name != nullptr, "no memory for a name");
  if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str())) {
    GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address);
    return name;
  }
  ERR_clear_error();
  // 1.2.3 is a name by its letters; nobody means one by it.
  const bool only_digits = host.find_first_not_of("0123456789.") == std::string::npos;
  if (only_digits || !is_dns_name(host)) throw bad_host(host);
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  need(text != nullptr, "no memory for a name");
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, text);
  need(ASN1_STRING_set(text, host.data(), static_cast<int>(host.size())) == 1, "no name");
  return name;
}

void add_alternative_names(X509* certificate, const std::vector<std::string>& hosts) {
  const std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>> names{GENERAL_NAMES_new()};
  need(names != nullptr, "no memory for names");
  for (const std::string& host : hosts) {
    GeneralNamePointer name = general_name(host);
    need(sk_GENERAL_NAME_push(names.get(), name.get()) > 0, "no memory for a name");
    (void)name.release();  // the list's now
  }
  need(
      X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1,
      "names cannot be added");
}

CertificatePointer new_certificate(EVP_PKEY* key, const Validity& validity, const X509* authority) {
  CertificatePointer certificate{X509_new()};
  need(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
           X509_set_pubkey(certificate.get(), key) == 1,
       "no certificate");
  set_serial(certificate.get());
  set_validity(certificate.get(), validity, authority);
  return certificate;
}

/// What a server's and a client's certificate have in common; then signs.
Identity finish_leaf(const Authority& authority,
                     CertificatePointer certificate,
                     const KeyPointer& key,
                     const char* usage) {
  X509* leaf = certificate.get();
  X509* issuer = authority.certificate.get();
  need(X509_set_issuer_name(leaf, X509_get_subject_name(issuer)) == 1, "no issuer");
  add_extension(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf, issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(leaf, issuer, NID_ext_key_usage, usage);
  add_extension(leaf, issuer, NID_subject_key_identifier, "hash");
  add_extension(leaf, issuer, NID_authority_key_identifier, "keyid");
  need(X509_sign(leaf, authority.key.get(), EVP_sha256()) > 0, "a certificate cannot be signed");
  return {pem_of(leaf), pem_of(key.get())};
}

}  // namespace

Identity make_authority(const std::string& name, const Validity& validity) {
  const bool printable = std::ranges::all_of(
      name, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
  if (name.empty() || name.size() > longest_common_name || !printable) {
    throw CertError{"bad_name",
                    "A CA's name has 1 to 64 bytes and no control characters.",
                    "Give another --name."};
  }
  const KeyPointer key = new_key();
  const CertificatePointer certificate = new_certificate(key.get(), validity, nullptr);
  X509* self = certificate.get();
  set_common_name(self, name);
  need(X509_set_issuer_name(self, X509_get_subject_name(self)) == 1, "no issuer");
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(self, self, NID_subject_key_identifier, "hash");
  need(X509_sign(self, key.get(), EVP_sha256()) > 0, "a certificate cannot be signed");
  return {pem_of(self), pem_of(key.get())};
}

Identity issue_server(const Identity& authority,
                      const std::vector<std::string>& hosts,
                      const Validity& validity) {
  if (hosts.empty()) {
    throw CertError{"no_host",
                    "A server's certificate names at least one host.",
                    "Add --host NAME or --host ADDRESS, as devices write it in URLs."};
  }
  const Authority issuer = read_authority(authority);
  const KeyPointer key = new_key();
  CertificatePointer certificate = new_certificate(key.get(), validity, issuer.certificate.get());
  // Clients look at the alternative names; the common name is for people.
  const bool fits = hosts.front().size() <= longest_common_name;
  set_common_name(certificate.get(), fits ? hosts.front() : "Otaria server");
  add_alternative_names(certificate.get(), hosts);
  return finish_leaf(issuer, std::move(certificate), key, "serverAuth");
}

bool is_client_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"._:@-"}.find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= longest_common_name && name.front() != '.' &&
         name.front() != '-' && std::ranges::all_of(name, allowed);
}

Identity issue_client(const Identity& authority,
                      const std::string& common_name,
                      const Validity& validity) {
  if (!is_client_name(common_name)) {
    throw CertError{"bad_name",
                    "A client's name has 1 to 64 of A-Z a-z 0-9 . _ : @ - and begins with neither "
                    ". nor -.",
                    "For a device give its MAC: 12 hex digits in lower case."};
  }
  const Authority issuer = read_authority(authority);
  const KeyPointer key = new_key();
  CertificatePointer certificate = new_certificate(key.get(), validity, issuer.certificate.get());
  set_common_name(certificate.get(), common_name);
  return finish_leaf(issuer, std::move(certificate), key, "clientAuth");
}

}  // namespace otaria::cert
