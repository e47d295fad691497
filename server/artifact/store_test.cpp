#include "server/artifact/store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "server/artifact/temporary_directory.hpp"

namespace otaria::server {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// printf hello | sha256sum
const std::string hello_hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const std::string hello_name = hello_hex + ".bin";
contract::Digest hello() {
  return *contract::digest_from_hex(hello_hex);
}

std::string content_of(const OpenFile& file) {
  std::string content(file.size, '\0');
  EXPECT_EQ(::pread(file.descriptor, content.data(), content.size(), 0),
            static_cast<ssize_t>(content.size()));
  return content;
}

class ArtifactStoreTest : public testing::Test {
 protected:
  /// Changes a stored file as no honest writer would: in place, the file being read-only.
  void damage(const std::string& content) {
    const auto path = directory.path() / hello_name;
    fs::permissions(path, fs::perms::owner_all);
    directory.write(path.filename(), content);
  }

  TemporaryDirectory directory;
  ArtifactStore store{directory.path()};
};

TEST_F(ArtifactStoreTest, NamesAnArtifactByItsDigest) {
  const auto put = store.put("hello");
  ASSERT_TRUE(put);
  EXPECT_EQ(put.artifact->digest, hello());
  EXPECT_EQ(put.artifact->size, 5u);
  EXPECT_TRUE(fs::exists(directory.path() / hello_name));
  EXPECT_EQ(directory.file_count(), 1u);
}

TEST_F(ArtifactStoreTest, ServesItAsImmutable) {
  store.put("hello");
  const auto opened = store.open(hello());
  ASSERT_TRUE(opened.file) << opened.error.detail;
  EXPECT_EQ(content_of(*opened.file), "hello");
  EXPECT_EQ(opened.file->etag, "\"" + hello_hex + "\"");
  EXPECT_THAT(opened.file->header_lines,
              HasSubstr("Cache-Control: public, max-age=31536000, immutable\r\n"));
}

TEST_F(ArtifactStoreTest, TakesTheSameArtifactTwiceAsOne) {
  EXPECT_FALSE(store.put("hello").already_there);
  EXPECT_TRUE(store.put("hello").already_there);
  EXPECT_EQ(directory.file_count(), 1u);
}

TEST_F(ArtifactStoreTest, RefusesBytesThatAreNotTheExpectedOnes) {
  const auto put = store.put("hellO", hello());
  EXPECT_FALSE(put);
  EXPECT_EQ(put.error.fault, StoreFault::digest_mismatch);
  EXPECT_THAT(put.error.detail, HasSubstr(hello_hex));
  EXPECT_EQ(directory.file_count(), 0u);
}

TEST_F(ArtifactStoreTest, LeavesNothingOfAnUploadThatIsNotFinished) {
  {
    ArtifactStore::Writer writer(store);
    EXPECT_TRUE(writer.append("hel"));
    EXPECT_EQ(directory.file_count(), 1u);
  }
  EXPECT_EQ(directory.file_count(), 0u);
}

TEST_F(ArtifactStoreTest, RemovesAtStartWhatACrashLeft) {
  directory.write(".incoming-abc123", "half an ima");
  store.put("hello");
  ArtifactStore restarted(directory.path());
  EXPECT_EQ(directory.file_count(), 1u);
  EXPECT_TRUE(restarted.open(hello()).file);
}

TEST_F(ArtifactStoreTest, SaysThatTheDiskIsFullAndLeavesNothingBehind) {
  // A limit on the size of files stands in for a full disk: write(2) fails in the same place.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100'000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto put = store.put(std::string(300'000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(put);
  EXPECT_EQ(put.error.fault, StoreFault::disk_full);
  EXPECT_THAT(put.error.detail, HasSubstr(directory.path().string()));
  EXPECT_EQ(directory.file_count(), 0u);
  EXPECT_TRUE(store.put("hello"));
}

TEST_F(ArtifactStoreTest, NeverServesAnArtifactThatRottedWhileTheServerWasDown) {
  store.put("hello");
  damage("jello");
  ArtifactStore restarted(directory.path());
  const auto opened = restarted.open(hello());
  EXPECT_FALSE(opened.file);
  EXPECT_EQ(opened.error.fault, StoreFault::corrupt);
  EXPECT_TRUE(fs::exists(directory.path() / (hello_name + ".corrupt")));
  EXPECT_EQ(restarted.open(hello()).error.fault, StoreFault::not_found);
}

TEST_F(ArtifactStoreTest, NeverServesAnArtifactThatChangedUnderItsOpenDescriptor) {
  store.put("hello");
  ASSERT_TRUE(store.open(hello()).file);
  damage("jello");  // the same size
  EXPECT_FALSE(store.find_open(hello()));
  EXPECT_EQ(store.open(hello()).error.fault, StoreFault::corrupt);
}

TEST_F(ArtifactStoreTest, HealsARottenArtifactWhenItIsPublishedAgain) {
  store.put("hello");
  damage("jello");
  const auto put = store.put("hello");
  ASSERT_TRUE(put);
  EXPECT_FALSE(put.already_there);
  EXPECT_EQ(content_of(*store.open(hello()).file), "hello");
}

TEST_F(ArtifactStoreTest, FindsOnTheFastPathOnlyWhatWasOpened) {
  store.put("hello");
  EXPECT_FALSE(store.find_open(hello()));
  const auto opened = store.open(hello()).file;
  EXPECT_EQ(store.find_open(hello()), opened);
}

TEST_F(ArtifactStoreTest, FinishesDownloadsOfARemovedArtifact) {
  store.put("hello");
  const auto opened = store.open(hello()).file;
  EXPECT_TRUE(store.remove(hello()));
  EXPECT_FALSE(store.remove(hello()));
  EXPECT_FALSE(store.find_open(hello()));
  EXPECT_EQ(store.open(hello()).error.fault, StoreFault::not_found);
  EXPECT_EQ(content_of(*opened), "hello");
}

TEST_F(ArtifactStoreTest, DoesNotFollowALinkInPlaceOfAnArtifact) {
  directory.write("secret", "hello");
  fs::create_symlink(directory.path() / "secret", directory.path() / hello_name);
  EXPECT_FALSE(store.open(hello()).file);
}

TEST_F(ArtifactStoreTest, ListsArtifactsAndNothingElse) {
  directory.write("notes.txt", "x");
  directory.write("abc.bin", "x");
  store.put("hello");
  store.put("");
  const auto listed = store.list();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].digest, hello());  // 2c… before e3…
  EXPECT_EQ(listed[1].size, 0u);
}

