#include "server/identity/token_exchange.hpp"

#include <gtest/gtest.h>

#include "contract/token/checker.hpp"
#include "server/identity/testing/desk.hpp"

namespace otaria::server {
namespace {

using testing::Members;
using testing::SigningDevice;

class Exchange : public testing::Desk {
 protected:
  /// What a broker makes of a token.
  token::Verdict checked(const std::string& text,
                         const std::string& username,
                         const std::string& client) {
    const auto keys = token::KeySet::parse(issuer_->jwks());
    EXPECT_TRUE(keys.keys) << keys.error;
    return token::TokenChecker{}.check(
        text, {.username = username, .client_id = client}, *keys.keys, {}, now_);
  }
  std::string code_for(const std::string& assertion) {
    return code_of(exchange_->exchange(assertion, now_));
  }
};

TEST_F(Exchange, GivesATokenThatABrokerTakes) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  const auto answer = ask(device);
  const auto* given = std::get_if<DeviceToken>(&answer);
  ASSERT_NE(given, nullptr) << code_of(answer);
  EXPECT_EQ(given->expires_in, 86400);
  EXPECT_EQ(given->time, now_);
  EXPECT_EQ(given->id, "sensor_A1B2");
  EXPECT_EQ(given->mac, "a4cf12e0a1b2");
  EXPECT_EQ(given->mqtt, std::vector<std::string>{"mqtts://broker.example:8883"});
  EXPECT_EQ(given->keys, 7);
  EXPECT_EQ(given->seq, 0);
  EXPECT_EQ(given->token.size(), 528u);  // the reference's figure
  const auto verdict = checked(given->token, "a4cf12e0a1b2", "sensor_A1B2");
  EXPECT_TRUE(verdict.ok()) << token::name_of(verdict.refusal);
  EXPECT_EQ(verdict.claims.publish,
            (std::vector<std::string>{
                "sensor_A1B2/ota/status", "sensor_A1B2/ota/state", "sensor_A1B2/telemetry"}));
  EXPECT_FALSE(checked(given->token, "a4cf12e0a1b2", "sensor_0000").ok());
  EXPECT_FALSE(checked(given->token, "000000000001", "sensor_A1B2").ok());
}

// Row 41 of the reference's matrix.
TEST_F(Exchange, NothingThatADeviceSignsGetsIntoItsClaims) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  const std::string payload =
      R"({"iss":"a4cf12e0a1b2","sub":"a4cf12e0a1b2","aud":"https://ota.example","nonce":")" +
      nonce() +
      R"(","id":"sensor_FFFF","fw":"1.4.0","is_superuser":true,"clientid":"otariad-1",)"
      R"("username":"000000000001","acl":{"pub":["#"],"sub":["#"]},"scope":"otaria.tag:administrator",)"
      R"("exp":4000000000,"jti":"mine"})";
  const auto answer =
      exchange_->exchange(crypto::compact_jws("otaria-assertion+jwt", payload, device.key()), now_);
  const auto* given = std::get_if<DeviceToken>(&answer);
  ASSERT_NE(given, nullptr) << code_of(answer);
  EXPECT_EQ(given->id, "sensor_A1B2");
  const std::size_t first = given->token.find('.');
  const std::string claims =
      *crypto::from_base64url(given->token.substr(first + 1, given->token.rfind('.') - first - 1));
  for (const char* word :
       {"superuser", "otariad", "sensor_FFFF", "000000000001", "#", "tag", "4000000000", "mine"}) {
    EXPECT_EQ(claims.find(word), std::string::npos) << word << " in " << claims;
  }
}

TEST_F(Exchange, AReplayedAssertionIsToldToUseAnotherNonce) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  const std::string assertion = device.assertion(nonce());
  EXPECT_EQ(code_for(assertion), "");
  EXPECT_EQ(code_for(assertion), "use_nonce");
}

TEST_F(Exchange, AnAssertionWithAnExpiredOrForeignNonceIsRefused) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  const std::string late = device.assertion(nonce());
  const std::string in_time = device.assertion(nonce());
  now_ += 119;
  EXPECT_EQ(code_for(in_time), "");
  now_ += 1;
  EXPECT_EQ(code_for(late), "use_nonce");
  EXPECT_EQ(code_for(device.assertion(Nonces{}.make(now_))), "use_nonce");
}

