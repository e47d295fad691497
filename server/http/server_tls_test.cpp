#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "operator/cert/certificate.hpp"
#include "server/http/server.hpp"
#include "server/http/tls_test_client.hpp"

namespace otaria::server {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const cert::Validity a_year{.days = 365, .not_before = 0};

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13);
  return bytes;
}

std::string shown(X509* certificate) {
  char text[256] = "";
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  return text;
}

std::string encrypted(const std::string& key_pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> in{
      BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())), BIO_free_all};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out{BIO_new(BIO_s_mem()), BIO_free_all};
  PEM_write_bio_PKCS8PrivateKey(
      out.get(), key.get(), EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
  char* at = nullptr;
  const long length = BIO_get_mem_data(out.get(), &at);
  return {at, static_cast<std::size_t>(length)};
}

/// Serves `big` at /firmware/big over TLS, and elsewhere an echo with the client's common name.
class HttpsTest : public testing::Test {
 protected:
  HttpsTest() {
    std::string name = (fs::temp_directory_path() / "otaria-https-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    write(server_identity(ca));
    const int descriptor = ::memfd_create("test", MFD_CLOEXEC);
    EXPECT_EQ(::write(descriptor, big_content.data(), big_content.size()),
              static_cast<ssize_t>(big_content.size()));
    big = std::make_shared<OpenFile>(descriptor, big_content.size());
    big->etag = "\"big\"";
  }
  ~HttpsTest() override {
    server.reset();
    fs::remove_all(folder);
  }

  static cert::Identity server_identity(const cert::Identity& authority) {
    return cert::issue_server(authority, {"127.0.0.1"}, a_year);
  }
  // As an operator does: the new file takes the old one's place in one step.
  static void replace(const fs::path& path, const std::string& text, mode_t mode) {
    const std::string draft = path.string() + ".new";
    std::ofstream{draft} << text;
    ::chmod(draft.c_str(), mode);
    fs::rename(draft, path);
  }
  void write(const cert::Identity& identity) const {
    replace(certificate(), identity.certificate, 0644);
    replace(key(), identity.key, 0600);
  }
  [[nodiscard]] std::string certificate() const { return folder / "server.pem"; }
  [[nodiscard]] std::string key() const { return folder / "server.key"; }

  HttpConfig config() const {
    HttpConfig values;
    values.tls.certificate = certificate();
    values.tls.private_key = key();
    values.certificate_poll = std::chrono::hours(1);
    return values;
  }
  HttpConfig asking_clients(ClientCertificates what) const {
    HttpConfig values = config();
    std::ofstream{folder / "client-ca.pem"} << ca.certificate;
    values.tls.client_ca = folder / "client-ca.pem";
    values.tls.client_certificates = what;
    return values;
  }
  void start(HttpConfig values) {
    server = std::make_unique<HttpServer>(
        std::move(values),
        [](const Request& request) {
          Response response;
          response.body = request.path + "|" + request.body + "|" + request.client_common_name;
          return response;
        },
        [this](std::string_view path, std::string_view) {
          return path == "/firmware/big" ? big : std::shared_ptr<const OpenFile>{};
        });
    server->start();
  }
  TlsTestClient client(TlsClientOptions options = {}) {
    if (options.trusted.empty()) options.trusted = ca.certificate;
    return TlsTestClient{server->port(), options};
  }
  std::string why_not_started(HttpConfig values) {
    try {
      start(std::move(values));
    } catch (const TlsFileError& error) {
      return error.what();
    }
    return "it started";
  }

  fs::path folder;
  const cert::Identity ca = cert::make_authority("Test CA", a_year);
  const std::string big_content = pattern(9'000'000);
  std::shared_ptr<OpenFile> big;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpsTest, ServesFilesRangesAndHandlersInBothVersions) {
  start(config());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    TlsTestClient one = client({.version = version});
    ASSERT_TRUE(one.connected());
    EXPECT_THAT(one.get("/a"), EndsWith("\r\n\r\n/a||"));
    const std::string whole = one.get("/firmware/big");
    EXPECT_THAT(whole.substr(0, 200), HasSubstr("HTTP/1.1 200 OK"));
    EXPECT_EQ(whole.substr(whole.find("\r\n\r\n") + 4), big_content);
    one.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\nRange: bytes=16000-50000\r\n\r\n");
    const std::string part = one.read_response();
    EXPECT_THAT(part.substr(0, 300), HasSubstr("Content-Range: bytes 16000-50000/9000000"));
    EXPECT_EQ(part.substr(part.find("\r\n\r\n") + 4), big_content.substr(16'000, 34'001));
    one.send("HEAD /firmware/big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(one.read_all(), EndsWith("Content-Length: 9000000\r\n\r\n"));
    EXPECT_TRUE(one.ended_well());
  }
}

TEST_F(HttpsTest, TakesLongBodiesAndPipelinedRequests) {
  HttpConfig values = config();
  values.body_limit = [](std::string_view, std::string_view) { return 16u << 20; };
  std::string received;
  server = std::make_unique<HttpServer>(values, [&](const Request& request) {
    if (request.body_file) {
      received.resize(request.body_file->size);
      EXPECT_EQ(::pread(request.body_file->descriptor, received.data(), received.size(), 0),
                9'000'000);
    }
    return Response{};
  });
  server->start();
  TlsTestClient one = client();
  one.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
  ASSERT_TRUE(one.send(big_content));
  EXPECT_THAT(one.read_response(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(received, big_content);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
  one.send(many);
  for (int i = 0; i < 100; ++i) ASSERT_THAT(one.read_response(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpsTest, SpeaksNoOldVersionAndNoWeakCipher) {
  start(config());
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    EXPECT_FALSE(client({.version = version}).connected());
  }
  for (const char* weak : {"ECDHE-ECDSA-AES128-SHA256",
                           "ECDHE-ECDSA-AES256-SHA",
                           "AES128-GCM-SHA256",
                           "DHE-RSA-AES128-GCM-SHA256"}) {
    EXPECT_FALSE(client({.version = TLS1_2_VERSION, .ciphers = weak}).connected()) << weak;
  }
  // The client sees its handshake fail before the server has counted it.
  const auto failed_by = [this](TlsFailure why) {
    return server->statistics().tls_failures[static_cast<std::size_t>(why)];
  };
  for (int i = 0; i < 500 && failed_by(TlsFailure::cipher) < 4; ++i) {
    std::this_thread::sleep_for(milliseconds{10});
  }
  EXPECT_EQ(failed_by(TlsFailure::version), 2u);
  EXPECT_EQ(failed_by(TlsFailure::cipher), 4u);
}

TEST_F(HttpsTest, ChoosesTheCipherByItsOwnOrder) {
  start(config());
  TlsTestClient one =
      client({.version = TLS1_2_VERSION,
              .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:"
                         "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"});
  ASSERT_TRUE(one.connected());
  EXPECT_STREQ(SSL_get_cipher_name(one.ssl()), "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST_F(HttpsTest, RenegotiatesWithNobody) {
  start(config());
  TlsTestClient one = client({.version = TLS1_2_VERSION});
  ASSERT_TRUE(one.connected());
  ASSERT_EQ(SSL_renegotiate(one.ssl()), 1);
  EXPECT_NE(SSL_do_handshake(one.ssl()), 1);
}

TEST_F(HttpsTest, AgreesOnHttp11AndTellsWhoCannot) {
  start(config());
  TlsTestClient both = client({.protocols = "\x02h2\x08http/1.1"});
  ASSERT_TRUE(both.connected());
  const unsigned char* chosen = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(both.ssl(), &chosen, &length);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), length), "http/1.1");
  EXPECT_FALSE(client({.protocols = "\x02h2"}).connected());
}

TEST_F(HttpsTest, AnswersAPlainRequestWithWhatToDo) {
  start(config());
  TestClient plain(server->port());
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string got = plain.read_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(got, HasSubstr("\"code\":\"https_required\""));
}

TEST_F(HttpsTest, ClosesWhoDoesNotFinishTheHandshakeInTime) {
  HttpConfig values = config();
  values.head_timeout = milliseconds(100);
  start(values);
  TestClient silent(server->port());
  TestClient slow(server->port());
  slow.send("\x16\x03\x01\x02");  // the beginning of a hello
  EXPECT_EQ(slow.read_all(), "");
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(server->statistics().timed_out, 2u);
}

TEST_F(HttpsTest, ClosesWhoTalksNonsenseInTheHandshake) {
  start(config());
  for (const std::string& nonsense :
       {std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x'),
        std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10),
        std::string(5, '\x16')}) {
    TestClient one(server->port());
    one.send(nonsense);
    one.finish_sending();
    EXPECT_THAT(one.read_all(), testing::Not(HasSubstr("HTTP")));
  }
  EXPECT_TRUE(client().connected());
}

TEST_F(HttpsTest, CountsHandshakesAmongTheConnections) {
  HttpConfig values = config();
  values.max_connections = 1;
  start(values);
  TestClient in_handshake(server->port());
  while (server->statistics().active_connections != 1) std::this_thread::yield();
  TlsTestClient one = client();
  EXPECT_THAT(one.read_all(), HasSubstr("503"));
}

TEST_F(HttpsTest, ClosesAClientThatDoesNotDrainItsDownload) {
  HttpConfig values = config();
  values.progress_window = milliseconds(200);
  start(values);
  TlsTestClient one = client({.receive_buffer = 4096});
  one.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server->statistics().timed_out == 0) std::this_thread::yield();
  EXPECT_LT(one.read_all().size(), big_content.size());
  EXPECT_FALSE(one.ended_well());
  while (server->statistics().active_downloads != 0) std::this_thread::yield();
}

