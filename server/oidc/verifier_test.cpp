#include "server/oidc/verifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/oidc/testing/provider.hpp"

namespace otaria::server::oidc {
namespace {

using testing::Provider;
using Json = nlohmann::json;

class VerifierTest : public ::testing::Test {
 protected:
  static Settings settings() {
    return {"https://id.example",
            "otaria",
            "roles",
            {{"fleet-ops", Role::operator_}, {"audit", Role::auditor}}};
  }
  std::string code_of(const std::string& token) { return code_of(token, settings()); }
  std::string code_of(const std::string& token, const Settings& with) {
    Verifier verifier{with, keys_, [this] { return now_s_ * 1000; }};
    const auto caller = verifier.verify(token);
    if (caller) return caller.value().actor + " " + caller.value().roles;
    detail_ = caller.refusal().detail;
    return caller.refusal().code;
  }

  Provider provider_;
  std::int64_t now_s_ = 1000;
  KeyCache keys_{[this] { return provider_.key_set(); }, [this] { return now_s_ * 1000; }};
  std::string detail_;
};
using Oidc = VerifierTest;

TEST_F(Oidc, TakesTokensOfBothAlgorithms) {
  EXPECT_EQ(code_of(provider_.es256(Provider::claims())), "oidc:alice operator");
  EXPECT_EQ(code_of(provider_.rs256(Provider::claims())), "oidc:alice operator");
}

TEST_F(Oidc, AddsTheRightsOfEveryRoleItKnows) {
  Json claims = Provider::claims();
  claims["roles"] = {"audit", "unknown", 7, "fleet-ops"};
  Verifier verifier{settings(), keys_, [this] { return now_s_ * 1000; }};
  const auto caller = verifier.verify(provider_.es256(claims));
  ASSERT_TRUE(caller);
  EXPECT_TRUE(caller.value().rights.has(Right::operate));
  EXPECT_TRUE(caller.value().rights.has(Right::audit));
  EXPECT_FALSE(caller.value().rights.has(Right::administer));
}

TEST_F(Oidc, ReadsTheRoleClaimByItsNameOrItsPath) {
  Json claims = Provider::claims();
  claims.erase("roles");
  claims["realm_access"] = {{"roles", {"fleet-ops"}}};
  claims["https://otaria.example/roles"] = "audit";
  Settings with = settings();
  with.role_claim = "realm_access.roles";
  EXPECT_EQ(code_of(provider_.es256(claims), with), "oidc:alice operator");
  with.role_claim = "https://otaria.example/roles";
  EXPECT_EQ(code_of(provider_.es256(claims), with), "oidc:alice auditor");
}

TEST_F(Oidc, KnowsSomebodyWithoutARoleButLetsHimDoNothing) {
  Json claims = Provider::claims();
  for (const Json& roles : {Json{"staff"}, Json::array(), Json(nullptr), Json(7)}) {
    claims["roles"] = roles;
    EXPECT_EQ(code_of(provider_.es256(claims)), "forbidden") << roles;
  }
  claims.erase("roles");
  EXPECT_EQ(code_of(provider_.es256(claims)), "forbidden");
}

TEST_F(Oidc, ChecksTimesWithHalfAMinuteForClocksThatDiffer) {
  Json claims = Provider::claims();
  now_s_ = 2029;
  EXPECT_EQ(code_of(provider_.es256(claims)), "oidc:alice operator");
  now_s_ = 2030;
  EXPECT_EQ(code_of(provider_.es256(claims)), "token_expired");
  now_s_ = 1000;
  claims["nbf"] = 1030;
  EXPECT_EQ(code_of(provider_.es256(claims)), "oidc:alice operator");
  claims["nbf"] = 1031;
  EXPECT_EQ(code_of(provider_.es256(claims)), "token_invalid");
  claims = Provider::claims();
  for (const Json& exp : {Json("2000"), Json(nullptr), Json(-1), Json(1e30)}) {
    claims["exp"] = exp;
    EXPECT_EQ(code_of(provider_.es256(claims)), "token_invalid") << exp;
  }
  claims["exp"] = 2000.5;
  EXPECT_EQ(code_of(provider_.es256(claims)), "oidc:alice operator");
}

TEST_F(Oidc, TakesOnlyWhatThisIssuerMadeForThisAudience) {
  Json claims = Provider::claims();
  claims["iss"] = "https://id.example/";
  EXPECT_EQ(code_of(provider_.es256(claims)), "token_invalid");
  claims = Provider::claims();
  claims["aud"] = "another";
  EXPECT_EQ(code_of(provider_.es256(claims)), "token_invalid");
  claims["aud"] = {"another", "otaria"};
  EXPECT_EQ(code_of(provider_.es256(claims)), "oidc:alice operator");
  for (const char* missing : {"iss", "aud", "sub", "exp"}) {
    claims = Provider::claims();
    claims.erase(missing);
    EXPECT_EQ(code_of(provider_.es256(claims)), "token_invalid") << missing;
  }
}

TEST_F(Oidc, LetsTheKeyChooseTheAlgorithm) {
  const Json claims = Provider::claims();
  const auto unsigned_token = [&](const char* algorithm) {
    return Provider::signed_text(claims, {{"alg", algorithm}, {"kid", "rsa-1"}}) + ".";
  };
  for (const char* algorithm : {"none", "None", "", "HS256", "ES256", "RS256"}) {
    EXPECT_EQ(code_of(unsigned_token(algorithm)), "token_invalid") << algorithm;
  }
  // A public key as the secret of an HMAC, a key of one kind under the name of the other.
  EXPECT_EQ(code_of(provider_.es256(claims, {{"alg", "HS256"}, {"kid", "ec-1"}})), "token_invalid");
  EXPECT_EQ(code_of(provider_.es256(claims, {{"alg", "RS256"}, {"kid", "ec-1"}})), "token_invalid");
  EXPECT_EQ(code_of(provider_.es256(claims, {{"alg", "RS256"}, {"kid", "rsa-1"}})),
            "token_invalid");
  EXPECT_EQ(code_of(provider_.rs256(claims, {{"alg", "ES256"}, {"kid", "ec-1"}})), "token_invalid");
}

TEST_F(Oidc, IgnoresKeysThatATokenBringsAlong) {
  Provider stranger;
  Json header{{"alg", "ES256"},
              {"kid", "ec-1"},
              {"jwk", stranger.ec_jwk()},
              {"jku", "https://evil.example/jwks.json"}};
  EXPECT_EQ(code_of(stranger.es256(Provider::claims(), header)), "token_invalid");
  header["kid"] = "unknown";
  EXPECT_EQ(code_of(stranger.es256(Provider::claims(), header)), "token_invalid");
  EXPECT_EQ(code_of(provider_.es256(Provider::claims(), {{"alg", "ES256"}})), "token_invalid");
}

TEST_F(Oidc, RefusesHeadersThatAskForWhatItDoesNotKnow) {
  EXPECT_EQ(code_of(provider_.es256(Provider::claims(),
                                    {{"alg", "ES256"}, {"kid", "ec-1"}, {"crit", {"x"}}})),
            "token_invalid");
}

TEST_F(Oidc, FindsAnyCharacterThatWasChanged) {
  for (const std::string& good :
       {provider_.es256(Provider::claims()), provider_.rs256(Provider::claims())}) {
    for (std::size_t place = 0; place < good.size(); ++place) {
      std::string changed = good;
      changed[place] = good[place] == 'A' ? 'B' : 'A';
      EXPECT_EQ(code_of(changed), "token_invalid") << place;
    }
  }
}

TEST_F(Oidc, RefusesWhatIsNoJwt) {
  const std::string good = provider_.es256(Provider::claims());
  for (const std::string& text : std::vector<std::string>{"",
                                                          ".",
                                                          "..",
                                                          "...",
                                                          "a.b.c",
                                                          good + ".",
                                                          good + "=",
                                                          good.substr(0, good.rfind('.')),
                                                          std::string(9000, 'A') + ".A.A"}) {
    EXPECT_EQ(code_of(text), "token_invalid") << text.substr(0, 40);
  }
}

TEST_F(Oidc, FetchesTheKeysAnewForOneThatItDoesNotKnow) {
  const std::string token = provider_.es256(Provider::claims());
  EXPECT_EQ(code_of(token), "oidc:alice operator");
  provider_ = Provider{};  // the provider changed its keys, under the same names
  EXPECT_EQ(code_of(provider_.es256(Provider::claims())), "token_invalid");
  keys_.load();
  EXPECT_EQ(code_of(provider_.es256(Provider::claims())), "oidc:alice operator");
}

TEST(RoleMap, ReadsPairs) {
  const auto map = role_map_from("fleet-ops = operator,cn=audit=auditor , admins=admin");
  ASSERT_TRUE(map);
  EXPECT_EQ(map->size(), 3u);
  EXPECT_EQ(map->at("cn=audit"), Role::auditor);
  for (const char* text : {"", "a", "a=", "=admin", "a=root", "a=admin,,b=admin", "ci=agent-ci"}) {
    EXPECT_FALSE(role_map_from(text)) << text;
  }
}

}  // namespace
}  // namespace otaria::server::oidc
