#include "simulator/net/curl_fetcher.hpp"

#include <gmock/gmock.h>

#include <chrono>

#include "simulator/net/test_support/recording_agent.hpp"
#include "simulator/net/test_support/test_http_server.hpp"

namespace otaria::simulator {
namespace {

using device::FetchFailure;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Answer = TestHttpServer::Answer;

std::string response(const std::string& status,
                     const std::string& body,
                     const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}
Answer redirect_to(const std::string& url) {
  return {response("302 Found", "moved", "Location: " + url + "\r\n")};
}

class CurlFetcherTest : public testing::Test {
 protected:
  /// Runs until the request has ended; the limit only ends a test that has failed.
  void run(CurlFetcher& fetcher) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (fetcher.is_busy() && std::chrono::steady_clock::now() < limit) {
      engine_.wait({}, std::chrono::milliseconds{100});
      engine_.step();
      while (fetcher.deliver_next(agent_)) {
      }
    }
    EXPECT_FALSE(fetcher.is_busy());
  }
  void fetch(const device::Fetcher::Request& request, const std::string& ca_pem = "") {
    trusting(request, {.ca_pem = ca_pem, .pins = {}, .time_floor = {}});
  }
  void trusting(const device::Fetcher::Request& request, const TlsTrust& trust) {
    CurlFetcher fetcher{engine_, {.trust = trust}, {}};
    fetcher.get(request);
    run(fetcher);
  }

  CurlEngine engine_;
  RecordingAgent agent_;
};

TEST_F(CurlFetcherTest, DeliversHeadersHeadBodyAndEndInThisOrderInSmallPieces) {
  const std::string body(100'000, 'x');
  TestHttpServer server{
      [&](const std::string&) { return Answer{response("200 OK", body, "ETag: \"abc\"\r\n")}; }};
  fetch({server.url("/firmware/a.bin")});
  EXPECT_THAT(agent_.events, ElementsAre("head 200", "end"));
  EXPECT_THAT(agent_.headers, ElementsAre("Content-Length: 100000", "ETag: \"abc\""));
  EXPECT_EQ(agent_.body, body);
  EXPECT_LE(agent_.largest_piece, 512u);
}

TEST_F(CurlFetcherTest, DeliversEveryByteOfABodyLargerThanItsBuffers) {
  std::string body(3'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761u >> 13);
  TestHttpServer server{[&](const std::string&) { return Answer{response("200 OK", body)}; }};
  fetch({server.url("/")});
  EXPECT_TRUE(agent_.body == body);
}

TEST_F(CurlFetcherTest, AsksForARangeAndPassesItsAnswerOn) {
  TestHttpServer server{[](const std::string&) {
    return Answer{response("206 Partial Content", "cdef", "Content-Range: bytes 2-5/6\r\n")};
  }};
  fetch({server.url("/a"), 2, "\"etag\""});
  EXPECT_THAT(server.requests(), ElementsAre(HasSubstr("\r\nRange: bytes=2-\r\n")));
  EXPECT_THAT(server.requests(), ElementsAre(HasSubstr("\r\nIf-Range: \"etag\"\r\n")));
  EXPECT_THAT(agent_.events, ElementsAre("head 206", "end"));
  EXPECT_THAT(agent_.headers, Contains("Content-Range: bytes 2-5/6"));
  EXPECT_EQ(agent_.body, "cdef");
}

TEST_F(CurlFetcherTest, AsksForTheWholeWithoutARange) {
  TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "a")}; }};
  fetch({server.url("/a")});
  EXPECT_THAT(server.requests(), ElementsAre(Not(HasSubstr("Range"))));
}

TEST_F(CurlFetcherTest, AnErrorStatusIsAnAnswerNotAFailure) {
  TestHttpServer server{[](const std::string&) {
    return Answer{response("416 Range Not Satisfiable", "", "Content-Range: bytes */6\r\n")};
  }};
  fetch({server.url("/a"), 9});
  EXPECT_THAT(agent_.events, ElementsAre("head 416", "end"));
  EXPECT_THAT(agent_.headers, Contains("Content-Range: bytes */6"));
}

TEST_F(CurlFetcherTest, ABodyCutShortIsABrokenConnection) {
  TestHttpServer server{[](const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this", true};
  }};
  fetch({server.url("/a")});
  EXPECT_EQ(agent_.body, "only this");
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::broken));
  EXPECT_THAT(agent_.events, Not(Contains("end")));
}

TEST_F(CurlFetcherTest, AChunkedBodyArrivesWithoutItsFraming) {
  TestHttpServer server{[](const std::string&) {
    return Answer{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: "
        "1\r\n\r\n"};
  }};
  fetch({server.url("/a")});
  EXPECT_EQ(agent_.body, "abcde");
  EXPECT_THAT(agent_.events, ElementsAre("head 200", "end"));
  EXPECT_THAT(agent_.headers, Not(Contains(HasSubstr("X-Late"))));
}