TEST_F(HttpsTest, ServesManySlowClientsAtOnceUncorrupted) {
  start(config());
  std::vector<std::unique_ptr<TlsTestClient>> clients;
  for (int i = 0; i < 50; ++i) {
    const int version = i % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    clients.push_back(std::make_unique<TlsTestClient>(
        server->port(),
        TlsClientOptions{.trusted = ca.certificate, .version = version, .receive_buffer = 8192}));
    ASSERT_TRUE(clients.back()->connected());
    clients.back()->send("GET /firmware/big HTTP/1.1\r\nHost: a\r\nRange: bytes=1-400000\r\n\r\n");
  }
  for (const auto& one : clients) {
    const std::string response = one->read_response();
    ASSERT_EQ(response.substr(response.find("\r\n\r\n") + 4), big_content.substr(1, 400'000));
  }
}

TEST_F(HttpsTest, StopsAfterTheDownloadsUnderWay) {
  start(config());
  TlsTestClient one = client({.receive_buffer = 4096});
  one.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server->statistics().active_downloads != 1) std::this_thread::yield();
  TestClient in_handshake(server->port());
  std::thread stopping([&] { server->stop(std::chrono::seconds(30)); });
  EXPECT_EQ(in_handshake.read_all(), "");
  EXPECT_THAT(one.read_response(), EndsWith(big_content.substr(8'000'000)));
  stopping.join();
}

TEST_F(HttpsTest, AsksForNoClientCertificateUnlessTold) {
  start(config());
  const cert::Identity device = cert::issue_client(ca, "a4cf12e0a1b2", a_year);
  EXPECT_THAT(client({.certificate = device.certificate, .key = device.key}).get("/a"),
              EndsWith("/a||"));
}

TEST_F(HttpsTest, TellsHandlersTheNameInAClientsCertificate) {
  const cert::Identity device = cert::issue_client(ca, "a4cf12e0a1b2", a_year);
  for (const auto what : {ClientCertificates::optional, ClientCertificates::required}) {
    start(asking_clients(what));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsTestClient one =
          client({.certificate = device.certificate, .key = device.key, .version = version});
      EXPECT_THAT(one.get("/a"), EndsWith("/a||a4cf12e0a1b2"));
      EXPECT_THAT(one.get("/b"), EndsWith("/b||a4cf12e0a1b2"));
    }
  }
}