TEST_F(Exchange, AnUnknownMacAndAnothersSignatureAreToldTheSame) {
  SigningDevice device{"a4cf12e0a1b2"}, thief{"a4cf12e0a1b2"}, nobody{"000000000001"};
  import(device);
  const auto wrong_key = ask(thief);
  const auto unknown = ask(nobody);
  ASSERT_EQ(code_of(wrong_key), "not_enrolled");
  ASSERT_EQ(code_of(unknown), "not_enrolled");
  EXPECT_EQ(std::get<TokenRefusal>(wrong_key).refusal.detail,
            std::get<TokenRefusal>(unknown).refusal.detail);
  EXPECT_FALSE(std::get<TokenRefusal>(wrong_key).state);
  // Nor does a suspended device's MAC tell a stranger anything.
  ASSERT_TRUE(registrar_->set_state("sensor_A1B2", IdentityState::suspended, "", caller_, now_));
  EXPECT_EQ(code_of(ask(thief)), "not_enrolled");
}

TEST_F(Exchange, WhoeverCannotSignSpendsNeitherNonceNorRateOfTheDevice) {
  SigningDevice device{"a4cf12e0a1b2"}, thief{"a4cf12e0a1b2"};
  import(device);
  const std::string shared = nonce();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(code_for(thief.assertion(shared)), "not_enrolled");
  }
  EXPECT_EQ(code_for(device.assertion(shared)), "");
}

TEST_F(Exchange, AnotherDevicesKeyOpensNothingOfThisOne) {
  SigningDevice a{"000000000001"}, b{"000000000002"};
  import(a);
  import(b);
  Members claims = a.claims(nonce());
  EXPECT_EQ(code_for(b.sign("otaria-assertion+jwt", claims)), "not_enrolled");
}

TEST_F(Exchange, AnAssertionForAnotherServerIsRefusedBeforeAnythingIsLookedUp) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  Members claims = device.claims(nonce());
  claims[2].second = "https://evil.example";
  EXPECT_EQ(code_for(device.sign("otaria-assertion+jwt", claims)), "wrong_audience");
}

TEST_F(Exchange, ADeviceThatIsNotActiveLearnsItsStateAndGetsNoToken) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  for (const auto state :
       {IdentityState::suspended, IdentityState::revoked, IdentityState::retired}) {
    ASSERT_TRUE(registrar_->set_state("sensor_A1B2", state, "", caller_, now_));
    const auto answer = ask(device);
    ASSERT_EQ(code_of(answer), "device_not_active");
    EXPECT_EQ(std::get<TokenRefusal>(answer).state, state);
  }
}

TEST_F(Exchange, ADeviceThatAsksTooOftenIsToldWhenToComeBack) {
  SigningDevice device{"a4cf12e0a1b2"}, other{"000000000001"};
  import(device);
  import(other);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(code_of(ask(device)), "");
  const auto answer = ask(device);
  ASSERT_EQ(code_of(answer), "too_many_requests");
  EXPECT_EQ(std::get<TokenRefusal>(answer).retry_after_s, 60);
  EXPECT_EQ(code_of(ask(other)), "");
  now_ += 60;
  EXPECT_EQ(code_of(ask(device)), "");
}

TEST_F(Exchange, TellsTheHighestSeqOfThisDeviceOnly) {
  SigningDevice device{"a4cf12e0a1b2"};
  import(device);
  const auto report = [&](const char* mac) {
    store_->write([&](StoreTransaction& t) {
      Device seen;
      seen.id = "sensor_A1B2";
      seen.mac = mac;
      seen.marks.newest.seq = 1187;
      t.put_device(seen);
    });
  };
  report("a4cf12e0a1b2");
  EXPECT_EQ(std::get<DeviceToken>(ask(device)).seq, 1187);
  report("000000000001");
  EXPECT_EQ(std::get<DeviceToken>(ask(device)).seq, 0);
}

TEST_F(Exchange, ANewKeyReplacesTheOldOneWithItsFirstUse) {
  SigningDevice old{"a4cf12e0a1b2"}, next{"a4cf12e0a1b2"};
  import(old);
  EXPECT_EQ(code_of(ask(next)), "not_enrolled");
  EXPECT_EQ(code_for(old.rekey_assertion(nonce(), next)), "");
  EXPECT_EQ(code_of(ask(old)), "");  // its answer may have been lost: both open
  EXPECT_EQ(code_of(ask(next)), "");
  EXPECT_EQ(code_of(ask(old)), "not_enrolled");
  EXPECT_EQ(identity("sensor_A1B2")->key, next.pub());
}

