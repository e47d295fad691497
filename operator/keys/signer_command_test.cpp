#include "operator/keys/signer_command.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "operator/keys/key_error.hpp"
#include "operator/keys/key_opener.hpp"
#include "operator/keys/testing/soft_hsm.hpp"

namespace otaria::keys {
namespace {

using contract::Algorithm;
using crypto::PrivateKey;
using ::testing::HasSubstr;
using testing::new_folder;
using ::testing::Not;
using testing::write_file;

class SignerCommandTest : public ::testing::Test {
 protected:
  std::string folder_ = new_folder("signer");
  PrivateKey key_ = PrivateKey::generate(Algorithm::es256);
  contract::Digest digest_ = crypto::sha256("what is signed");

  std::string script(const std::string& body) {
    std::string text = "#!/bin/sh\n";
    text.append(body).append("\n");
    return write_file(folder_ + "/signer", text, 0700);
  }
  std::string code_of(const std::string& program, std::chrono::seconds limit) {
    try {
      SignerCommand{program, key_.public_key(), limit}.sign(digest_);
    } catch (const KeyError& error) {
      EXPECT_EQ(error.kind, KeyError::Kind::refused);
      EXPECT_FALSE(error.hint.empty());
      return error.code;
    }
    return "accepted";
  }
  std::string code_of(const std::string& program) {
    return code_of(program, std::chrono::seconds{60});
  }
  /// What a good program would print for the digest.
  std::string signature() { return crypto::base64url(key_.sign(digest_)); }
};

TEST_F(SignerCommandTest, GivesTheDigestInHexAndTakesASignatureBack) {
  const auto program = script("cat >" + folder_ + "/seen; echo " + signature());
  const auto made = SignerCommand{program, key_.public_key()}.sign(digest_);
  crypto::OpenSslVerifier verifier;
  EXPECT_TRUE(verifier.verify(Algorithm::es256, key_.public_key().bytes, digest_, made));
  std::stringstream seen;
  seen << std::ifstream(folder_ + "/seen").rdbuf();
  const auto hex = contract::hex_of(digest_);
  EXPECT_EQ(seen.str(), fmt::format("{}\n", std::string_view{hex.data(), hex.size()}));
}

TEST_F(SignerCommandTest, WorksWithOrWithoutALineEnd) {
  EXPECT_EQ(code_of(script("cat >/dev/null; printf %s " + signature())), "accepted");
  EXPECT_EQ(code_of(script("cat >/dev/null; printf '%s\\r\\n' " + signature())), "accepted");
}

TEST_F(SignerCommandTest, RefusesASignatureThatDoesNotVerify) {
  PrivateKey other = PrivateKey::generate(Algorithm::es256);
  const auto foreign = crypto::base64url(other.sign(digest_));
  EXPECT_EQ(code_of(script("cat >/dev/null; echo " + foreign)), "bad_signature");
  const auto replayed = crypto::base64url(key_.sign(crypto::sha256("something else")));
  EXPECT_EQ(code_of(script("cat >/dev/null; echo " + replayed)), "bad_signature");
  // DER, as cloud services answer, is no r || s.
  EXPECT_EQ(code_of(script("cat >/dev/null; echo " + crypto::base64url("0E\x02!xxxx"))),
            "bad_signature");
}

TEST_F(SignerCommandTest, RefusesWhatIsNoSignature) {
  EXPECT_EQ(code_of(script("cat >/dev/null")), "signer_malformed");
  EXPECT_EQ(code_of(script("cat >/dev/null; echo 'not base64url!'")), "signer_malformed");
  EXPECT_EQ(code_of(script("cat >/dev/null; echo; echo " + signature())), "signer_malformed");
}

TEST_F(SignerCommandTest, NamesWhyTheProgramFailed) {
  EXPECT_EQ(code_of(folder_ + "/nowhere"), "signer_failed");
  EXPECT_EQ(code_of(write_file(folder_ + "/data", "x", 0600)), "signer_failed");
  EXPECT_EQ(code_of(script("cat >/dev/null; echo " + signature() + "; exit 3")), "signer_failed");
  EXPECT_EQ(code_of(script("kill -9 $$")), "signer_failed");
  EXPECT_EQ(code_of(script("cat >/dev/null; while echo endless; do :; done")), "signer_failed");
}

TEST_F(SignerCommandTest, IsEndedWhenItTakesTooLong) {
  EXPECT_EQ(code_of(script("exec sleep 60"), std::chrono::seconds{0}), "signer_failed");
}

TEST_F(SignerCommandTest, DoesNotSeeOurSecrets) {
  ::setenv(passphrase_variable, "hidden", 1);
  ::setenv(pin_variable, "hidden", 1);
  EXPECT_EQ(code_of(script("cat >/dev/null; env >" + folder_ + "/seen; echo " + signature())),
            "accepted");
  ::unsetenv(passphrase_variable);
  ::unsetenv(pin_variable);
  std::stringstream seen;
  seen << std::ifstream(folder_ + "/seen").rdbuf();
  EXPECT_THAT(seen.str(), HasSubstr("PATH="));
  EXPECT_THAT(seen.str(), Not(HasSubstr("hidden")));
}

TEST_F(SignerCommandTest, IsOpenedByItsReference) {
  const auto program = script("cat >/dev/null; echo " + signature());
  const auto pem = write_file(folder_ + "/key.pem", key_.public_key().pem(), 0644);
  KeyOpener opener{{}};
  const auto signer = opener.open("cmd:" + program + "?public=" + pem);
  EXPECT_EQ(signer->public_key().key_id(), key_.public_key().key_id());
  EXPECT_EQ(signer->sign(digest_).size(), 64U);
}

}  // namespace
}  // namespace otaria::keys
