#include "operator/cli/client.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "operator/cli/failure.hpp"
#include "operator/cli/testing/fake_server.hpp"

namespace otaria::cli {
namespace {

using testing::FakeServer;

template <typename Act>
Failure failure_of(Act act) {
  try {
    act();
  } catch (const Failure& failure) {
    return failure;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {0, "", ""};
}

std::string temporary(const std::string& name, const std::string& content, mode_t mode) {
  std::string path = ::testing::TempDir() + name + std::to_string(::getpid());
  std::ofstream(path, std::ios::binary) << content;
  ::chmod(path.c_str(), mode);
  return path;
}

TEST(Client, AProblemBecomesTheServersOwnCodeDetailAndHint) {
  FakeServer server([](const auto&) {
    return FakeServer::problem(
        409, "release_exists", "1.4.0 has another digest.", "Raise the version.");
  });
  const Failure failure = failure_of([&] { Client(server.url(), "").get("/releases/1"); });
  EXPECT_EQ(failure.exit_code, exit_refused);
  EXPECT_EQ(failure.code, "release_exists");
  EXPECT_EQ(failure.detail, "1.4.0 has another digest.");
  EXPECT_EQ(failure.hint, "Raise the version.");
}

TEST(Client, AnErrorWithoutProblemDetailsStillSaysItsStatus) {
  FakeServer server([](const auto&) {
    return FakeServer::Reply{502, "<html>bad gateway</html>", "text/html"};
  });
  const Failure failure = failure_of([&] { Client(server.url(), "").get("/server"); });
  EXPECT_EQ(failure.exit_code, exit_refused);
  EXPECT_EQ(failure.code, "http_502");
}

TEST(Client, AnotherProgramAtTheAddressCountsAsNoServer) {
  for (const char* body : {"<html>It works!</html>", "", "[1,2]", "{\"a\":", "nul"}) {
    FakeServer server([&](const auto&) { return FakeServer::Reply{200, body, "text/html"}; });
    const Failure failure = failure_of([&] { Client(server.url(), "").get("/server"); });
    EXPECT_EQ(failure.exit_code, exit_unreachable) << body;
    EXPECT_EQ(failure.code, "not_otariad") << body;
  }
}

TEST(Client, NobodyAtTheAddressIsUnreachableWithAHintHowToStartAServer) {
  std::string url;
  {
    FakeServer server([](const auto&) { return FakeServer::Reply{}; });
    url = server.url();
  }
  const Failure failure = failure_of([&] { Client(url, "").get("/server"); });
  EXPECT_EQ(failure.exit_code, exit_unreachable);
  EXPECT_EQ(failure.code, "server_unreachable");
  EXPECT_NE(failure.hint.find("otaria up"), std::string::npos);
}

TEST(Client, AConnectionThatBreaksIsUnreachableToo) {
  FakeServer server([](const auto&) { return FakeServer::Reply{.drop = true}; });
  EXPECT_EQ(failure_of([&] { Client(server.url(), "").get("/server"); }).exit_code,
            exit_unreachable);
}

TEST(Client, TheTokenGoesIntoTheHeaderAndNowhereElse) {
  FakeServer server([](const auto&) { return FakeServer::json(Json::object()); });
  Client(server.url() + "/", "s3cret").get("/server");
  const auto seen = server.seen().at(0);
  EXPECT_NE(seen.head.find("\r\nAuthorization: Bearer s3cret"), std::string::npos);
  EXPECT_EQ(seen.target, "/api/v1/server");
}

TEST(Client, QueriesAreEncoded) {
  FakeServer server([](const auto&) { return FakeServer::json(Json::object()); });
  Client(server.url(), "").get("/devices", {{"q", "a b&c=/ü"}, {"empty", ""}, {"limit", "5"}});
  EXPECT_EQ(server.seen().at(0).target, "/api/v1/devices?q=a%20b%26c%3D%2F%C3%BC&limit=5");
}

TEST(Client, AnUploadSendsTheFilesBytesAndReportsProgressUpToTheEnd) {
  FakeServer server([](const auto&) { return FakeServer::json({{"id", "x"}}, 201); });
  std::string content(300000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  const std::string file = temporary("upload", content, 0600);
  std::uint64_t last = 0;
  const auto uploaded = Client(server.url(), "")
                            .upload("/releases",
                                    {{"version", "1.0.0+a"}},
                                    file,
                                    [&](std::uint64_t done, std::uint64_t total) {
                                      EXPECT_GE(done, last);
                                      EXPECT_EQ(total, content.size());
                                      last = done;
                                    });
  EXPECT_TRUE(uploaded.created);
  EXPECT_EQ(last, content.size());
  EXPECT_EQ(server.seen().at(0).body, content);
  EXPECT_EQ(server.seen().at(0).target, "/api/v1/releases?version=1.0.0%2Ba");
  EXPECT_NE(server.seen().at(0).head.find("Content-Type: application/octet-stream"),
            std::string::npos);
}

TEST(Client, AListIsFollowedOverItsPagesUpToTheLimit) {
  FakeServer server([](const FakeServer::Seen& seen) {
    const bool second = seen.target.find("cursor=two") != std::string::npos;
    return FakeServer::json({{"items", {{{"n", second ? 3 : 1}}, {{"n", second ? 4 : 2}}}},
                             {"next", second ? Json() : Json("two")}});
  });
  EXPECT_EQ(Client(server.url(), "").list("/devices", {}).size(), 4U);
  EXPECT_EQ(Client(server.url(), "").list("/devices", {}, 3).size(), 3U);
}

TEST(Client, AListThatAlwaysNamesTheSameNextPageEnds) {
  FakeServer server([](const auto&) {
    return FakeServer::json({{"items", {Json::object()}}, {"next", "again"}});
  });
  EXPECT_EQ(Client(server.url(), "").list("/devices", {}).size(), 2U);
}

TEST(Client, ARedirectIsNotFollowed) {
  // The token must not travel to where somebody else points.
  FakeServer server([](const auto&) {
    return FakeServer::Reply{.status = 302, .more_head = "Location: http://192.0.2.1/\r\n"};
  });
  EXPECT_EQ(failure_of([&] { Client(server.url(), "t").get("/server"); }).code, "http_302");
  EXPECT_EQ(server.seen().size(), 1U);
}

TEST(Client, OnlyAnHttpUrlIsAServer) {
  for (const char* url : {"",
                          "127.0.0.1:8080",
                          "ftp://x",
                          "http://",
                          "file:///etc/passwd",
                          "http://a b",
                          "http://h/?q"}) {
    EXPECT_EQ(failure_of([&] { Client client(url, ""); }).exit_code, exit_usage) << url;
  }
}

TEST(TokenFile, IsReadWithoutTheWhiteSpaceAroundIt) {
  EXPECT_EQ(read_token(temporary("token", "  abc.def-ghi\n\n", 0600)), "abc.def-ghi");
}

TEST(TokenFile, ThatEverybodyMayReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0777}) {
    EXPECT_EQ(failure_of([&] { read_token(temporary("exposed", "abc", mode)); }).code,
              "token_exposed")
        << mode;
  }
  const Failure failure = failure_of([] { read_token(temporary("exposed", "abc", 0604)); });
  EXPECT_EQ(failure.code, "token_exposed");
  EXPECT_EQ(failure.exit_code, exit_usage);
  EXPECT_NE(failure.hint.find("chmod 600"), std::string::npos);
}

TEST(TokenFile, ThatHoldsNoSingleTokenIsRefused) {
  for (const std::string& content : {std::string(),
                                     std::string(" \n"),
                                     std::string("a\r\nX-Injected: 1"),
                                     std::string("a b"),
                                     std::string("a\0b", 3),
                                     std::string(9000, 'x')}) {
    EXPECT_EQ(failure_of([&] { read_token(temporary("malformed", content, 0600)); }).code,
              "token_malformed")
        << content.substr(0, 20);
  }
  EXPECT_EQ(failure_of([] { read_token("/nowhere/at/all"); }).code, "token_unreadable");
  EXPECT_EQ(failure_of([] { read_token("/tmp"); }).code, "token_unreadable");
}

TEST(EventStream, DeliversEventsAndComesBackAfterTheServerRestarts) {
  FakeServer server([](const auto&) { return FakeServer::Reply{.events = true}; });
  EventStream stream(server.url() + "/api/v1/events", "", "");
  const auto next = [&] {
    for (int i = 0; i < 300; ++i) {
      auto events = stream.poll(std::chrono::milliseconds(100));
      stream.freshly_opened();
      if (!events.empty()) return events;
    }
    return std::vector<ServerEvent>{};
  };
  server.send_event("update", {{"id", "1"}});
  ASSERT_EQ(next().size(), 1U);
  EXPECT_TRUE(stream.healthy());
  server.stop();
  for (int i = 0; i < 100 && stream.healthy(); ++i) stream.poll(std::chrono::milliseconds(50));
  EXPECT_FALSE(stream.healthy());
  server.start();
  const auto again = next();
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again[0].name, "update");
}

TEST(EventStream, AnAnswerThatIsNoStreamIsNotHealthy) {
  FakeServer server([](const auto&) { return FakeServer::json({{"data", "x"}}); });
  EventStream stream(server.url(), "", "");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(stream.poll(std::chrono::milliseconds(20)).empty());
  EXPECT_FALSE(stream.healthy());
  EXPECT_FALSE(stream.freshly_opened());
}

TEST(Urls, TellLoopbackFromTheWorld) {
  EXPECT_EQ(host_of("http://LocalHost:8080/x"), "localhost");
  EXPECT_EQ(host_of("mqtt://user:p@[::1]:1883"), "::1");
  EXPECT_EQ(host_of("no url"), "");
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host : {"192.168.1.4", "fw.example", "12.7.0.0.1", ""})
    EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace otaria::cli
