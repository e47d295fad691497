#include "server/http/router.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

Request request_of(std::string method, std::string path) {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  return request;
}

Router sample() {
  Router router;
  const auto named = [](const std::string& name) {
    return [name](const Request&, const PathParameters& parameters) {
      Response response;
      response.body = name;
      for (const auto& parameter : parameters) response.body += ":" + parameter;
      return response;
    };
  };
  router.add("GET", "/releases", named("list"));
  router.add("POST", "/releases", named("publish"));
  router.add("GET", "/releases/newest", named("newest"));
  router.add("GET", "/releases/{id}", named("show"));
  router.add("DELETE", "/a/{x}/b/{y}", named("two"));
  return router;
}

TEST(Router, FindsTheEndpointByMethodAndPath) {
  const Router router = sample();
  EXPECT_EQ(router(request_of("GET", "/releases")).body, "list");
  EXPECT_EQ(router(request_of("HEAD", "/releases")).body, "list");
  EXPECT_EQ(router(request_of("POST", "/releases")).body, "publish");
  EXPECT_EQ(router(request_of("GET", "/releases/newest")).body, "newest");
  EXPECT_EQ(router(request_of("GET", "/releases/17")).body, "show:17");
  EXPECT_EQ(router(request_of("DELETE", "/a/1/b/2")).body, "two:1:2");
}

TEST(Router, KnowsNoPathThatIsOnlySimilar) {
  const Router router = sample();
  for (const char* path : {"/", "/release", "/releases/", "/releases/1/2", "/a//b/2", "*", ""}) {
    EXPECT_EQ(router(request_of("GET", path)).status, 404) << path;
  }
}

TEST(Router, SaysWhichMethodsAPathAllows) {
  const Response response = sample()(request_of("PUT", "/releases"));
  EXPECT_EQ(response.status, 405);
  ASSERT_EQ(response.headers.back().first, "Allow");
  EXPECT_EQ(response.headers.back().second, "GET, HEAD, POST");
}

TEST(Router, AnswersAnUnknownPathInProblemDetailsWithReasonAndAdvice) {
  const Response response = sample()(request_of("GET", "/nothing"));
  EXPECT_EQ(response.headers.front().second, "application/problem+json");
  for (const char* member : {R"("code":"not_found")", R"("detail":")", R"("hint":")"}) {
    EXPECT_NE(response.body.find(member), std::string::npos) << member;
  }
}

}  // namespace
}  // namespace otaria::server
