#include "server/http/certificate_names.hpp"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

namespace otaria::server {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string text_of(const GENERAL_NAME* name) {
  int kind = 0;
  const void* value = GENERAL_NAME_get0_value(name, &kind);
  if (kind == GEN_DNS) {
    const auto* text = static_cast<const ASN1_STRING*>(value);
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
  }
  const auto* address = static_cast<const ASN1_STRING*>(value);
  if (kind != GEN_IPADD) return {};
  const int length = ASN1_STRING_length(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (length == 4 || length == 16) {
    inet_ntop(length == 4 ? AF_INET : AF_INET6,
              ASN1_STRING_get0_data(address),
              text.data(),
              static_cast<socklen_t>(text.size()));
  }
  return text.data();
}

}  // namespace

CertificateSummary summary_of(const X509* certificate) {
  CertificateSummary summary;
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1) summary.not_after = timegm(&end);
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = text_of(sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty()) summary.names += (summary.names.empty() ? "" : ", ") + name;
  }
  if (summary.names.empty()) {
    std::array<char, 256> text{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                              NID_commonName,
                              text.data(),
                              static_cast<int>(text.size()));
    summary.names = text[0] == '\0' ? "nobody" : text.data();
  }
  return summary;
}

}  // namespace otaria::server
