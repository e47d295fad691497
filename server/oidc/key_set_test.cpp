#include "server/oidc/key_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/oidc/testing/provider.hpp"

namespace otaria::server::oidc {
namespace {

using testing::Provider;
using Json = nlohmann::json;

std::size_t keys_in(const Json& keys) {
  const auto set = key_set_from(Json{{"keys", keys}}.dump());
  return set ? set.value().size() : 0;
}

TEST(KeySet, HoldsKeysOfBothAlgorithms) {
  const auto set = key_set_from(Provider{}.key_set());
  ASSERT_TRUE(set);
  ASSERT_EQ(set.value().size(), 2u);
  EXPECT_EQ(set.value()[0].algorithm(), "ES256");
  EXPECT_EQ(set.value()[1].algorithm(), "RS256");
}

TEST(KeySet, LeavesOutKeysThatCannotSignTokens) {
  const Provider provider;
  const auto changed = [&](Json jwk, const char* member, const Json& value) {
    jwk[member] = value;
    return Json::array({jwk});
  };
  const Json ec = provider.ec_jwk(), rsa = provider.rsa_jwk();
  EXPECT_EQ(keys_in(Json::array({ec})), 1u);
  EXPECT_EQ(keys_in(Json::array({rsa})), 1u);
  EXPECT_EQ(keys_in(changed(ec, "use", "enc")), 0u);
  EXPECT_EQ(keys_in(changed(ec, "kid", "")), 0u);
  EXPECT_EQ(keys_in(changed(ec, "crv", "P-384")), 0u);
  EXPECT_EQ(keys_in(changed(ec, "alg", "RS256")), 0u);
  EXPECT_EQ(keys_in(changed(ec, "y", ec["x"])), 0u) << "a point off the curve";
  EXPECT_EQ(keys_in(changed(ec, "x", "AA")), 0u);
  EXPECT_EQ(keys_in(changed(rsa, "alg", "PS256")), 0u);
  EXPECT_EQ(keys_in(changed(rsa, "e", "AQ")), 0u)
      << "an exponent of 1 makes every text its own signature";
  EXPECT_EQ(keys_in(changed(rsa, "e", "Ag")), 0u);
  EXPECT_EQ(keys_in(changed(rsa, "n", crypto::base64url(std::string(128, '\xff')))), 0u);
  EXPECT_EQ(keys_in(changed(rsa, "n", crypto::base64url(std::string(2048, '\xff')))), 0u);
  EXPECT_EQ(keys_in(changed(rsa, "kty", "oct")), 0u);
  EXPECT_EQ(keys_in(Json::array({1, "x", nullptr, ec})), 1u);
}

TEST(KeySet, OfAnotherFormIsRefused) {
  for (const std::string& text : std::vector<std::string>{"",
                                                          "[]",
                                                          "{}",
                                                          R"({"keys":{}})",
                                                          R"({"keys":[]})",
                                                          "<html>",
                                                          std::string(1000, '['),
                                                          std::string(70'000, ' ')}) {
    EXPECT_FALSE(key_set_from(text)) << text.substr(0, 40);
  }
  Json many = Json::array();
  for (int i = 0; i < 33; ++i) many.push_back(Provider::Json{{"kty", "oct"}});
  EXPECT_FALSE(key_set_from(Json{{"keys", many}}.dump()));
}

}  // namespace
}  // namespace otaria::server::oidc
