#include "server/identity/broker_files.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "contract/token/denylist.hpp"

namespace otaria::server {
namespace {

class Files : public testing::Test {
 protected:
  Files() {
    char name[] = "/tmp/otaria-broker-XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error{"no temporary directory"};
    directory_ = name;
  }
  ~Files() override { std::filesystem::remove_all(directory_); }
  std::string content(const std::string& name) {
    std::ifstream file{directory_ / "broker" / name};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  unsigned mode(const std::string& name) {
    struct stat about {};
    stat((directory_ / "broker" / name).c_str(), &about);
    return about.st_mode & 0777U;
  }
  std::filesystem::path directory_;
};

TEST_F(Files, AreReplacedAsAWholeAndLeaveNothingBeside) {
  BrokerFiles files{{.directory = directory_ / "broker"}};
  files.put("jwks.json", "old");
  files.put("jwks.json", "new");
  EXPECT_EQ(content("jwks.json"), "new");
  std::size_t entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator{directory_ / "broker"}) {
    EXPECT_EQ(entry.path().filename(), "jwks.json");
    ++entries;
  }
  EXPECT_EQ(entries, 1u);
}

TEST_F(Files, AreReadableAsConfiguredWhateverTheUmask) {
  const mode_t before = umask(0077);
  BrokerFiles open{{.directory = directory_ / "broker"}};
  open.put("denied", "x");
  EXPECT_EQ(mode("denied"), 0644u);
  EXPECT_EQ(mode(""), 0755u);
  BrokerFiles group{{.directory = directory_ / "broker", .file_mode = 0640}};
  group.put("denied", "x");
  EXPECT_EQ(mode("denied"), 0640u);
  EXPECT_EQ(mode(""), 0750u);
  umask(before);
}

TEST_F(Files, TheSameContentIsNotWrittenAgain) {
  BrokerFiles files{{.directory = directory_ / "broker"}};
  files.put("denied", "x");
  std::filesystem::remove(directory_ / "broker" / "denied");
  files.put("denied", "x");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "broker" / "denied"));
  files.put("denied", "y");
  EXPECT_TRUE(std::filesystem::exists(directory_ / "broker" / "denied"));
}

TEST_F(Files, AGroupThatIsNotThereIsNamed) {
  try {
    BrokerFiles files{{.directory = directory_ / "broker", .group = "no-such-group"}};
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("no-such-group"), std::string::npos);
  }
}

TEST_F(Files, AFullDirectoryOrAMissingOneIsAnErrorThatNamesThePath) {
  BrokerFiles files{{.directory = directory_ / "broker"}};
  std::filesystem::remove_all(directory_ / "broker");
  EXPECT_THROW(files.put("denied", "x"), std::runtime_error);
}

TEST(DenylistText, IsWhatThePluginReads) {
  const std::string text = denylist_text({{"", "a4cf12e0a1b2", 1000}, {"Zk3vQ1xT0aBc", "x", 2000}});
  const auto read = token::Denylist::parse(text);
  ASSERT_TRUE(read.list) << read.error;
  EXPECT_EQ(read.list->size(), 2u);
  // Until the last token is refused for its age by a broker with 30 s of leeway.
  EXPECT_TRUE(read.list->denies("a4cf12e0a1b2", "", 1030));
  EXPECT_FALSE(read.list->denies("a4cf12e0a1b2", "", 1061));
  EXPECT_TRUE(read.list->denies("x", "Zk3vQ1xT0aBc", 2000));
  EXPECT_FALSE(read.list->denies("x", "other", 2000));
  EXPECT_TRUE(token::Denylist::parse(denylist_text({})).list);
}

}  // namespace
}  // namespace otaria::server
