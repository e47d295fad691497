#include "server/http/server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/http/test_client.hpp"

namespace otaria::server {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::shared_ptr<const OpenFile> file_in_memory(std::string_view content, std::string etag) {
  const int descriptor = ::memfd_create("test", MFD_CLOEXEC);
  EXPECT_EQ(::write(descriptor, content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  auto file = std::make_shared<OpenFile>(descriptor, content.size());
  file->etag = std::move(etag);
  file->header_lines = "Content-Type: application/octet-stream\r\n";
  return file;
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13);
  return bytes;
}

/// Serves ten bytes at /firmware/ten, `big` at /firmware/big, and an echo of everything else.
class HttpServerTest : public testing::Test {
 protected:
  static Response echo(const Request& request) {
    Response response;
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = request.method + " " + request.path;
    for (const auto& [name, value] : request.query) {
      response.body.append("|").append(name).append("=").append(value);
    }
    response.body += "|" + request.body;
    return response;
  }

  void start(HttpConfig config = {}, Handler handler = echo) {
    server = std::make_unique<HttpServer>(
        std::move(config), std::move(handler), [this](std::string_view path, std::string_view) {
          if (path == "/firmware/ten") return ten;
          if (path == "/firmware/big") return big;
          return std::shared_ptr<const OpenFile>{};
        });
    server->start();
  }
  /// Everything the server says to `bytes` until it closes.
  std::string answer(std::string_view bytes) {
    TestClient client(server->port());
    client.send(bytes);
    client.finish_sending();
    return client.read_all();
  }

