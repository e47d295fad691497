#include "server/broker/plugin/watched_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>

#include "server/broker/plugin/testing/scratch_directory.hpp"

namespace otaria::broker_plugin {
namespace {

using Look = WatchedFile::Look;
using ::testing::HasSubstr;

// Far enough after everything that a test writes.
std::int64_t later(int seconds = 0) {
  return static_cast<std::int64_t>(std::time(nullptr)) + 100 + seconds;
}

struct WatchedFileTest : ::testing::Test {
  testing::ScratchDirectory directory;
  WatchedFile file{directory / "keys", 100};
};

TEST_F(WatchedFileTest, IsReadWhenItIsNewAndWhenItIsReplaced) {
  EXPECT_EQ(file.look(later()), Look::missing);
  directory.replace("keys", "one");
  EXPECT_EQ(file.look(later()), Look::changed);
  EXPECT_EQ(file.text(), "one");
  EXPECT_EQ(file.look(later(1)), Look::unchanged);
  directory.replace("keys", "two");
  EXPECT_EQ(file.look(later(2)), Look::changed);
  EXPECT_EQ(file.text(), "two");
}

TEST_F(WatchedFileTest, MayBeEmpty) {
  directory.replace("keys", "");
  EXPECT_EQ(file.look(later()), Look::changed);
  EXPECT_EQ(file.text(), "");
}

// Same size, same inode, same time: only a second reading can tell.
TEST_F(WatchedFileTest, IsReadAgainWhileItIsTooYoungToTell) {
  directory.replace("keys", "one");
  struct stat status {};
  ASSERT_EQ(::stat((directory / "keys").c_str(), &status), 0);
  const std::int64_t written_s = status.st_mtim.tv_sec;
  EXPECT_EQ(file.look(written_s + 1), Look::changed);
  std::ofstream{directory / "keys"} << "two";
  const timespec times[2]{status.st_atim, status.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, (directory / "keys").c_str(), times, 0), 0);
  EXPECT_EQ(file.look(written_s + 2), Look::changed);
  EXPECT_EQ(file.text(), "two");
  EXPECT_EQ(file.look(written_s + 3), Look::unchanged);
}

TEST_F(WatchedFileTest, RefusesMoreBytesThanItMayHold) {
  directory.replace("keys", std::string(100, 'x'));
  EXPECT_EQ(file.look(later()), Look::changed);
  directory.replace("keys", std::string(101, 'x'));
  EXPECT_EQ(file.look(later(1)), Look::unreadable);
  EXPECT_THAT(file.error(), HasSubstr("large"));
}

TEST_F(WatchedFileTest, RefusesWhatIsNoFileWithoutWaiting) {
  std::filesystem::create_directory(directory / "keys");
  EXPECT_EQ(file.look(later()), Look::unreadable);
  std::filesystem::remove(directory / "keys");
  ASSERT_EQ(::mkfifo((directory / "keys").c_str(), 0600), 0);
  EXPECT_EQ(file.look(later()), Look::unreadable);
  EXPECT_THAT(file.error(), HasSubstr("no regular file"));
}

TEST_F(WatchedFileTest, IsTheSameWhenItComesBackAsItWas) {
  directory.replace("keys", "one");
  EXPECT_EQ(file.look(later()), Look::changed);
  std::filesystem::remove(directory / "keys");
  EXPECT_EQ(file.look(later()), Look::missing);
  directory.replace("keys", "one");
  EXPECT_EQ(file.look(later()), Look::unchanged);
}

}  // namespace
}  // namespace otaria::broker_plugin
