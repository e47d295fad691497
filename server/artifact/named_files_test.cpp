#include "server/artifact/named_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/artifact/temporary_directory.hpp"

namespace otaria::server {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view hello_url =
    "/firmware/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.bin";

std::string content_of(const std::shared_ptr<const OpenFile>& file) {
  if (!file) return "(none)";
  std::string content(file->size, '\0');
  const ssize_t count = ::pread(file->descriptor, content.data(), content.size(), 0);
  EXPECT_EQ(count, static_cast<ssize_t>(content.size()));
  return content;
}

class NamedFilesTest : public testing::Test {
 protected:
  TemporaryDirectory directory;
  NamedFiles files{directory.path()};
};

TEST_F(NamedFilesTest, ServesAFileByNameAndByDigest) {
  directory.write("a.bin", "hello");
  ASSERT_EQ(files.scan().size(), 1u);
  const auto by_name = files.find_open("/firmware/a.bin");
  const auto by_digest = files.find_open(hello_url);
  EXPECT_EQ(content_of(by_name), "hello");
  EXPECT_EQ(content_of(by_digest), "hello");
  EXPECT_EQ(by_name->etag, by_digest->etag);
  EXPECT_THAT(by_name->header_lines, HasSubstr("Cache-Control: no-cache\r\n"));
  EXPECT_THAT(by_digest->header_lines, HasSubstr("immutable"));
}

TEST_F(NamedFilesTest, HashesAChangedFileAnew) {
  directory.write("a.bin", "hello");
  files.scan();
  directory.write("a.bin", "other");
  EXPECT_FALSE(files.find_open("/firmware/a.bin"));
  EXPECT_FALSE(files.open(hello_url));
  const auto fresh = files.open("/firmware/a.bin");
  EXPECT_EQ(content_of(fresh), "other");
  EXPECT_EQ(files.find_open("/firmware/a.bin"), fresh);
}

TEST_F(NamedFilesTest, NoticesFilesThatComeAndGo) {
  EXPECT_FALSE(files.open("/firmware/a.bin"));
  directory.write("a.bin", "hello");
  EXPECT_EQ(content_of(files.open(hello_url)), "hello");
  fs::remove(directory.path() / "a.bin");
  EXPECT_FALSE(files.find_open("/firmware/a.bin"));
  EXPECT_FALSE(files.open("/firmware/a.bin"));
  EXPECT_TRUE(files.scan().empty());
}

TEST_F(NamedFilesTest, ServesADigestAsLongAsAnyFileHasIt) {
  directory.write("a.bin", "hello");
  directory.write("b.bin", "hello");
  files.scan();
  fs::remove(directory.path() / "b.bin");
  EXPECT_EQ(content_of(files.open(hello_url)), "hello");
}

TEST_F(NamedFilesTest, ServesOnlyPlainFilesInsideTheDirectory) {
  TemporaryDirectory outside;
  outside.write("secret", "secret");
  directory.write(".hidden", "x");
  directory.write("inside", "hello");
  fs::create_directory(directory.path() / "folder");
  std::ofstream(directory.path() / "folder" / "deep") << "x";
  fs::create_symlink(outside.path() / "secret", directory.path() / "leads_out");
  fs::create_symlink("../../etc/passwd", directory.path() / "climbs");
  fs::create_symlink("inside", directory.path() / "stays");
  fs::create_symlink("loop", directory.path() / "loop");
  ASSERT_EQ(::mkfifo((directory.path() / "pipe").c_str(), 0600), 0);
  for (const char* path : {"/firmware/.hidden",
                           "/firmware/leads_out",
                           "/firmware/climbs",
                           "/firmware/folder",
                           "/firmware/folder/deep",
                           "/firmware/loop",
                           "/firmware/pipe",
                           "/firmware/..",
                           "/firmware/.",
                           "/firmware/",
                           "/firmware",
                           "/inside",
                           "inside"}) {
    EXPECT_FALSE(files.open(path)) << path;
  }
  EXPECT_EQ(content_of(files.open("/firmware/stays")), "hello");
  EXPECT_EQ(files.scan().size(), 2u);
}

TEST_F(NamedFilesTest, ServesUnderADigestNoOtherBytesWhateverTheFileIsCalled) {
  directory.write(std::string(hello_url.substr(std::string_view("/firmware/").size())),
                  "not hello");
  EXPECT_FALSE(files.open(hello_url));
  directory.write("a.bin", "hello");
  EXPECT_EQ(content_of(files.open(hello_url)), "hello");
}

TEST(NamedFiles, SaysWhichDirectoryItCannotOpen) {
  try {
    const NamedFiles files("/nonexistent/firmware");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "cannot open /nonexistent/firmware: No such file or directory");
  }
}

}  // namespace
}  // namespace otaria::server
