#include "contract/token/key_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/token/testing/minting.hpp"

namespace otaria::token {
namespace {

using crypto::PrivateKey;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::jwk;
using testing::jwks;

const crypto::PublicKey& some_key() {
  static const PrivateKey key = PrivateKey::generate(contract::Algorithm::es256);
  return key.public_key();
}

std::string set_of(const std::string& keys) {
  return R"({"keys":[)" + keys + "]}";
}

std::string with(std::string key, std::string_view old_text, std::string_view new_text) {
  const std::size_t at = key.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  return key.replace(at, old_text.size(), new_text);
}

TEST(KeySet, FindsAKeyByItsIdAndNoOther) {
  const auto reading = KeySet::parse(jwks(some_key(), "k1"));
  ASSERT_TRUE(reading.keys) << reading.error;
  const auto found = reading.keys->find("k1");
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAreArray(some_key().bytes));
  EXPECT_FALSE(reading.keys->find("k2"));
  EXPECT_FALSE(reading.keys->find(""));
}

TEST(KeySet, TakesAKeyWithoutUseAndAlgorithm) {
  std::string key = with(jwk(some_key(), "k1"), R"("use":"sig",)", "");
  key = with(key, R"("alg":"ES256",)", "");
  EXPECT_TRUE(KeySet::parse(set_of(key)).keys);
}

TEST(KeySet, PassesOverKeysItCannotUse) {
  const std::string good = jwk(some_key(), "good");
  const std::string long_id(65, 'k');
  for (const std::string& other : {
           std::string{R"({"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB","alg":"RS256"})"},
           std::string{R"({"kty":"OKP","crv":"Ed25519","kid":"e","x":"AA"})"},
           std::string{"{}"},
           with(jwk(some_key(), "x"), "P-256", "P-384"),
           with(jwk(some_key(), "x"), R"("use":"sig")", R"("use":"enc")"),
           with(jwk(some_key(), "x"), "ES256", "ES384"),
           with(jwk(some_key(), "x"), R"("kid":"x",)", ""),
           jwk(some_key(), long_id),
       }) {
    const auto reading = KeySet::parse(set_of(other + ',' + good));
    ASSERT_TRUE(reading.keys) << other << ": " << reading.error;
    EXPECT_EQ(reading.keys->size(), 1U) << other;
    EXPECT_TRUE(reading.keys->find("good"));
  }
}

TEST(KeySet, TakesAnIdOf64Characters) {
  const std::string id(64, 'k');
  const auto reading = KeySet::parse(jwks(some_key(), id));
  ASSERT_TRUE(reading.keys);
  EXPECT_TRUE(reading.keys->find(id));
}

TEST(KeySet, RefusesASetThatHoldsAPrivateKey) {
  const std::string leaked = with(jwk(some_key(), "k1"), R"("use")", R"("d":"c2VjcmV0","use")");
  const auto reading = KeySet::parse(set_of(leaked));
  EXPECT_FALSE(reading.keys);
  EXPECT_THAT(reading.error, HasSubstr("private"));
  EXPECT_FALSE(KeySet::parse(set_of(R"({"kty":"oct","k":"AAAA"},)" + jwk(some_key(), "x"))).keys);
}

TEST(KeySet, RefusesAPointThatIsNotOnTheCurve) {
  const std::string y = crypto::base64url(std::span{some_key().bytes}.last(32));
  const std::string x = crypto::base64url(std::span{some_key().bytes}.first(32));
  for (const std::string& bad : {crypto::base64url(std::string(32, '\0')),
                                 x,
                                 y.substr(0, 40),
                                 std::string{},
                                 y + "AA",
                                 y + '='}) {
    const auto reading = KeySet::parse(set_of(with(jwk(some_key(), "k1"), y, bad)));
    EXPECT_FALSE(reading.keys) << bad;
    EXPECT_THAT(reading.error, HasSubstr("no point"));
  }
}

TEST(KeySet, RefusesTwoKeysOfOneName) {
  const std::string key = jwk(some_key(), "k1");
  EXPECT_THAT(KeySet::parse(set_of(key + ',' + key)).error, HasSubstr("twice"));
}

TEST(KeySet, HoldsSixteenKeysAndRefusesOneMore) {
  std::string keys = jwk(some_key(), "k0");
  for (std::size_t i = 1; i < KeySet::max_keys; ++i) {
    keys += ',' + jwk(some_key(), "k" + std::to_string(i));
  }
  const auto full = KeySet::parse(set_of(keys));
  ASSERT_TRUE(full.keys) << full.error;
  EXPECT_EQ(full.keys->size(), KeySet::max_keys);
  EXPECT_THAT(KeySet::parse(set_of(keys + ',' + jwk(some_key(), "one-more"))).error,
              HasSubstr("16"));
}

TEST(KeySet, RefusesWhatIsNoKeySet) {
  for (const std::string& bad : {std::string{},
                                 std::string{"[]"},
                                 std::string{"{}"},
                                 std::string{R"({"keys":[]})"},
                                 std::string{R"({"keys":{}})"},
                                 std::string{R"({"keys":["k"]})"},
                                 std::string{R"({"keys":[{"kty":7}]})"},
                                 std::string{R"({"keys":null})"},
                                 set_of(jwk(some_key(), "k")).substr(0, 90),
                                 jwks(some_key()) + "x",
                                 R"({"keys":[],"keys":[)" + jwk(some_key(), "k") + "]}",
                                 std::string(KeySet::max_bytes + 1, ' ')}) {
    const auto reading = KeySet::parse(bad);
    EXPECT_FALSE(reading.keys) << bad.substr(0, 80);
    EXPECT_FALSE(reading.error.empty());
  }
}

}  // namespace
}  // namespace otaria::token