TEST_F(Exchange, ANewKeyWithoutItsOwnProofIsRefusedAndTheOldOneStays) {
  SigningDevice device{"a4cf12e0a1b2"}, next{"a4cf12e0a1b2"}, thief{"a4cf12e0a1b2"};
  import(device);
  const std::string fresh = nonce();
  Members claims = device.claims(fresh);
  claims.emplace_back("new_pub", next.pub());
  claims.emplace_back("new_proof",
                      thief.sign("otaria-rekey+jws", {{"mac", device.mac()}, {"nonce", fresh}}));
  EXPECT_EQ(code_for(device.sign("otaria-assertion+jwt", claims)), "bad_request");
  EXPECT_EQ(identity("sensor_A1B2")->next_key, "");
  EXPECT_EQ(code_of(ask(device)), "");
}

TEST_F(Exchange, ATokenThatTheDeviceCouldNotSendIsNotGivenNorRemembered) {
  open({.broker = BrokerKind::all});
  SigningDevice device{"a4cf12e0a1b2"};
  import(device, std::string(32, 'x'));
  const auto answer = ask(device);
  ASSERT_EQ(code_of(answer), "token_too_long");
  EXPECT_NE(std::get<TokenRefusal>(answer).refusal.detail.find("1227 bytes"), std::string::npos);
  EXPECT_FALSE(identity(std::string(32, 'x'))->last_token_at);
}

TEST_F(Exchange, ServicesGetWideRulesUnderTheirOwnNamesOnly) {
  const auto server = exchange_->mint_service("otariad-2", caller_, now_);
  ASSERT_TRUE(server);
  const auto verdict = checked(server.value().token, "otariad-2", "otariad-2");
  ASSERT_TRUE(verdict.ok()) << token::name_of(verdict.refusal);
  EXPECT_EQ(verdict.claims.publish, std::vector<std::string>{"+/firmware/update"});
  EXPECT_EQ(last_audit(), "service.token otariad-2 ota_abcdefgh");
  EXPECT_TRUE(exchange_->mint_service("monitor-lab", caller_, now_));
  for (const char* name : {"",
                           "sensor_A1B2",
                           "otariad-",
                           "otariad-x",
                           "otariad-1234567890",
                           "monitor-",
                           "monitor-#",
                           "a4cf12e0a1b2",
                           "monitor-a\",\"x"}) {
    EXPECT_FALSE(exchange_->mint_service(name, caller_, now_)) << name;
  }
}

TEST_F(Exchange, ARevokedServiceThatIsLetInAgainDoesNotGetItsOldTokensBack) {
  const auto old = exchange_->mint_service("monitor-lab", caller_, now_);
  ASSERT_TRUE(registrar_->revoke_service("monitor-lab", caller_, now_));
  ASSERT_EQ(denied().size(), 1u);
  EXPECT_EQ(denied()[0].jti, "");
  ASSERT_TRUE(exchange_->mint_service("monitor-lab", caller_, now_));
  ASSERT_EQ(denied().size(), 1u);
  EXPECT_NE(denied()[0].jti, "");
  EXPECT_EQ(registrar_->revoke_service("monitor-x", caller_, now_).refusal().code,
            "unknown_service");
}

TEST(TokenForm, HasTheGrantTypeAndOneAssertion) {
  const std::string grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
  EXPECT_EQ(assertion_from_form(grant + "&assertion=a.b.c&client_id=x").value(), "a.b.c");
  EXPECT_EQ(assertion_from_form("assertion=a%2eb&" + grant).value(), "a.b");
  for (const std::string& body : {std::string{},
                                  grant,
                                  grant + "&assertion=",
                                  std::string{"assertion=a.b.c"},
                                  std::string{"grant_type=password&assertion=a.b.c"},
                                  grant + "&assertion=a&assertion=b",
                                  grant + "&assertion=%",
                                  grant + "&assertion=%4",
                                  grant + "&assertion=%zz",
                                  std::string{"{\"assertion\":\"a\"}"}}) {
    EXPECT_FALSE(assertion_from_form(body)) << body;
  }
}

}  // namespace
}  // namespace otaria::server
