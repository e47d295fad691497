#include "operator/cert/pem_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace otaria::cert {
namespace {

namespace fs = std::filesystem;

class PemFiles : public testing::Test {
 protected:
  PemFiles() {
    std::string name = (fs::temp_directory_path() / "otaria-cert-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~PemFiles() override { fs::remove_all(folder); }
  static mode_t mode_of(const fs::path& path) {
    struct stat about {};
    EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
    return about.st_mode & 07777U;
  }
  template <class Attempt>
  static std::string code_of(Attempt attempt) {
    try {
      attempt();
    } catch (const CertError& error) {
      return error.code;
    }
    return "accepted";
  }

  fs::path folder;
  const Identity identity{"certificate\n", "key\n"};
};

TEST_F(PemFiles, AreWrittenSoThatOnlyTheOwnerReadsTheKey) {
  const IdentityFiles files = identity_files(folder / "new" / "ca", "ca");
  write_identity(files, identity);
  EXPECT_EQ(mode_of(files.key), 0600u);
  EXPECT_EQ(mode_of(files.certificate), 0644u);
  EXPECT_EQ(mode_of(folder / "new" / "ca"), 0700u);
  const Identity back = read_identity(files);
  EXPECT_EQ(back.certificate, identity.certificate);
  EXPECT_EQ(back.key, identity.key);
  EXPECT_EQ(std::distance(fs::directory_iterator{folder / "new" / "ca"}, {}), 2);  // no draft stays
}

TEST_F(PemFiles, AreNeverReplaced) {
  const IdentityFiles files = identity_files(folder, "ca");
  for (const auto& path : {files.key, files.certificate}) {
    std::ofstream{path} << "precious";
    EXPECT_EQ(code_of([&] { write_identity(files, identity); }), "file_exists");
    EXPECT_EQ(fs::file_size(path), 8u);
    EXPECT_EQ(std::distance(fs::directory_iterator{folder}, {}), 1);  // not one of the two
    fs::remove(path);
  }
}

TEST_F(PemFiles, ThatCannotBeWrittenSayWhy) {
  std::ofstream{folder / "file"} << "x";
  EXPECT_EQ(code_of([&] { write_identity(identity_files(folder / "file", "ca"), identity); }),
            "not_written");
}

TEST_F(PemFiles, WithAKeyThatOthersMayReadAreRefused) {
  const IdentityFiles files = identity_files(folder, "ca");
  write_identity(files, identity);
  for (const auto mode : {0640, 0604, 0620}) {
    ::chmod(files.key.c_str(), static_cast<mode_t>(mode));
    EXPECT_EQ(code_of([&] { read_identity(files); }), "key_exposed");
  }
}

TEST_F(PemFiles, ThatAreMissingOrNoFilesAreRefused) {
  EXPECT_EQ(code_of([&] { read_pem(folder / "nothing.pem"); }), "no_such_file");
  EXPECT_EQ(code_of([&] { read_pem(folder); }), "no_such_file");
  std::ofstream{folder / "long"} << std::string((1 << 20) + 1, 'x');
  EXPECT_EQ(code_of([&] { read_pem(folder / "long"); }), "no_such_file");
}

}  // namespace
}  // namespace otaria::cert