TEST_F(HttpsTest, ServesAClientWithoutACertificateOnlyWhereNoneIsRequired) {
  start(asking_clients(ClientCertificates::optional));
  EXPECT_THAT(client().get("/a"), EndsWith("/a||"));
  start(asking_clients(ClientCertificates::required));
  EXPECT_EQ(client().get("/a"), "");
}

TEST_F(HttpsTest, RefusesAWrongClientCertificateEvenWhereNoneIsRequired) {
  const cert::Identity twin = cert::make_authority("Test CA", a_year);
  const cert::Validity past{.days = 1, .not_before = std::time(nullptr) - std::time_t{3} * 86'400};
  for (const auto what : {ClientCertificates::optional, ClientCertificates::required}) {
    start(asking_clients(what));
    for (const cert::Identity& wrong : {cert::issue_client(twin, "a4cf12e0a1b2", a_year),
                                        cert::issue_client(ca, "a4cf12e0a1b2", past),
                                        server_identity(ca)}) {
      for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsTestClient one =
            client({.certificate = wrong.certificate, .key = wrong.key, .version = version});
        EXPECT_EQ(one.get("/a"), "");
      }
    }
  }
}

TEST_F(HttpsTest, UsesAReplacedCertificateForNewConnectionsAndKeepsTheOldOnes) {
  start(config());
  TlsTestClient before = client();
  const cert::Identity next = cert::make_authority("Next CA", a_year);
  write(cert::issue_server(next, {"127.0.0.1", "next.example"}, a_year));
  EXPECT_EQ(server->reload_certificate(), std::nullopt);
  EXPECT_THAT(before.get("/a"), EndsWith("/a||"));
  EXPECT_FALSE(client().connected());
  EXPECT_TRUE(client({.trusted = next.certificate}).connected());
}

