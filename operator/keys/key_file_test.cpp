#include "operator/keys/key_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "operator/keys/key_error.hpp"
#include "operator/keys/key_opener.hpp"
#include "operator/keys/testing/soft_hsm.hpp"

namespace otaria::keys {
namespace {

using contract::Algorithm;
using contract::KeyRole;
using crypto::PrivateKey;
using ::testing::HasSubstr;
using testing::new_folder;
using ::testing::Not;
using testing::write_file;

constexpr const char* passphrase = "correct horse battery staple";

class KeyFile : public ::testing::Test {
 protected:
  std::string folder_ = new_folder("key-file");
  std::string path_ = folder_ + "/key";
  OpenOptions with_passphrase_{{{write_file(folder_ + "/passphrase", passphrase)}, {}}, false};

  std::string code_of_opening(const OpenOptions& options) {
    try {
      open_key_file(path_, options, 0);
    } catch (const KeyError& error) {
      EXPECT_FALSE(error.hint.empty());
      EXPECT_THAT(error.detail, HasSubstr(path_));
      EXPECT_THAT(error.detail + error.hint, Not(HasSubstr(passphrase)));
      return error.code;
    }
    return "accepted";
  }
  std::string code_of_opening() { return code_of_opening(with_passphrase_); }
  void openssl(const std::string& arguments) {
    const std::string command = "cd " + folder_ + " && openssl " + arguments + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(cert-env33-c)
    const std::string narrow = "chmod 600 " + folder_ + "/*";
    ASSERT_EQ(std::system(narrow.c_str()), 0);  // NOLINT(cert-env33-c)
  }
};

TEST_F(KeyFile, KeepsKeyAndRoleBehindAPassphrase) {
  for (const auto algorithm : {Algorithm::es256, Algorithm::ps256}) {
    const PrivateKey made = PrivateKey::generate(algorithm);
    write_file(path_, key_file_text(made, KeyRole::root, passphrase));
    const KeyFileFacts facts = look_into_key_file(path_);
    EXPECT_TRUE(facts.has_private);
    EXPECT_TRUE(facts.encrypted);
    EXPECT_EQ(facts.role, KeyRole::root);
    ASSERT_TRUE(facts.public_key);
    EXPECT_EQ(facts.public_key->key_id(), made.public_key().key_id());
    EXPECT_EQ(open_key_file(path_, with_passphrase_, 0).public_key().bytes,
              made.public_key().bytes);
  }
}

TEST_F(KeyFile, IsAKeyForOpenSslToo) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  write_file(path_, key_file_text(made, KeyRole::release, passphrase));
  openssl("pkey -in key -passin file:passphrase -pubout -out public.pem");
  EXPECT_EQ(look_into_key_file(folder_ + "/public.pem").public_key->key_id(),
            made.public_key().key_id());
}

TEST_F(KeyFile, IsRefusedWhenOthersMayReadIt) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  const std::string text = key_file_text(made, KeyRole::root, passphrase);
  for (const unsigned mode : {0640U, 0604U, 0644U, 0660U, 0666U}) {
    write_file(path_, text, mode);
    EXPECT_EQ(code_of_opening(), "key_file_exposed");
    EXPECT_THROW(look_into_key_file(path_), KeyError);
  }
  write_file(path_, text, 0400);
  EXPECT_EQ(code_of_opening(), "accepted");
}

TEST_F(KeyFile, PublicKeysMayBeReadByEverybody) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  write_file(path_, made.public_key().pem(), 0644);
  EXPECT_EQ(look_into_key_file(path_).public_key->key_id(), made.public_key().key_id());
  EXPECT_EQ(code_of_opening(), "no_private_key");
}

TEST_F(KeyFile, UnencryptedIsForDevelopmentOnly) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  write_file(path_, key_file_text(made, KeyRole::release, {}));
  EXPECT_EQ(code_of_opening(), "key_not_encrypted");
  EXPECT_EQ(code_of_opening({{}, true}), "accepted");
}

// The word ENCRYPTED in a comment must not pass an unencrypted key off as an encrypted one.
TEST_F(KeyFile, IsJudgedByItsBlocksNotByItsComments) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  write_file(path_, "ENCRYPTED Proc-Type: 4,ENCRYPTED\n" + made.pem());
  EXPECT_EQ(code_of_opening(), "key_not_encrypted");
}

TEST_F(KeyFile, TellsAWrongPassphraseFromNone) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  write_file(path_, key_file_text(made, KeyRole::release, "another passphrase"));
  EXPECT_EQ(code_of_opening(), "wrong_passphrase");
  EXPECT_EQ(code_of_opening({}), "passphrase_required");
}