TEST_F(ArtifactStoreTest, CopiesAnUploadedFile) {
  const std::string content(300'001, 'x');
  directory.write("upload", content);
  const OpenFile upload(::open((directory.path() / "upload").c_str(), O_RDONLY), content.size());
  const auto put = store.put(upload);
  ASSERT_TRUE(put) << put.error.detail;
  EXPECT_EQ(content_of(*store.open(put.artifact->digest).file), content);
}

TEST_F(ArtifactStoreTest, KeepsItsDescriptorsBounded) {
  ArtifactStore small(directory.path(), 4);
  const auto descriptors = [] {
    const fs::directory_iterator open("/proc/self/fd");
    return std::distance(begin(open), end(open));
  };
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) {
    const auto put = small.put("artifact " + std::to_string(i));
    ASSERT_TRUE(put);
    ASSERT_TRUE(small.open(put.artifact->digest).file);
  }
  EXPECT_LE(descriptors(), before + 4);
}

TEST(DigestOfPath, ReadsOnlyTheBindingForm) {
  EXPECT_EQ(digest_of_path("/firmware/" + hello_hex + ".bin"), hello());
  EXPECT_FALSE(digest_of_path("/firmware/" + hello_hex));
  EXPECT_FALSE(digest_of_path("/firmware/" + hello_hex + ".bin.corrupt"));
  EXPECT_FALSE(digest_of_path("/firmware/x" + hello_hex.substr(1) + ".bin"));
  EXPECT_FALSE(digest_of_path("/other/" + hello_hex + ".bin"));
}

}  // namespace
}  // namespace otaria::server
