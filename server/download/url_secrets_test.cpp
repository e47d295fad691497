#include "server/download/url_secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <vector>

namespace otaria::server {
namespace {

constexpr std::int64_t now = 1'800'000'000;

class UrlSecretsFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/otaria-secrets-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    file_ = directory_ / "keys" / "download-secret";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0U;
  }
  void write(const std::string& text) {
    load_url_secrets(file_, now);
    std::ofstream{file_, std::ios::trunc} << text;
  }
  [[nodiscard]] std::string text() const {
    std::ifstream in{file_};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  std::string error() {
    try {
      load_url_secrets(file_, now);
    } catch (const std::runtime_error& thrown) {
      return thrown.what();
    }
    return "loaded";
  }

  std::filesystem::path directory_, file_;
};

TEST_F(UrlSecretsFile, IsMadeForItsOwnerAlone) {
  const UrlSecrets made = load_url_secrets(file_, now);
  EXPECT_EQ(mode_of(file_), 0600U);
  EXPECT_EQ(mode_of(file_.parent_path()), 0700U);
  EXPECT_FALSE(made.previous);
  EXPECT_NE(made.current, UrlSecret{});
}

TEST_F(UrlSecretsFile, LastsAcrossARestart) {
  const UrlSecrets made = load_url_secrets(file_, now);
  EXPECT_EQ(load_url_secrets(file_, now + url_secret_life_s).current, made.current);
}

TEST_F(UrlSecretsFile, RotatesByAgeAndKeepsTheOneBefore) {
  const UrlSecrets first = load_url_secrets(file_, now);
  const UrlSecrets second = load_url_secrets(file_, now + url_secret_life_s + 1);
  EXPECT_NE(second.current, first.current);
  EXPECT_EQ(second.previous, first.current);
  const UrlSecrets third = load_url_secrets(file_, now + 2 * url_secret_life_s + 2);
  EXPECT_EQ(third.previous, second.current);
  EXPECT_EQ(mode_of(file_), 0600U);
}

TEST_F(UrlSecretsFile, IsNotUsedWhenOthersCanReadIt) {
  load_url_secrets(file_, now);
  chmod(file_.c_str(), 0640);
  EXPECT_THAT(error(), testing::HasSubstr("can be read by others"));
}

TEST_F(UrlSecretsFile, IsNotUsedWhenItIsDamagedAndTheErrorHoldsNothingOfIt) {
  const std::string secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
  std::vector<std::string> damaged{"\n", ""};
  damaged.push_back(secret + " 1800000000\n");
  damaged.push_back(secret + "\n");
  damaged.push_back(std::string(43, 'A').append(" soon\n"));
  for (const std::string& bad : damaged) {
    std::filesystem::remove_all(file_.parent_path());
    write(bad);
    EXPECT_THAT(error(), testing::HasSubstr(file_.string())) << bad;
    EXPECT_THAT(error(), testing::Not(testing::HasSubstr(secret)));
    EXPECT_EQ(text(), bad) << "what cannot be read is not replaced";
  }
}

TEST_F(UrlSecretsFile, ASharedOneIsReadAndNeverMadeOrChanged) {
  const auto error_of_reading = [this](std::int64_t at) -> std::string {
    try {
      read_shared_url_secrets(file_, at);
    } catch (const std::runtime_error& thrown) {
      return thrown.what();
    }
    return "read";
  };
  EXPECT_THAT(error_of_reading(now), testing::HasSubstr("is not there"));
  EXPECT_FALSE(std::filesystem::exists(file_));
  load_url_secrets(file_, now);
  const std::string before = text();
  EXPECT_EQ(error_of_reading(now + 10 * url_secret_life_s), "read");  // old, and good all the same
  EXPECT_EQ(text(), before);
  EXPECT_THAT(error_of_reading(now - 1), testing::HasSubstr("whose time has come"));
  std::filesystem::permissions(file_, std::filesystem::perms::all);
  EXPECT_THAT(error_of_reading(now), testing::HasSubstr("can be read by others"));
}

TEST_F(UrlSecretsFile, ServersThatShareOneChangeOverInTheSameSecond) {
  load_url_secrets(file_, now);
  const std::string first = text();
  std::filesystem::remove(file_);
  load_url_secrets(file_, now + 1000);
  write(text() + first);  // the newest first, its time not come yet
  const UrlSecrets before = read_shared_url_secrets(file_, now + 999);
  const UrlSecrets after = read_shared_url_secrets(file_, now + 1000);
  EXPECT_FALSE(before.previous);
  EXPECT_NE(after.current, before.current);
  EXPECT_EQ(after.previous, before.current);
  EXPECT_NE(id_of_url_secret(after.current), id_of_url_secret(before.current));
  EXPECT_THAT(id_of_url_secret(after.current), testing::MatchesRegex("[0-9a-f]{8}"));
}

}  // namespace
}  // namespace otaria::server