TEST_F(CurlFetcherTest, AnInterimResponseIsNotTheAnswer) {
  TestHttpServer server{[](const std::string&) {
    return Answer{"HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\n" + response("200 OK", "a")};
  }};
  fetch({server.url("/a")});
  EXPECT_THAT(agent_.events, ElementsAre("head 200", "end"));
  EXPECT_THAT(agent_.headers, ElementsAre("Content-Length: 1"));
}

TEST_F(CurlFetcherTest, WhatIsNotHttpIsABadResponse) {
  TestHttpServer server{[](const std::string&) { return Answer{"SSH-2.0-OpenSSH_9.2\r\n", true}; }};
  fetch({server.url("/a")});
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::bad_response));
}

TEST_F(CurlFetcherTest, HeadersWithoutEndAreABadResponse) {
  TestHttpServer server{[](const std::string&) {
    std::string flood = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 5000; ++i) flood += "X-Flood: yes\r\n";
    return Answer{flood + "\r\n", true};
  }};
  fetch({server.url("/a")});
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::bad_response));
  EXPECT_THAT(agent_.headers, IsEmpty());
}

TEST_F(CurlFetcherTest, ARefusedConnectionIsUnreachable) {
  std::string url;
  {
    TestHttpServer gone{[](const std::string&) { return Answer{}; }};
    url = gone.url("/a");
  }
  fetch({url});
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::unreachable));
}

TEST_F(CurlFetcherTest, ASchemeOtherThanHttpIsNeverUsed) {
  fetch({"file:///etc/hostname"});
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::bad_response));
  EXPECT_THAT(agent_.body, IsEmpty());
}

TEST_F(CurlFetcherTest, FollowsARedirectWithItsRangeAndShowsTheLastAnswerOnly) {
  TestHttpServer server{[&](const std::string& head) {
    if (head.starts_with("GET /first ")) return redirect_to("/second");
    return Answer{response("206 Partial Content", "cd")};
  }};
  fetch({server.url("/first"), 2});
  EXPECT_THAT(agent_.events, ElementsAre("head 206", "end"));
  EXPECT_EQ(agent_.body, "cd");
  EXPECT_THAT(server.requests(), ElementsAre(HasSubstr("GET /first"), HasSubstr("bytes=2-")));
}

TEST_F(CurlFetcherTest, FollowsThreeRedirectsAndNotFour) {
  int hops = 3;
  TestHttpServer server{[&](const std::string& head) {
    const int hop = head[5] - '0';
    if (hop < hops) return redirect_to("/" + std::to_string(hop + 1));
    return Answer{response("200 OK", "here")};
  }};
  fetch({server.url("/0")});
  EXPECT_EQ(agent_.body, "here");
  hops = 4;
  fetch({server.url("/0")});
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::bad_response));
}

TEST_F(CurlFetcherTest, KeepsTheConnectionForTheNextRequest) {
  TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "a")}; }};
  CurlFetcher fetcher{engine_, {}, {}};
  for (int i = 0; i < 3; ++i) {
    fetcher.get({server.url("/a")});
    run(fetcher);
  }
  EXPECT_EQ(server.requests().size(), 3u);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlFetcherTest, ACancelledRequestDeliversNothingMore) {
  TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "abc")}; }};
  CurlFetcher fetcher{engine_, {}, {}};
  fetcher.get({server.url("/old")});
  fetcher.cancel();
  EXPECT_FALSE(fetcher.is_busy());
  fetcher.get({server.url("/new")});
  run(fetcher);
  EXPECT_THAT(agent_.events, ElementsAre("head 200", "end"));
}

TEST_F(CurlFetcherTest, HttpsWorksWithTheRightTrustAnchor) {
  const auto certificate = TestCertificate::make();
  TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "secret")}; },
                        certificate};
  fetch({server.url("/a")}, certificate.certificate_pem);
  EXPECT_EQ(agent_.body, "secret");
}

TEST_F(CurlFetcherTest, HttpsWithAnotherTrustAnchorIsRefused) {
  TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "secret")}; },
                        TestCertificate::make()};
  fetch({server.url("/a")}, TestCertificate::make().certificate_pem);
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::tls));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(CurlFetcherTest, HttpsIsNeverRedirectedToHttp) {
  const auto certificate = TestCertificate::make();
  TestHttpServer plain{[](const std::string&) { return Answer{response("200 OK", "evil")}; }};
  TestHttpServer server{[&](const std::string&) { return redirect_to(plain.url("/a")); },
                        certificate};
  fetch({server.url("/a")}, certificate.certificate_pem);
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::bad_response));
  EXPECT_THAT(agent_.events, Not(Contains("head 302")));
  EXPECT_THAT(plain.requests(), IsEmpty());
}

TEST_F(CurlFetcherTest, HttpMayBeRedirectedToHttps) {
  const auto certificate = TestCertificate::make();
  TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "good")}; },
                        certificate};
  TestHttpServer plain{[&](const std::string&) { return redirect_to(server.url("/a")); }};
  fetch({plain.url("/a")}, certificate.certificate_pem);
  EXPECT_EQ(agent_.body, "good");
}

