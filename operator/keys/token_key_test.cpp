#include "operator/keys/token_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "operator/keys/cryptoki.hpp"
#include "operator/keys/key_opener.hpp"
#include "operator/keys/testing/soft_hsm.hpp"

/// Against SoftHSM 2, in a token store of the test's own.
namespace otaria::keys {
namespace {

using contract::Algorithm;
using ::testing::HasSubstr;
using testing::SoftHsm;

TokenReference reference_of(const std::string& uri) {
  return std::get<TokenReference>(parse_key_reference(uri));
}

class Token : public ::testing::Test {
 protected:
  SoftHsm hsm_{"release"};

  std::string code_of(const std::string& uri, const SecretSources& secrets = {}) {
    try {
      TokenKey::open(reference_of(uri), secrets);
    } catch (const KeyError& error) {
      EXPECT_FALSE(error.hint.empty());
      last_detail_ = error.detail;
      return error.code;
    }
    return "accepted";
  }
  std::string last_detail_;
};

TEST_F(Token, MakesAKeyAndSignsWithItForBothAlgorithms) {
  crypto::OpenSslVerifier verifier;
  const auto digest = crypto::sha256("what is signed");
  for (const auto algorithm : {Algorithm::es256, Algorithm::ps256}) {
    const std::string uri = hsm_.uri("release", std::string{name_of(algorithm)});
    const auto made = TokenKey::create(reference_of(uri), algorithm, {});
    KeyOpener opener{{}};
    const auto opened = opener.open(uri);
    EXPECT_EQ(opened->public_key().algorithm, algorithm);
    EXPECT_EQ(opened->public_key().bytes, made->public_key().bytes);
    EXPECT_TRUE(
        verifier.verify(algorithm, opened->public_key().bytes, digest, opened->sign(digest)));
    EXPECT_EQ(opened->sign(digest).size(), algorithm == Algorithm::es256 ? 64U : 384U);
    EXPECT_TRUE(crypto::is_valid(opened->public_key()));
  }
}

TEST_F(Token, NeverLetsThePrivateKeyOut) {
  const std::string uri = hsm_.uri("release", "k");
  const auto key = TokenKey::create(reference_of(uri), Algorithm::es256, {});
  const auto reference = reference_of(uri);
  auto module = CryptokiModule::load(module_of(reference));
  TokenSession session{module, find_token(*module, reference), false};
  session.login({}, reference.pin_file);
  const auto objects = session.find(CKO_PRIVATE_KEY, "k", "");
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(session.attribute(objects.front(), CKA_VALUE), std::nullopt);
  const auto flag = [&](CK_ATTRIBUTE_TYPE type) {
    return session.attribute(objects.front(), type).value().front();
  };
  EXPECT_EQ(flag(CKA_SENSITIVE), CK_TRUE);
  EXPECT_EQ(flag(CKA_EXTRACTABLE), CK_FALSE);
}

TEST_F(Token, ShowsItsPublicKeyWithoutAPin) {
  const auto made = TokenKey::create(reference_of(hsm_.uri("release", "k")), Algorithm::es256, {});
  const std::string without_pin =
      std::string{"pkcs11:token=release;object=k?module-path="} + SoftHsm::module();
  EXPECT_EQ(public_key_in_token(reference_of(without_pin), {}).bytes, made->public_key().bytes);
  EXPECT_EQ(code_of(without_pin), "pin_required");
}

TEST_F(Token, TakesThePinFromAPersonOrTheEnvironment) {
  TokenKey::create(reference_of(hsm_.uri("release", "k")), Algorithm::es256, {});
  const std::string uri =
      std::string{"pkcs11:token=release;object=k?module-path="} + SoftHsm::module();
  SecretSources person;
  person.ask = [](std::string_view) { return Secret{std::string{SoftHsm::pin()}}; };
  EXPECT_EQ(code_of(uri, person), "accepted");
  ::setenv(pin_variable, SoftHsm::pin(), 1);
  EXPECT_EQ(code_of(uri), "accepted");
  ::unsetenv(pin_variable);
}

TEST_F(Token, TriesAWrongPinOnce) {
  TokenKey::create(reference_of(hsm_.uri("release", "k")), Algorithm::es256, {});
  int asked = 0;
  SecretSources person;
  person.ask = [&](std::string_view) {
    ++asked;
    return Secret{std::string{"999999"}};
  };
  EXPECT_EQ(code_of(std::string{"pkcs11:token=release;object=k?module-path="} + SoftHsm::module(),
                    person),
            "wrong_pin");
  EXPECT_EQ(asked, 1);
}

TEST_F(Token, IsFoundByItsAttributesOnly) {
  hsm_.add_token("second");
  TokenKey::create(reference_of(hsm_.uri("second", "k")), Algorithm::es256, {});
  EXPECT_EQ(code_of(hsm_.uri("second", "k")), "accepted");
  EXPECT_EQ(code_of(hsm_.uri("release", "k")), "key_not_found");
  EXPECT_EQ(code_of(hsm_.uri("third", "k")), "token_not_found");
  EXPECT_THAT(last_detail_, HasSubstr("release"));
  EXPECT_THAT(last_detail_, HasSubstr("second"));
  const std::string any = std::string{"pkcs11:object=k?module-path="} + SoftHsm::module();
  EXPECT_EQ(code_of(any), "ambiguous_token");
}

TEST_F(Token, RefusesASecondKeyOfOneLabelAndAKeyWithoutLabel) {
  TokenKey::create(reference_of(hsm_.uri("release", "k")), Algorithm::es256, {});
  const auto code = [&](const std::string& uri) {
    try {
      TokenKey::create(reference_of(uri), Algorithm::es256, {});
    } catch (const KeyError& error) {
      return error.code;
    }
    return std::string{"accepted"};
  };
  EXPECT_EQ(code(hsm_.uri("release", "k")), "key_exists");
  EXPECT_EQ(code("pkcs11:token=release;id=%01?module-path=" + std::string{SoftHsm::module()}),
            "bad_key_reference");
}

TEST_F(Token, IsReachedBySeveralKeysOfOneProcess) {
  hsm_.add_token("second");
  const auto first = TokenKey::create(reference_of(hsm_.uri("release", "a")), Algorithm::es256, {});
  const auto second = TokenKey::create(reference_of(hsm_.uri("second", "b")), Algorithm::es256, {});
  const auto third = TokenKey::open(reference_of(hsm_.uri("release", "a")), {});
  const auto digest = crypto::sha256("x");
  EXPECT_EQ(first->sign(digest).size(), 64U);
  EXPECT_EQ(second->sign(digest).size(), 64U);
  EXPECT_EQ(third->sign(digest).size(), 64U);
}

/// A key pair of whatever kind, as another tool would make it.
void make_foreign_key(const std::string& uri,
                      CK_MECHANISM_TYPE type,
                      std::vector<CK_ATTRIBUTE> public_half,
                      std::vector<CK_ATTRIBUTE> private_half = {}) {
  TokenReference reference = reference_of(uri);
  auto module = CryptokiModule::load(module_of(reference));
  TokenSession session{module, find_token(*module, reference), true};
  session.login({}, reference.pin_file);
  CK_BBOOL yes = CK_TRUE;
  std::string& label = reference.object;
  const CK_ATTRIBUTE name{CKA_LABEL, label.data(), label.size()};
  const CK_ATTRIBUTE stays{CKA_TOKEN, &yes, sizeof yes};
  for (const CK_ATTRIBUTE& each : {name, stays}) public_half.push_back(each);
  for (const CK_ATTRIBUTE& each : {name, stays, CK_ATTRIBUTE{CKA_SIGN, &yes, sizeof yes}})
    private_half.push_back(each);
  CK_MECHANISM mechanism{type, nullptr, 0};
  CK_OBJECT_HANDLE one = 0;
  CK_OBJECT_HANDLE two = 0;
  check(session.calls().C_GenerateKeyPair(session.handle(),
                                          &mechanism,
                                          public_half.data(),
                                          public_half.size(),
                                          private_half.data(),
                                          private_half.size(),
                                          &one,
                                          &two),
        "C_GenerateKeyPair");
}

TEST_F(Token, RefusesKeysOfOtherCurvesAndSizes) {
  std::array<std::uint8_t, 7> p384{0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
  make_foreign_key(hsm_.uri("release", "p384"),
                   CKM_EC_KEY_PAIR_GEN,
                   {{CKA_EC_PARAMS, p384.data(), p384.size()}});
  CK_ULONG bits = 2048;
  make_foreign_key(hsm_.uri("release", "rsa2048"),
                   CKM_RSA_PKCS_KEY_PAIR_GEN,
                   {{CKA_MODULUS_BITS, &bits, sizeof bits}});
  EXPECT_EQ(code_of(hsm_.uri("release", "p384")), "unsuitable_key");
  EXPECT_EQ(code_of(hsm_.uri("release", "rsa2048")), "unsuitable_key");
}

// As the signature key of a PIV card does.
TEST_F(Token, SignsWithAKeyThatAsksForThePinEachTime) {
  std::array<std::uint8_t, 10> p256{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
  CK_BBOOL yes = CK_TRUE;
  const std::string uri = hsm_.uri("release", "careful");
  make_foreign_key(uri,
                   CKM_EC_KEY_PAIR_GEN,
                   {{CKA_EC_PARAMS, p256.data(), p256.size()}},
                   {{CKA_PRIVATE, &yes, sizeof yes}, {CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes}});
  const auto key = TokenKey::open(reference_of(uri), {});
  const auto digest = crypto::sha256("x");
  EXPECT_EQ(key->sign(digest).size(), 64U);
  EXPECT_EQ(key->sign(digest).size(), 64U);
}

TEST_F(Token, NamesWhatIsWrongWithAModule) {
  const auto code = [&](const std::string& module) {
    return code_of("pkcs11:token=a;object=b?module-path=" + module);
  };
  EXPECT_EQ(code("/nowhere/module.so"), "pkcs11_module");
  EXPECT_EQ(code("libc.so.6"), "pkcs11_module");  // a library, but no Cryptoki
}

TEST(EcPoint, IsTakenBareOrInItsOctetString) {
  std::vector<std::uint8_t> point(65, 0x11);
  point[0] = 0x04;
  EXPECT_EQ(point_of(point).size(), 64U);
  std::vector<std::uint8_t> wrapped(67, 0x11);
  wrapped[0] = 0x04;
  wrapped[1] = 0x41;
  wrapped[2] = 0x04;
  EXPECT_EQ(point_of(wrapped), point_of(point));
  for (const std::size_t length : {0U, 1U, 2U, 64U, 66U, 68U}) {
    std::vector<std::uint8_t> cut = wrapped;
    cut.resize(length);
    EXPECT_TRUE(point_of(cut).empty()) << length;
  }
  point[0] = 0x02;  // compressed
  EXPECT_TRUE(point_of(point).empty());
}

TEST(Pkcs1, IsMinimalAndNeverNegative) {
  const std::vector<std::uint8_t> exponent{0x00, 0x01, 0x00, 0x01};
  const std::vector<std::uint8_t> expected{
      0x30, 0x09, 0x02, 0x02, 0x00, 0x80, 0x02, 0x03, 0x01, 0x00, 0x01};
  EXPECT_EQ(pkcs1_of(std::vector<std::uint8_t>{0x80}, exponent), expected);
  EXPECT_TRUE(pkcs1_of({}, exponent).empty());
  EXPECT_TRUE(pkcs1_of(exponent, std::vector<std::uint8_t>{0, 0}).empty());
}

}  // namespace
}  // namespace otaria::keys
