#include "contract/openssl/crypto.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "contract/openssl/handles.hpp"

namespace otaria::crypto {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "otaria-crypto.XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path path;
};

class EachAlgorithm : public ::testing::TestWithParam<Algorithm> {};

TEST_P(EachAlgorithm, SignsWhatItsPublicHalfVerifies) {
  PrivateKey key = PrivateKey::generate(GetParam());
  const contract::Digest digest = sha256("text");
  OpenSslVerifier verifier;
  auto signature = key.sign(digest);
  const PublicKey& half = key.public_key();
  EXPECT_TRUE(verifier.verify(half.algorithm, half.bytes, digest, signature));
  EXPECT_FALSE(verifier.verify(half.algorithm, half.bytes, sha256("texu"), signature));
  signature.back() ^= 1;
  EXPECT_FALSE(verifier.verify(half.algorithm, half.bytes, digest, signature));
  signature.back() ^= 1;
  signature.push_back(0);
  EXPECT_FALSE(verifier.verify(half.algorithm, half.bytes, digest, signature));
  signature.resize(signature.size() - 2);
  EXPECT_FALSE(verifier.verify(half.algorithm, half.bytes, digest, signature));
  EXPECT_FALSE(verifier.verify(half.algorithm, half.bytes, digest, {}));
  EXPECT_TRUE(is_valid(half));
}

TEST_P(EachAlgorithm, ComesBackFromPemWithAndWithoutAPassphrase) {
  const PrivateKey key = PrivateKey::generate(GetParam());
  const std::string id = key.public_key().key_id();
  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(PrivateKey::from_pem(key.pem()).public_key().key_id(), id);
  const std::string sealed = key.pem("open sesame");
  EXPECT_NE(sealed.find("BEGIN ENCRYPTED PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(PrivateKey::from_pem(sealed, "open sesame").public_key().key_id(), id);
  EXPECT_THROW(PrivateKey::from_pem(sealed, "open sesam"), CryptoError);
  EXPECT_THROW(PrivateKey::from_pem(sealed), CryptoError);
  EXPECT_EQ(public_key_from_pem(key.public_key().pem())->key_id(), id);
}

INSTANTIATE_TEST_SUITE_P(Keys,
                         EachAlgorithm,
                         ::testing::Values(Algorithm::es256, Algorithm::ps256));

TEST(OpenSslVerifier, RefusesPointsOffTheCurveAndDegenerateSignatures) {
  PrivateKey key = PrivateKey::generate(Algorithm::es256);
  const contract::Digest digest = sha256("text");
  auto signature = key.sign(digest);
  OpenSslVerifier verifier;
  auto point = key.public_key().bytes;
  point[63] ^= 1;
  EXPECT_FALSE(verifier.verify(Algorithm::es256, point, digest, signature));
  EXPECT_FALSE(is_valid({Algorithm::es256, point}));
  EXPECT_FALSE(is_valid({Algorithm::es256, std::vector<std::uint8_t>(64)}));
  EXPECT_FALSE(verifier.verify(Algorithm::es256, {}, digest, signature));
  EXPECT_FALSE(verifier.verify(
      Algorithm::es256, key.public_key().bytes, digest, std::vector<std::uint8_t>(64)));
  std::vector<std::uint8_t> s_is_zero = signature;
  std::fill(s_is_zero.begin() + 32, s_is_zero.end(), std::uint8_t{0});
  EXPECT_FALSE(verifier.verify(Algorithm::es256, key.public_key().bytes, digest, s_is_zero));
  EXPECT_FALSE(verifier.verify(
      Algorithm::es256, key.public_key().bytes, digest, std::vector<std::uint8_t>(64, 0xFF)));
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, key.public_key().bytes, digest, signature));
}

TEST(PrivateKey, RefusesOtherCurvesAndWhatIsNoKey) {
  EXPECT_THROW(PrivateKey::from_pem("rubbish"), CryptoError);
  EXPECT_THROW(PrivateKey::from_pem(""), CryptoError);
  const KeyHandle other{EVP_EC_gen("P-384")};
  const BioHandle out{BIO_new(BIO_s_mem())};
  ASSERT_EQ(PEM_write_bio_PUBKEY(out.get(), other.get()), 1);
  EXPECT_FALSE(public_key_from_pem(written(out.get())).has_value());
  const BioHandle whole{BIO_new(BIO_s_mem())};
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(
                whole.get(), other.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
  EXPECT_THROW(PrivateKey::from_pem(written(whole.get())), CryptoError);
}

TEST(PrivateKey, IsReadFromAFileOfItsOwnersAloneOnly) {
  const TemporaryFolder folder;
  const auto path = folder.path / "key.pem";
  const PrivateKey key = PrivateKey::generate(Algorithm::es256);
  write_secret_file(path, key.pem());
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600U);
  EXPECT_EQ(PrivateKey::from_file(path).public_key().key_id(), key.public_key().key_id());
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_THROW(PrivateKey::from_file(path), CryptoError);
  EXPECT_THROW(PrivateKey::from_file(folder.path / "none.pem"), CryptoError);
  EXPECT_THROW(PrivateKey::from_file(folder.path), CryptoError);
}

TEST(WriteSecretFile, ReplacesAsAWholeAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const auto path = folder.path / "secret";
  write_secret_file(path, "first");
  write_secret_file(path, "second");
  std::ifstream in{path};
  std::string text;
  std::getline(in, text);
  EXPECT_EQ(text, "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder.path}, {}), 1);
  EXPECT_THROW(write_secret_file(folder.path / "none" / "secret", "x"), CryptoError);
}

/// A token whose public half is another key's.
class LyingSigner final : public Signer {
 public:
  LyingSigner()
      : real_{PrivateKey::generate(Algorithm::es256)},
        shown_{PrivateKey::generate(Algorithm::es256)} {}
  [[nodiscard]] const PublicKey& public_key() const override { return shown_.public_key(); }
  std::vector<std::uint8_t> sign(const contract::Digest& digest) override {
    return real_.sign(digest);
  }

 private:
  PrivateKey real_, shown_;
};

TEST(CompactJws, IsNeverHandedOutUnverified) {
  LyingSigner liar;
  EXPECT_THROW(compact_jws("x", "{}", liar), CryptoError);
  EXPECT_THROW(detached_jws("x", "{}", liar), CryptoError);
}

TEST(CompactJws, HasTheThreeRunsOfItsStandard) {
  PrivateKey key = PrivateKey::generate(Algorithm::es256);
  const std::string line = compact_jws("otaria-manifest+jws", "{\"a\":1}", key);
  const std::size_t first = line.find('.');
  const std::size_t second = line.rfind('.');
  EXPECT_EQ(from_base64url(line.substr(0, first)),
            R"({"alg":"ES256","kid":")" + key.public_key().key_id() +
                R"(","typ":"otaria-manifest+jws"})");
  EXPECT_EQ(from_base64url(line.substr(first + 1, second - first - 1)), "{\"a\":1}");
  EXPECT_EQ(detached_jws("otaria-manifest+jws", "{\"a\":1}", key).find(".."), first);
}

TEST(Base64UrlText, RefusesWhatIsMalformed) {
  EXPECT_EQ(from_base64url("Zm9v"), "foo");
  EXPECT_EQ(from_base64url("Zm9v="), std::nullopt);
  EXPECT_EQ(base64url(std::string_view{"foo"}), "Zm9v");
}

}  // namespace
}  // namespace otaria::crypto