TEST_F(CurlFetcherTest, APostCarriesItsBodyAndItsToken) {
  TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "{}"), true}; }};
  const std::string url = server.url("/api");
  device::Fetcher::Request request{url};
  request.content_type = "application/jose";
  request.body = "a.b.c";
  request.bearer = "secret";
  fetch(request);
  EXPECT_THAT(agent_.events, ElementsAre("head 200", "end"));
  const std::string head = server.requests().at(0);
  EXPECT_THAT(head, testing::StartsWith("POST /api HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type: application/jose\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(head, HasSubstr("Authorization: Bearer secret\r\n"));
}

TEST_F(CurlFetcherTest, APostFollowsNoRedirect) {
  TestHttpServer server{[](const std::string&) {
    Answer answer = redirect_to("http://127.0.0.1:1/elsewhere");
    answer.close_after = true;
    return answer;
  }};
  const std::string url = server.url("/api");
  device::Fetcher::Request request{url};
  request.content_type = "application/jose";
  request.body = "x";
  fetch(request);
  EXPECT_THAT(agent_.events, ElementsAre("head 302", "end"));
}

TEST_F(CurlFetcherTest, ATokenStaysWithItsOwnOrigin) {
  TestHttpServer other{[](const std::string&) { return Answer{response("200 OK", "x")}; }};
  TestHttpServer server{[&](const std::string& head) {
    return head.starts_with("GET /a ") ? redirect_to("/b") : redirect_to(other.url("/c"));
  }};
  const std::string url = server.url("/a");
  device::Fetcher::Request request{url};
  request.bearer = "secret";
  fetch(request);
  EXPECT_THAT(server.requests().at(1), HasSubstr("Authorization: Bearer secret"));
  EXPECT_THAT(other.requests().at(0), Not(HasSubstr("secret")));
}

class TlsTrustTest : public CurlFetcherTest {
 protected:
  /// Whether a request to a server with that certificate succeeds.
  bool succeeds(const TestCertificate& certificate,
                const TlsTrust& trust,
                bool without_pins = false) {
    agent_.events.clear();
    agent_.failures.clear();
    TestHttpServer server{[](const std::string&) { return Answer{response("200 OK", "x")}; },
                          certificate};
    const std::string url = server.url("/a");
    device::Fetcher::Request request{url};
    request.without_pins = without_pins;
    trusting(request, trust);
    return agent_.events == std::vector<std::string>{"head 200", "end"};
  }
  static TlsTrust trust(const TestCertificate& certificate,
                        const std::vector<contract::Digest>& pins = {},
                        std::uint32_t floor = 0) {
    return {.ca_pem = certificate.certificate_pem,
            .pins =
                [pins](std::string_view host) {
                  return host == "127.0.0.1" ? pins : std::vector<contract::Digest>{};
                },
            .time_floor = [floor] { return floor; }};
  }
  static std::uint32_t in(long seconds) {
    return static_cast<std::uint32_t>(std::time(nullptr) + seconds);
  }
};

TEST_F(TlsTrustTest, OneOfThePinsMustBeTheKeys) {
  const auto certificate = TestCertificate::make();
  const auto other = TestCertificate::make();
  EXPECT_TRUE(succeeds(certificate, trust(certificate, {other.pin(), certificate.pin()})));
  EXPECT_FALSE(succeeds(certificate, trust(certificate, {other.pin()})));
  EXPECT_THAT(agent_.failures, ElementsAre(FetchFailure::pin));
}

TEST_F(TlsTrustTest, ARequestWithoutPinsStillNeedsAGoodChain) {
  const auto certificate = TestCertificate::make();
  const auto other = TestCertificate::make();
  EXPECT_TRUE(succeeds(certificate, trust(certificate, {other.pin()}), true));
  EXPECT_FALSE(succeeds(certificate, trust(other, {}), true));
}

TEST_F(TlsTrustTest, ACertificateThatHasCertainlyEndedIsRefused) {
  const auto certificate =
      TestCertificate::make({.names = "IP:127.0.0.1", .begins_s = -7200, .ends_s = -3600});
  EXPECT_TRUE(succeeds(certificate, trust(certificate)));  // nobody knows the time
  EXPECT_TRUE(succeeds(certificate, trust(certificate, {}, in(-5400))));
  EXPECT_FALSE(succeeds(certificate, trust(certificate, {}, in(-1800))));
}

TEST_F(TlsTrustTest, ACertificateOfTheFutureIsNoObjection) {
  const auto certificate =
      TestCertificate::make({.names = "IP:127.0.0.1", .begins_s = 3600, .ends_s = 7200});
  EXPECT_TRUE(succeeds(certificate, trust(certificate)));
}

TEST_F(TlsTrustTest, ACertificateForAnotherHostIsRefused) {
  for (const char* names : {"DNS:localhost", "IP:127.0.0.2", "DNS:127.0.0.1"}) {
    const auto certificate = TestCertificate::make({.names = names});
    EXPECT_FALSE(succeeds(certificate, trust(certificate))) << names;
  }
}

}  // namespace
}  // namespace otaria::simulator
