#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <ctime>

#include "operator/cert/certificate.hpp"
#include "operator/cert/openssl.hpp"

namespace otaria::cert {
namespace {

using testing::ElementsAre;

const Validity a_year{.days = 365, .not_before = 0};

CertificatePointer parsed(const std::string& pem) {
  return CertificatePointer{PEM_read_bio_X509(bio_over(pem).get(), nullptr, nullptr, nullptr)};
}

/// X509_V_OK, or why a verifier that trusts `authority` refuses `leaf` for this purpose and name.
int verdict(const Identity& authority,
            const Identity& leaf,
            int purpose,
            const char* host = nullptr) {
  const std::unique_ptr<X509_STORE, Free<X509_STORE_free>> store{X509_STORE_new()};
  X509_STORE_add_cert(store.get(), parsed(authority.certificate).get());
  const std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>> context{X509_STORE_CTX_new()};
  const CertificatePointer certificate = parsed(leaf.certificate);
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
  if (host != nullptr && X509_VERIFY_PARAM_set1_ip_asc(rules, host) != 1) {
    X509_VERIFY_PARAM_set1_host(rules, host, 0);
  }
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

std::string code_of(const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const CertError& error) {
    EXPECT_FALSE(error.hint.empty());
    return error.code;
  }
  return "accepted";
}

TEST(Certificates, OfAServerHoldForEachOfItsNamesAndNoOther) {
  const Identity ca = make_authority("Test CA", a_year);
  const Identity server =
      issue_server(ca, {"fw.example", "*.devices.example", "192.0.2.7", "2001:db8::7"}, a_year);
  for (const char* host : {"fw.example", "a.devices.example", "192.0.2.7", "2001:db8::7"}) {
    EXPECT_EQ(verdict(ca, server, X509_PURPOSE_SSL_SERVER, host), X509_V_OK) << host;
  }
  for (const char* host : {"other.example", "a.b.devices.example", "devices.example"}) {
    EXPECT_EQ(verdict(ca, server, X509_PURPOSE_SSL_SERVER, host), X509_V_ERR_HOSTNAME_MISMATCH);
  }
  EXPECT_EQ(verdict(ca, server, X509_PURPOSE_SSL_SERVER, "192.0.2.8"),
            X509_V_ERR_IP_ADDRESS_MISMATCH);
  EXPECT_EQ(verdict(ca, server, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_INVALID_PURPOSE);
}

TEST(Certificates, OfAClientServeNoServer) {
  const Identity ca = make_authority("Test CA", a_year);
  const Identity client = issue_client(ca, "a4cf12e0a1b2", a_year);
  EXPECT_EQ(verdict(ca, client, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_EQ(verdict(ca, client, X509_PURPOSE_SSL_SERVER), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(describe(client.certificate).front().subject, "CN=a4cf12e0a1b2");
}

TEST(Certificates, OfAnotherCaOfTheSameNameAreNotTrusted) {
  const Identity ca = make_authority("Test CA", a_year);
  const Identity twin = make_authority("Test CA", a_year);
  const Identity server = issue_server(twin, {"fw.example"}, a_year);
  EXPECT_NE(verdict(ca, server, X509_PURPOSE_SSL_SERVER, "fw.example"), X509_V_OK);
}

TEST(Certificates, EndWithTheirCa) {
  const Identity ca = make_authority("Test CA", {.days = 10, .not_before = 0});
  const auto authority = describe(ca.certificate).front();
  const auto server = describe(issue_server(ca, {"fw.example"}, a_year).certificate).front();
  EXPECT_EQ(server.not_after, authority.not_after);
}

TEST(Certificates, OfAPastTimeAreExpired) {
  const Identity ca = make_authority("Test CA", a_year);
  const Identity server = issue_server(
      ca, {"fw.example"}, {.days = 1, .not_before = std::time(nullptr) - std::time_t{2} * 86'400});
  EXPECT_EQ(verdict(ca, server, X509_PURPOSE_SSL_SERVER, "fw.example"),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Certificates, CannotBeIssuedByAServersCertificate) {
  const Identity ca = make_authority("Test CA", a_year);
  const Identity server = issue_server(ca, {"fw.example"}, a_year);
  EXPECT_EQ(code_of([&] { issue_server(server, {"a.example"}, a_year); }), "bad_authority");
  const Identity mixed{ca.certificate, server.key};
  EXPECT_EQ(code_of([&] { issue_client(mixed, "a", a_year); }), "bad_authority");
  EXPECT_EQ(code_of([&] { issue_client({"", ""}, "a", a_year); }), "bad_authority");
  EXPECT_EQ(code_of([&] {
              issue_client({ca.certificate, "-----BEGIN"}, "a", a_year);
            }),
            "bad_authority");
}

TEST(Certificates, AreNotIssuedForWhatIsNoHost) {
  const Identity ca = make_authority("Test CA", a_year);
  std::string long_label(64, 'a');
  long_label += ".example";
  for (const std::string& host : std::vector<std::string>{"",
                                                          " ",
                                                          "a b",
                                                          "fw.example,DNS:bank.example",
                                                          "*",
                                                          "*.",
                                                          "a.*.b",
                                                          "-a.example",
                                                          "a..b",
                                                          "192.0.2",
                                                          "1.2.3.4.5",
                                                          "fw.example\n",
                                                          "https://fw.example",
                                                          "fw.example:8443",
                                                          "bücher.example",
                                                          long_label}) {
    EXPECT_EQ(code_of([&] { issue_server(ca, {"fw.example", host}, a_year); }), "bad_host") << host;
  }
  EXPECT_EQ(code_of([&] { issue_server(ca, {}, a_year); }), "no_host");
}

TEST(Certificates, AreNotIssuedForNamesThatPathsOrPeopleMisread) {
  const Identity ca = make_authority("Test CA", a_year);
  for (const std::string& name :
       std::vector<std::string>{"", "../a", ".a", "-a", "a b", "a/b", "a\nb"}) {
    EXPECT_EQ(code_of([&] { issue_client(ca, name, a_year); }), "bad_name") << name;
  }
  EXPECT_EQ(code_of([&] { issue_client(ca, std::string(65, 'a'), a_year); }), "bad_name");
  EXPECT_EQ(code_of([&] { make_authority("a\nb", a_year); }), "bad_name");
  EXPECT_EQ(code_of([&] { make_authority("", a_year); }), "bad_name");
}

TEST(Certificates, HaveAValidityOfOneDayToACentury) {
  for (const int days : {-1, 0, 36'501}) {
    EXPECT_EQ(code_of([&] { make_authority("Test CA", {.days = days, .not_before = 0}); }),
              "bad_validity");
  }
  EXPECT_EQ(code_of([] { make_authority("Test CA", {.days = 36'500, .not_before = 0}); }),
            "accepted");
}

TEST(Descriptions, TellWhatStandsInACertificate) {
  const Identity ca = make_authority("Test CA", a_year);
  const Identity server = issue_server(ca, {"fw.example", "192.0.2.7", "2001:db8::7"}, a_year);
  const auto found = describe(server.certificate + ca.certificate);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].subject, "CN=fw.example");
  EXPECT_EQ(found[0].issuer, "CN=Test CA");
  EXPECT_THAT(found[0].names, ElementsAre("fw.example", "192.0.2.7", "2001:db8::7"));
  EXPECT_EQ(found[0].not_after - found[0].not_before, 365 * 86'400);
  EXPECT_EQ(found[0].key, "EC P-256");
  EXPECT_FALSE(found[0].authority);
  EXPECT_TRUE(found[0].for_servers);
  EXPECT_FALSE(found[0].for_clients);
  EXPECT_TRUE(found[1].authority);
  EXPECT_NE(found[0].spki_pin, found[1].spki_pin);
}

// Made by: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 …; its pin by: openssl
// x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64 |
// tr '+/' '-_'.
TEST(Descriptions, GiveThePinThatOpensslsOwnToolGives) {
  constexpr std::string_view pem = R"(-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUdugHs9VMQo7298WCDJkeJDFPucIwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLcGluLmV4YW1wbGUwIBcNMjYxMTI1MDAwMDI5WhgPMjEyNTA2
MTkwMDAwMjlaMBYxFDASBgNVBAMMC3Bpbi5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEv0Vtes9K6GnpWxYYfV7ZRyWoyiMUV6//RjTJtp+sOkl672gY
f+67HBrNBTd3UE2pH8z4SlxeD680KzEsB+H2X6NTMFEwHQYDVR0OBBYEFFepjw2Y
ux0kTmFGzGdwK9vMdc+NMB8GA1UdIwQYMBaAFFepjw2Yux0kTmFGzGdwK9vMdc+N
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAIGMuZUrcxeRcTLf
y1nTI2q7i4PeR+hiK9PyZ3hFQmoNAiAEerYYp+EWqpGtky3LBIZ72BUGS7gua4PN
F3Wa/LnthA==
-----END CERTIFICATE-----
)";
  const auto found = describe(pem).front();
  EXPECT_EQ(found.spki_pin, "THgPXTCMa0amdFqasxZc5K068beMFbg5u9tz8O4qfqA");
  EXPECT_EQ(found.subject, "CN=pin.example");
}

TEST(Descriptions, RefuseWhatIsNoCertificate) {
  const std::string good = make_authority("Test CA", a_year).certificate;
  EXPECT_EQ(code_of([] { describe(""); }), "not_a_certificate");
  EXPECT_EQ(code_of([] { describe("hello"); }), "not_a_certificate");
  EXPECT_EQ(code_of([&] { describe(good.substr(0, good.size() / 2)); }), "not_a_certificate");
  std::string damaged = good + good;
  damaged.replace(good.size() + 60, 4, "!!!!");
  EXPECT_EQ(code_of([&] { describe(damaged); }), "not_a_certificate");
}

}  // namespace
}  // namespace otaria::cert