TEST_F(HttpsTest, NoticesAReplacedCertificateByItself) {
  HttpConfig values = config();
  values.certificate_poll = milliseconds(20);
  start(values);
  const cert::Identity next = cert::make_authority("Next CA", a_year);
  write(server_identity(next));
  while (!client({.trusted = next.certificate}).connected()) std::this_thread::yield();
}

TEST_F(HttpsTest, KeepsTheOldPairWhenTheNewOneIsBrokenOrMixedUp) {
  start(config());
  const cert::Identity good = server_identity(ca);
  const cert::Identity other = server_identity(ca);
  const auto expect_refused = [&](const std::string& part) {
    EXPECT_THAT(server->reload_certificate().value_or("accepted"), HasSubstr(part));
    EXPECT_TRUE(client().connected());
  };
  replace(certificate(), other.certificate, 0644);
  expect_refused("does not belong to the certificate");
  replace(certificate(), "nonsense", 0644);
  expect_refused("there is no certificate in " + certificate());
  replace(certificate(), good.certificate.substr(0, good.certificate.size() / 2), 0644);
  expect_refused("a certificate in " + certificate() + " cannot be read");
  fs::remove(certificate());
  expect_refused("cannot be read: No such file");
  write(good);
  EXPECT_EQ(server->reload_certificate(), std::nullopt);
}

TEST_F(HttpsTest, DoesNotStartWithFilesItCannotUseAndSaysWhichAndWhy) {
  const cert::Identity good = server_identity(ca);
  ::chmod(key().c_str(), 0640);
  EXPECT_THAT(why_not_started(config()), EndsWith("(mode 0640): chmod 600 " + key()));
  replace(key(), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFc=\n", 0600);
  EXPECT_THAT(why_not_started(config()), HasSubstr("there is no private key in " + key()));
  replace(key(), encrypted(good.key), 0600);
  EXPECT_THAT(why_not_started(config()), HasSubstr("is encrypted with a passphrase"));
  fs::remove(key());
  EXPECT_THAT(why_not_started(config()), HasSubstr(key() + " cannot be read: No such file"));
  replace(key(), server_identity(ca).key, 0600);
  EXPECT_THAT(why_not_started(config()), HasSubstr("does not belong to the certificate"));
  write(good);
  HttpConfig values = asking_clients(ClientCertificates::required);
  std::ofstream{values.tls.client_ca} << good.certificate;
  EXPECT_THAT(why_not_started(values), EndsWith("holds a certificate that is no CA's"));
  values.tls.certificate = folder;
  EXPECT_THAT(why_not_started(values), HasSubstr("is no file"));
}

TEST_F(HttpsTest, SendsTheIntermediateCertificatesAlong) {
  const cert::Identity leaf = server_identity(ca);
  replace(certificate(), leaf.certificate + ca.certificate, 0644);
  replace(key(), leaf.key, 0600);
  start(config());
  TlsTestClient one = client();
  const auto* chain = SSL_get_peer_cert_chain(one.ssl());
  ASSERT_EQ(sk_X509_num(chain), 2);
  EXPECT_EQ(shown(sk_X509_value(chain, 1)), "/CN=Test CA");
}

}  // namespace
}  // namespace otaria::server