  const std::string big_content = pattern(9'000'000);
  std::shared_ptr<const OpenFile> ten = file_in_memory("0123456789", "\"abc\"");
  std::shared_ptr<const OpenFile> big = file_in_memory(big_content, "\"big\"");
  std::unique_ptr<HttpServer> server;
};

struct Exchange {
  std::string request;
  std::string status_line;
  std::string contains;
  std::string ending;  ///< the body's end
};

TEST_F(HttpServerTest, AnswersEachKindOfRequestAsTheStandardSays) {
  start();
  const std::string host = "Host: a\r\n";
  const std::string file = "GET /firmware/ten HTTP/1.1\r\n" + host;
  const Exchange exchanges[] = {
      // clang-format off
    {file + "\r\n",                                      "HTTP/1.1 200 OK",          "ETag: \"abc\"\r\nAccept-Ranges: bytes\r\n", "Content-Length: 10\r\n\r\n0123456789"},
    {"HEAD /firmware/ten HTTP/1.1\r\n" + host + "\r\n",  "HTTP/1.1 200 OK",          "",                            "Content-Length: 10\r\n\r\n"},
    {file + "Range: bytes=2-4\r\n\r\n",                  "HTTP/1.1 206 Partial Content", "Content-Range: bytes 2-4/10\r\n", "Content-Length: 3\r\n\r\n234"},
    {file + "Range: bytes=7-\r\n\r\n",                   "HTTP/1.1 206 Partial Content", "Content-Range: bytes 7-9/10\r\n", "\r\n\r\n789"},
    {file + "Range: bytes=-2\r\n\r\n",                   "HTTP/1.1 206 Partial Content", "Content-Range: bytes 8-9/10\r\n", "\r\n\r\n89"},
    {"HEAD /firmware/ten HTTP/1.1\r\n" + host + "Range: bytes=1-2\r\n\r\n", "HTTP/1.1 206", "Content-Range: bytes 1-2/10\r\n", "Content-Length: 2\r\n\r\n"},
    {file + "Range: bytes=10-\r\n\r\n",                  "HTTP/1.1 416",             "Content-Range: bytes */10\r\n", "Content-Length: 0\r\n\r\n"},
    {file + "Range: bytes=0-1,4-5\r\n\r\n",              "HTTP/1.1 200 OK",          "",                            "0123456789"},
    {file + "Range: bytes=2-4\r\nIf-Range: \"abc\"\r\n\r\n", "HTTP/1.1 206",         "",                            "\r\n\r\n234"},
    {file + "Range: bytes=2-4\r\nIf-Range: \"old\"\r\n\r\n", "HTTP/1.1 200 OK",      "",                            "0123456789"},
    {file + "Range: bytes=2-4\r\nIf-Range: W/\"abc\"\r\n\r\n", "HTTP/1.1 200 OK",    "",                            "0123456789"},
    {file + "If-None-Match: \"x\", W/\"abc\"\r\n\r\n",   "HTTP/1.1 304 Not Modified", "ETag: \"abc\"",              "\r\n\r\n"},
    {"POST /firmware/ten HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n", "HTTP/1.1 405", "Allow: GET, HEAD\r\n", "the Allow header names\"}\n"},
    {"GET /a%20b?x=1%2B1&y=a+b&z HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 200 OK",   "",                            "GET /a b|x=1+1|y=a b|z=|"},
    {"GET http://fw.example/a?x=1 HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 200 OK",  "",                            "GET /a|x=1|"},
    {"OPTIONS * HTTP/1.1\r\n" + host + "\r\n",           "HTTP/1.1 200 OK",          "",                            "OPTIONS *|"},
    {"\r\n\r\nGET /a HTTP/1.1\r\n" + host + "\r\n",      "HTTP/1.1 200 OK",          "",                            "GET /a|"},
    {"POST /a HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nxyz", "HTTP/1.1 200 OK", "",                         "POST /a|xyz"},
    {"POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\nTrailer: 1\r\n\r\n", "HTTP/1.1 200 OK", "", "POST /a|abcde"},
    {"GET /a HTTP/1.0\r\n\r\n",                          "HTTP/1.1 200 OK",          "Connection: close\r\n",       "GET /a|"},
    {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 200 OK",         "Connection: keep-alive\r\n",  "GET /a|"},
    // Hostile or broken.
    {"GET /a HTTP/1.1\r\n\r\n",                          "HTTP/1.1 400", "Connection: close", ""},
    {"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",    "HTTP/1.1 400", "", ""},
    {"GET /a HTTP/2.0\r\n" + host + "\r\n",              "HTTP/1.1 505", "", ""},
    {"GET /a\r\n\r\n",                                   "HTTP/1.1 400", "", ""},
    {"\x16\x03\x01\x02",                                 "HTTP/1.1 400", "", ""},
    {"BREW /a HTTP/1.1\r\n" + host + "\r\n",             "HTTP/1.1 405", "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n", ""},
    {"GET /../etc/passwd HTTP/1.1\r\n" + host + "\r\n",  "HTTP/1.1 400", "", ""},
    {"GET /%2e%2e/x HTTP/1.1\r\n" + host + "\r\n",       "HTTP/1.1 400", "", ""},
    {"GET /a%2fb HTTP/1.1\r\n" + host + "\r\n",          "HTTP/1.1 400", "", ""},
    {"GET /a%5Cb HTTP/1.1\r\n" + host + "\r\n",          "HTTP/1.1 400", "", ""},
    {"GET /a%00b HTTP/1.1\r\n" + host + "\r\n",          "HTTP/1.1 400", "", ""},
    {"GET /a?x=%zz HTTP/1.1\r\n" + host + "\r\n",        "HTTP/1.1 400", "", ""},
    {"GET a HTTP/1.1\r\n" + host + "\r\n",               "HTTP/1.1 400", "", ""},
    {"GET /a HTTP/1.1\r\n" + host + "Bad header: x\r\n\r\n", "HTTP/1.1 400", "", ""},
    {"GET /a HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", "HTTP/1.1 400", "", ""},
    {"GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 414", "", ""},
    {"GET /" + std::string(9000, 'a'),                   "HTTP/1.1 414", "", ""},
    {"GET /a HTTP/1.1\r\n" + host + "X: " + std::string(9000, 'a'), "HTTP/1.1 431", "", ""},
    {"POST /a HTTP/1.1\r\n" + host + "Content-Length: 9999999\r\n\r\n",
     "HTTP/1.1 413",
     "application/problem+json",
     "other bodies 64 KiB\"}\n"},
    {"POST /a HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", "HTTP/1.1 400", "", ""},
    {"POST /a HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nxyz", "HTTP/1.1 400", "", ""},
    {"POST /a HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 400", "", ""},
    {"POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501", "", ""},
    {"POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400", "", ""},
    {"POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "HTTP/1.1 400", "", ""},
    {"POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(70'000, 'x'), "HTTP/1.1 400", "", ""},
      // clang-format on
  };
  for (const Exchange& exchange : exchanges) {
    SCOPED_TRACE(exchange.request.substr(0, 200));
    const std::string got = answer(exchange.request);
    EXPECT_THAT(got, StartsWith(exchange.status_line));
    EXPECT_THAT(got, HasSubstr(exchange.contains));
    EXPECT_THAT(got, EndsWith(exchange.ending));
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  const std::string got = answer(
      "GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nB\r\n0\r\n\r\n"
      "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nC"
      "GET /firmware/ten HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\nConnection: close\r\n\r\n");
  const auto first = got.find("0123456789HTTP/1.1");
  const auto second = got.find("POST /b|BHTTP/1.1");
  const auto third = got.find("POST /c|CHTTP/1.1");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
  EXPECT_THAT(got, EndsWith("\r\n\r\n0"));
}

TEST_F(HttpServerTest, TakesARequestThatArrivesByteByByte) {
  start();
  TestClient client(server->port());
  for (char c : std::string("GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n")) client.send({&c, 1});
  EXPECT_THAT(client.read_response(), EndsWith("0123456789"));
}

TEST_F(HttpServerTest, ReportsAPortInUseWithAddressAndReason) {
  start();
  HttpConfig config;
  config.port = server->port();
  HttpServer second(config, echo);
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "cannot listen on 127.0.0.1:" + std::to_string(config.port) + ": Address already in use");
  }
}

TEST_F(HttpServerTest, AsksForAnAnnouncedBodyBeforeItComes) {
  start();
  TestClient client(server->port());
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(client.read_at_least(25));
  EXPECT_EQ(client.received, "HTTP/1.1 100 Continue\r\n\r\n");
  client.received.clear();
  client.send("hi");
  EXPECT_THAT(client.read_response(), EndsWith("POST /a|hi"));
}

TEST_F(HttpServerTest, RefusesAnAnnouncedBodyThatIsTooLongWithoutAskingForIt) {
  start();
  TestClient client(server->port());
  client.send(
      "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 413"));
}

/// Refuses by its head whatever is sent to /locked; counts what reaches the handler.
class AdmissionTest : public HttpServerTest {
 protected:
  void SetUp() override {
    HttpConfig config;
    config.body_limit = [](std::string_view, std::string_view) { return 16u << 20; };
    config.spool_directory = "/nowhere/at/all";  // a body that reached the spool would be a 500
    config.admission = [this](const Request& request) -> std::optional<Response> {
      ++asked;
      EXPECT_EQ(request.body, "");
      if (request.path != "/locked") return std::nullopt;
      Response response;
      response.status = 401;
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      response.body = "no";
      return response;
    };
    start(config, [this](const Request& request) {
      ++handled;
      return echo(request);
    });
  }
  std::atomic<int> asked{0}, handled{0};
};

TEST_F(AdmissionTest, RefusesAnAnnouncedBodyByItsHeadAndEndsTheConnection) {
  TestClient client(server->port());
  client.send(
      "POST /locked HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
      "9000000\r\n\r\n");
  const std::string answer = client.read_response();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));  // and not 100 Continue
  EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  client.finish_sending();
  EXPECT_EQ(client.read_all(), "");
  EXPECT_EQ(handled, 0);
}

TEST_F(AdmissionTest, NoByteOfARefusedBodyReachesTheSpool) {
  for (const char* length : {"Content-Length: 9000000", "Transfer-Encoding: chunked"}) {
    TestClient client(server->port());
    client.send(std::string{"POST /locked HTTP/1.1\r\nHost: a\r\n"} + length + "\r\n\r\n");
    client.send("200000\r\n" +
                big_content.substr(0, 200'000));  // drained for a moment, then cut off
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 401")) << length;
  }
  EXPECT_EQ(handled, 0);
  // The same to an open path meets the spool that is not there.
  TestClient client(server->port());
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
  client.send(big_content.substr(0, 200'000));
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500"));
}

TEST_F(AdmissionTest, WhatItLetsInReachesTheHandlerWhole) {
  TestClient client(server->port());
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  while (asked == 0) std::this_thread::yield();
  client.send("hello");
  EXPECT_THAT(client.read_response(), EndsWith("POST /open|hello"));
  client.send("GET /locked HTTP/1.1\r\nHost: a\r\n\r\n");  // no body: the handler's to judge
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(asked, 1);
}

TEST_F(HttpServerTest, HandsALongBodyToTheHandlerAsAFile) {
  HttpConfig config;
  config.body_limit = [](std::string_view, std::string_view path) {
    return path == "/upload" ? 16u << 20 : 1024u;
  };
  std::string content;
  start(config, [&](const Request& request) {
    Response response;
    if (request.body_file) {
      content.resize(request.body_file->size);
      response.body =
          std::to_string(::pread(request.body_file->descriptor, content.data(), content.size(), 0));
    }
    EXPECT_EQ(request.body, "");
    return response;
  });
  TestClient client(server->port());
  std::thread sender([&] {
    client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" +
                big_content);
  });
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n9000000"));
  sender.join();
  EXPECT_EQ(content, big_content);
  EXPECT_THAT(
      answer("POST /other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n" +
             std::string(0x401, 'x') + "\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, TurnsAHandlersExceptionIntoA500ThatTellsNothing) {
  start({}, [](const Request&) -> Response { throw std::runtime_error("password is 1234"); });
  const std::string got = answer("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(got, Not(HasSubstr("1234")));
}

TEST_F(HttpServerTest, LeavesAHeaderWithALineBreakOut) {
  start({}, [](const Request&) {
    Response response;
    response.headers.emplace_back("X", "a\r\nSet-Cookie: b");
    return response;
  });
  EXPECT_THAT(answer("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"), Not(HasSubstr("Set-Cookie")));
}

TEST_F(HttpServerTest, ClosesAClientWhoseHeadDoesNotComeInTime) {
  HttpConfig config;
  config.head_timeout = milliseconds(500);  // a busy machine must still get its half out before
  start(config);
  TestClient client(server->port());
  client.send("GET /firmware/ten HT");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(server->statistics().timed_out, 1u);
}

TEST_F(HttpServerTest, ClosesAClientThatConnectsAndSaysNothing) {
  HttpConfig config;
  config.head_timeout = milliseconds(100);
  start(config);
  EXPECT_EQ(TestClient(server->port()).read_all(), "");
}

TEST_F(HttpServerTest, ClosesAnIdleConnectionWithoutCallingItSlow) {
  HttpConfig config;
  config.idle_timeout = milliseconds(100);
  start(config);
  TestClient client(server->port());
  client.send("GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_all(), EndsWith("0123456789"));
  EXPECT_EQ(server->statistics().timed_out, 0u);
}

TEST_F(HttpServerTest, ClosesAClientThatDoesNotDrainItsDownload) {
  HttpConfig config;
  config.progress_window = milliseconds(200);
  start(config);
  TestClient client(server->port(), 4096);
  client.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server->statistics().timed_out == 0) std::this_thread::yield();
  // What the kernels still held arrives, then the end.
  EXPECT_LT(client.read_all().size(), big_content.size());
  while (server->statistics().active_downloads != 0) std::this_thread::yield();
}

TEST_F(HttpServerTest, SurvivesClientsThatResetTheirDownloads) {
  start();
  for (int i = 0; i < 50; ++i) {
    TestClient client(server->port(), 4096);
    const linger reset_on_close{1, 0};
    ::setsockopt(
        client.descriptor(), SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof reset_on_close);
    client.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_at_least(1);
  }
  while (server->statistics().active_connections != 0) std::this_thread::yield();
  EXPECT_EQ(server->statistics().active_downloads, 0u);
}

TEST_F(HttpServerTest, ClosesAClientWhoseBodyStalls) {
  HttpConfig config;
  config.progress_window = milliseconds(100);
  start(config);
  TestClient client(server->port());
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServerTest, RefusesConnectionsBeyondTheLimitPolitely) {
  HttpConfig config;
  config.max_connections = 1;
  start(config);
  TestClient first(server->port());
  first.send("GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n");
  first.read_response();
  const std::string got = answer("GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(got, HasSubstr("Retry-After: 5\r\n"));
  EXPECT_EQ(server->statistics().connections_refused, 1u);
  first.send("GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(first.read_response(), EndsWith("0123456789"));
}

TEST_F(HttpServerTest, RefusesDownloadsBeyondTheLimitAndKeepsTheConnection) {
  HttpConfig config;
  config.max_downloads = 1;
  config.retry_after = std::chrono::seconds(7);
  start(config);
  TestClient slow(server->port(), 4096);
  slow.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server->statistics().active_downloads != 1) std::this_thread::yield();
  TestClient other(server->port());
  other.send("GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string refused = other.read_response();
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(refused, HasSubstr("Retry-After: 7\r\n"));
  slow.read_response();
  while (server->statistics().active_downloads != 0) std::this_thread::yield();
  other.send("GET /firmware/ten HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(other.read_response(), EndsWith("0123456789"));
}

TEST_F(HttpServerTest, StopsAfterTheDownloadsUnderWay) {
  start();
  TestClient client(server->port(), 4096);
  client.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server->statistics().active_downloads != 1) std::this_thread::yield();
  TestClient idle(server->port());
  std::thread stopping([&] { server->stop(std::chrono::seconds(30)); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_THAT(client.read_response(), EndsWith(big_content));
  stopping.join();
}

TEST_F(HttpServerTest, CutsDownloadsOffWhenTheGraceIsOver) {
  start();
  TestClient client(server->port(), 4096);
  client.send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server->statistics().active_downloads != 1) std::this_thread::yield();
  server->stop(milliseconds(50));
  EXPECT_LT(client.read_all().size(), big_content.size());
}

TEST_F(HttpServerTest, StreamsEventsInChunksUntilTheSourceEnds) {
  start({}, [](const Request&) {
    Response response;
    response.headers.emplace_back("Content-Type", "text/event-stream");
    response.events = [count = 0]() mutable -> std::optional<std::string> {
      ++count;
      if (count == 2) return "";
      if (count > 3) return std::nullopt;
      return "data: " + std::to_string(count) + "\n\n";
    };
    return response;
  });
  TestClient client(server->port());
  client.send("GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string got = client.read_all();
  EXPECT_THAT(got, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(got, EndsWith("\r\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 3\n\n\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, AnswersRequestsWhileMoreMonitorsListenThanThereAreWorkers) {
  HttpConfig config;
  config.workers = 1;
  start(config, [](const Request& request) {
    Response response;
    if (request.path == "/events") response.events = [] { return std::string(); };
    return response;
  });
  std::vector<std::unique_ptr<TestClient>> monitors;
  for (int i = 0; i < 20; ++i) {
    monitors.push_back(std::make_unique<TestClient>(server->port()));
    monitors.back()->send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  while (server->statistics().active_event_streams != 20) std::this_thread::yield();
  EXPECT_THAT(answer("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ServesAThousandKeepAliveDownloadsAtOnceUncorrupted) {
  start();
  const std::string content = pattern(200'000);
  big = file_in_memory(content, "\"other\"");
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(std::make_unique<TestClient>(server->port()));
    ASSERT_TRUE(clients.back()->connected());
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& client : clients) {
      client->send("GET /firmware/big HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (const auto& client : clients) {
      const std::string response = client->read_response();
      ASSERT_EQ(response.substr(response.find("\r\n\r\n") + 4), content);
    }
  }
  EXPECT_EQ(server->statistics().connections, 1000u);
  EXPECT_EQ(server->statistics().responses[2], 2000u);
}

}  // namespace
}  // namespace otaria::server
