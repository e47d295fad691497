#include "server/download/downloads.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace otaria::server {
namespace {

constexpr std::int64_t now = 1'800'000'000;
const std::string sha256(64, 'a');
const std::string path = "/firmware/" + sha256 + ".bin";

class ImageDownloads : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/otaria-downloads-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  Downloads make(DownloadAccess access, bool cdn_checks = false) {
    return {{.access = access,
             .cdn_checks = cdn_checks,
             .secret_file = directory_ / "download-secret",
             .key_set = directory_ / "jwks.json",
             .denylist = directory_ / "denied"},
            "https://fw.example",
            now};
  }
  static std::string query_of(const ImageUrl& url) {
    return url.text.substr(url.text.find('?') + 1);
  }

  std::filesystem::path directory_;
};

TEST_F(ImageDownloads, OpenOnesHaveBareUrlsAndAskNobody) {
  const Downloads open = make(DownloadAccess::open);
  EXPECT_EQ(open.image(sha256, now).text, "https://fw.example" + path);
  EXPECT_FALSE(open.image(sha256, now).until);
  EXPECT_TRUE(open.admits_at_once(path, "", now));
  EXPECT_FALSE(open.refusal_of({.path = path, .end = {}, .signature = {}}, now));
  EXPECT_EQ(open.cache_control(), "public, max-age=31536000, immutable");
  EXPECT_EQ(open.renewal_s(), 0);
}

TEST_F(ImageDownloads, SignedOnesAskForTheUrlThatWasMade) {
  const Downloads signs = make(DownloadAccess::signed_url);
  const ImageUrl url = signs.image(sha256, now);
  ASSERT_TRUE(url.until);
  EXPECT_TRUE(url.text.starts_with("https://fw.example" + path + "?e="));
  EXPECT_TRUE(signs.admits_at_once(path, query_of(url), now));
  EXPECT_FALSE(signs.admits_at_once(path, query_of(url), *url.until));
  EXPECT_FALSE(signs.admits_at_once(path, "", now));
  EXPECT_FALSE(signs.admits_at_once(path, query_of(url) + "&x=1", now));
  EXPECT_FALSE(
      signs.admits_at_once("/firmware/" + std::string(64, 'b') + ".bin", query_of(url), now));
  EXPECT_TRUE(make(DownloadAccess::signed_url).admits_at_once(path, query_of(url), now))
      << "a restarted server";
}

TEST_F(ImageDownloads, SayWhyAUrlIsNotGood) {
  const Downloads signs = make(DownloadAccess::signed_url);
  const std::string query = query_of(signs.image(sha256, now));
  const std::string end = query.substr(2, 10);
  const std::string signature = query.substr(query.size() - 22);
  EXPECT_FALSE(signs.refusal_of({.path = path, .end = end, .signature = signature}, now));
  EXPECT_EQ(signs.refusal_of({.path = path, .end = {}, .signature = {}}, now)->code,
            "url_unsigned");
  EXPECT_EQ(
      signs.refusal_of({.path = "/firmware/x", .end = end, .signature = signature}, now)->code,
      "url_refused");
  EXPECT_EQ(
      signs.refusal_of({.path = path, .end = end, .signature = signature}, now + 86'400)->code,
      "url_expired");
}

TEST_F(ImageDownloads, OnlyCachesThatCheckMayKeepWhatIsNotOpen) {
  EXPECT_TRUE(make(DownloadAccess::signed_url).cache_control().starts_with("private"));
  EXPECT_TRUE(make(DownloadAccess::token).cache_control().starts_with("private"));
  EXPECT_TRUE(make(DownloadAccess::signed_url, true).cache_control().starts_with("public"));
}

TEST_F(ImageDownloads, ByTokenAreNeverDecidedOnTheEventLoop) {
  const Downloads tokens = make(DownloadAccess::token);
  EXPECT_EQ(tokens.image(sha256, now).text, "https://fw.example" + path);
  EXPECT_FALSE(tokens.admits_at_once(path, "", now));
  DownloadClaim claim{.path = path, .end = {}, .signature = {}};
  EXPECT_EQ(tokens.refusal_of(claim, now)->code, "token_required");
  claim.authorization = "Bearer a.b.c";
  EXPECT_EQ(tokens.refusal_of(claim, now)->code, "token_invalid");
}

TEST_F(ImageDownloads, KnowTheirOwnUrls) {
  const Downloads signs = make(DownloadAccess::signed_url);
  EXPECT_TRUE(signs.is_ours(signs.image(sha256, now).text, sha256));
  EXPECT_TRUE(signs.is_ours("https://fw.example" + path, sha256));
  EXPECT_FALSE(signs.is_ours("https://fw.example" + path, std::string(64, 'b')));
  EXPECT_FALSE(signs.is_ours("https://cdn.example" + path, sha256));
}

}  // namespace
}  // namespace otaria::server