TEST_F(KeyFile, TakesPbkdf2WithEnoughRoundsAndRefusesLess) {
  openssl("ecparam -name prime256v1 -genkey -noout -out plain.pem");
  const std::string convert =
      "pkcs8 -topk8 -in plain.pem -out key -passout file:passphrase -v2 aes-256-cbc ";
  openssl(convert + "-v2prf hmacWithSHA256 -iter 600000");
  EXPECT_EQ(code_of_opening(), "accepted");
  openssl(convert + "-v2prf hmacWithSHA256 -iter 599999");
  EXPECT_EQ(code_of_opening(), "weak_encryption");
  openssl(convert + "-v2prf hmacWithSHA1 -iter 600000");
  EXPECT_EQ(code_of_opening(), "weak_encryption");
  openssl(convert + "-scrypt");
  EXPECT_EQ(code_of_opening(), "accepted");
  openssl(convert + "-scrypt -scrypt_N 1024");
  EXPECT_EQ(code_of_opening(), "weak_encryption");
  openssl("pkcs8 -topk8 -in plain.pem -out key -passout file:passphrase -v1 PBE-SHA1-3DES");
  EXPECT_EQ(code_of_opening(), "weak_encryption");
  openssl("ec -in plain.pem -out key -aes256 -passout file:passphrase");
  EXPECT_EQ(code_of_opening(), "key_format");
}

TEST_F(KeyFile, RefusesOtherKindsOfKeys) {
  openssl("ecparam -name secp384r1 -genkey -noout -out key");
  EXPECT_EQ(code_of_opening({{}, true}), "unsuitable_key");
  openssl("ecparam -name secp256k1 -genkey -noout -out key");
  EXPECT_EQ(code_of_opening({{}, true}), "unsuitable_key");
  openssl("genrsa -out key 2048");
  EXPECT_EQ(code_of_opening({{}, true}), "unsuitable_key");
  openssl("genpkey -algorithm ed25519 -out key");
  EXPECT_EQ(code_of_opening({{}, true}), "unsuitable_key");
}

TEST_F(KeyFile, RefusesHostileFiles) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  const std::string sealed = made.pem(passphrase);
  const struct {
    std::string text;
    const char* code;
  } cases[] = {
      {"", "no_key"},
      {"-----BEGIN ", "no_key"},
      {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "no_key"},
      {"-----BEGIN " + std::string(200, 'A') + "-----", "no_key"},
      {std::string(70000, 'x'), "key_file_unreadable"},
      {std::string(1000, '\0'), "no_key"},
      {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no_key"},
      {sealed + sealed, "key_format"},
      {sealed + made.pem(), "key_format"},
      {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
       "weak_encryption"},
      {sealed.substr(0, 60) + sealed.substr(80), "weak_encryption"},
  };
  for (const auto& each : cases) {
    write_file(path_, each.text);
    EXPECT_EQ(code_of_opening(), each.code) << each.text.substr(0, 80);
  }
}

TEST_F(KeyFile, NoticesThatItsPublicPartWasExchanged) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  const PrivateKey thief = PrivateKey::generate(Algorithm::es256);
  write_file(path_, made.pem(passphrase) + thief.public_key().pem());
  EXPECT_EQ(code_of_opening(), "key_file_contradicts");
}

TEST_F(KeyFile, IsLookedAtWithoutPassphraseByTheOpener) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  write_file(path_, key_file_text(made, KeyRole::release, passphrase));
  KeyOpener nobody{{}};
  EXPECT_EQ(nobody.look_at(path_).key.key_id(), made.public_key().key_id());
  EXPECT_EQ(nobody.look_at(path_).role, KeyRole::release);
  KeyOpener opener{with_passphrase_};
  const auto digest = crypto::sha256("what is signed");
  const auto signature = opener.open(path_)->sign(digest);
  crypto::OpenSslVerifier verifier;
  EXPECT_TRUE(verifier.verify(Algorithm::es256, made.public_key().bytes, digest, signature));
}

// Foreign files hold no public block: the passphrase is needed, and asked for.
TEST_F(KeyFile, WithoutAPublicPartIsOpenedToBeLookedAt) {
  const PrivateKey made = PrivateKey::generate(Algorithm::es256);
  write_file(path_, made.pem(passphrase));
  KeyOpener opener{with_passphrase_};
  EXPECT_EQ(opener.look_at(path_).key.key_id(), made.public_key().key_id());
  KeyOpener nobody{{}};
  EXPECT_THROW(nobody.look_at(path_), KeyError);
}

}  // namespace
}  // namespace otaria::keys
