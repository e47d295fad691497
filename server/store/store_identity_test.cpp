// What every implementation of the Store port must do with identities, claims and broker tokens. A
// new one joins by a row in the list at the end.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "server/store/sqlite_store.hpp"
#include "server/store/testing/store_fixture.hpp"

namespace otaria::server {
namespace {

class IdentityContract : public StoreFixture {
 protected:
  /// The denylist in short: `sub:<subject>-<until>` and `jti:<jti>-<until>`.
  std::string denied(std::int64_t now) {
    std::string text;
    for (const DeniedToken& token : read([&](StoreView& v) { return v.denied_tokens(now); })) {
      text += (token.jti.empty() ? "sub:" + token.subject : "jti:" + token.jti) + "-" +
              std::to_string(token.until) + " ";
    }
    return text;
  }
};

DeviceIdentity some_identity(std::string mac, std::string id) {
  return {.mac = std::move(mac),
          .id = std::move(id),
          .key = "the key",
          .next_key = "the next",
          .product = "sensor",
          .hardware = "esp32s3-8mb",
          .state = IdentityState::active,
          .origin = "import",
          .reason = "because ' \"",
          .created_at = 100,
          .changed_at = 200};
}

BrokerToken some_token(std::string jti, std::string subject, std::int64_t expires_at) {
  return {.jti = std::move(jti),
          .subject = std::move(subject),
          .clientid = "sensor_A1B2",
          .kid = "k1",
          .issued_at = 50,
          .expires_at = expires_at};
}

TEST_P(IdentityContract, KeepsAnIdentityAcrossARestart) {
  write([](StoreTransaction& t) { t.put_identity(some_identity("a4cf12e0a1b2", "sensor_A1B2")); });
  reopen();
  const auto identity = read([](StoreView& v) { return v.identity("sensor_A1B2"); });
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->mac, "a4cf12e0a1b2");
  EXPECT_EQ(identity->key, "the key");
  EXPECT_EQ(identity->next_key, "the next");
  EXPECT_EQ(identity->hardware, "esp32s3-8mb");
  EXPECT_EQ(identity->state, IdentityState::active);
  EXPECT_EQ(identity->origin, "import");
  EXPECT_EQ(identity->reason, "because ' \"");
  EXPECT_EQ(identity->created_at, 100);
  EXPECT_EQ(identity->changed_at, 200);
  EXPECT_FALSE(identity->last_token_at);
  EXPECT_EQ(read([](StoreView& v) { return v.identity_of_mac("a4cf12e0a1b2"); })->id,
            "sensor_A1B2");
  EXPECT_FALSE(read([](StoreView& v) { return v.identity("sensor_a1b2"); }));
}

TEST_P(IdentityContract, ReplacesWhatHasTheSameMacAndRefusesASecondMacForAnId) {
  write([](StoreTransaction& t) {
    t.put_identity(some_identity("a4cf12e0a1b2", "sensor_A1B2"));
    t.put_identity(some_identity("a4cf12e0a1b2", "boiler"));
  });
  EXPECT_FALSE(read([](StoreView& v) { return v.identity("sensor_A1B2"); }));
  EXPECT_TRUE(read([](StoreView& v) { return v.identity("boiler"); }));
  EXPECT_THROW(
      write([](StoreTransaction& t) { t.put_identity(some_identity("000000000001", "boiler")); }),
      DatabaseError);
  EXPECT_EQ(read([](StoreView& v) { return v.identity("boiler"); })->mac, "a4cf12e0a1b2");
}

TEST_P(IdentityContract, ListsNewestFirstByTextAndState) {
  write([](StoreTransaction& t) {
    t.put_identity(some_identity("000000000001", "one_x"));
    t.put_identity(some_identity("000000000002", "two"));
    auto third = some_identity("00000000000a", "three_x");
    third.state = IdentityState::revoked;
    t.put_identity(third);
  });
  const auto ids = [&](const IdentityFilter& filter, const Slice& slice) {
    std::string text;
    for (const auto& item : read([&](StoreView& v) { return v.identities(filter, slice); })) {
      text += item.id + " ";
    }
    return text;
  };
  EXPECT_EQ(ids({}, {}), "three_x two one_x ");
  EXPECT_EQ(ids({.text = "_x"}, {}), "three_x one_x ");
  EXPECT_EQ(ids({.text = "%"}, {}), "");
  EXPECT_EQ(ids({.text = "00000a"}, {}), "three_x ");
  EXPECT_EQ(ids({.state = IdentityState::active}, {}), "two one_x ");
  EXPECT_EQ(ids({}, {.after = "2", .limit = 5}), "one_x ");
}

TEST_P(IdentityContract, AClaimIsFoundByItsDigestAndSpentOnce) {
  write([](StoreTransaction& t) {
    t.put_claim({.secret_sha256 = "aa", .mac = "a4cf12e0a1b2", .id = "x", .created_at = 5});
    t.put_claim({.secret_sha256 = "aa", .used_at = 7, .used_by = "a4cf12e0a1b2"});
  });
  const auto claim = read([](StoreView& v) { return v.claim("aa"); });
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->mac, "a4cf12e0a1b2");
  EXPECT_EQ(claim->created_at, 5);
  EXPECT_EQ(claim->used_at, 7);
  EXPECT_FALSE(read([](StoreView& v) { return v.claim("ab"); }));
}

TEST_P(IdentityContract, ForgetsOpenClaimsOfTheSameMacOrIdOnly) {
  write([](StoreTransaction& t) {
    t.put_claim({.secret_sha256 = "mac", .mac = "a4cf12e0a1b2"});
    t.put_claim({.secret_sha256 = "used", .mac = "a4cf12e0a1b2", .used_at = 1});
    t.put_claim({.secret_sha256 = "other", .mac = "000000000001"});
    t.put_claim({.secret_sha256 = "id", .id = "boiler"});
    t.put_claim({.secret_sha256 = "other id", .id = "oven"});
    t.forget_claims("a4cf12e0a1b2", "boiler");
  });
  const auto there = [&](const char* digest) {
    return read([&](StoreView& v) { return v.claim(digest); }).has_value();
  };
  EXPECT_FALSE(there("mac"));
  EXPECT_TRUE(there("used"));
  EXPECT_TRUE(there("other"));
  EXPECT_TRUE(there("id"));
  write([](StoreTransaction& t) { t.forget_claims("", "boiler"); });
  EXPECT_FALSE(there("id"));
  EXPECT_TRUE(there("other id"));
}

TEST_P(IdentityContract, ATokenRaisesTheLastExpiryOfItsKeyAndTheDevicesLastToken) {
  write([](StoreTransaction& t) {
    t.put_identity(some_identity("a4cf12e0a1b2", "sensor_A1B2"));
    t.put_issuer_key({.kid = "k1", .key = "x", .created_at = 1, .use_from = 2});
    t.add_broker_token(some_token("j1", "a4cf12e0a1b2", 900));
    t.add_broker_token(some_token("j2", "otariad-1", 800));
  });
  EXPECT_EQ(read([](StoreView& v) { return v.issuer_keys(); }).at(0).last_expiry, 900);
  EXPECT_EQ(read([](StoreView& v) { return v.identity("sensor_A1B2"); })->last_token_at, 50);
}

TEST_P(IdentityContract, DeniesEveryTokenOfWhoeverIsNotActiveUntilTheLastHasExpired) {
  write([](StoreTransaction& t) {
    auto device = some_identity("a4cf12e0a1b2", "sensor_A1B2");
    t.put_identity(device);
    t.put_identity(some_identity("000000000001", "other"));
    t.add_broker_token(some_token("j1", "a4cf12e0a1b2", 900));
    t.add_broker_token(some_token("j2", "a4cf12e0a1b2", 950));
    t.add_broker_token(some_token("j3", "000000000001", 999));
  });
  EXPECT_EQ(denied(100), "");
  write([](StoreTransaction& t) {
    auto device = *t.identity("sensor_A1B2");
    device.state = IdentityState::suspended;
    t.put_identity(device);
  });
  EXPECT_EQ(denied(100), "sub:a4cf12e0a1b2-950 ");
  EXPECT_EQ(denied(949), "sub:a4cf12e0a1b2-950 ");
  EXPECT_EQ(denied(950), "");
}

TEST_P(IdentityContract, DeniesTheTokensIssuedSoFarButNotLaterOnes) {
  write([](StoreTransaction& t) {
    t.put_identity(some_identity("a4cf12e0a1b2", "sensor_A1B2"));
    t.add_broker_token(some_token("j1", "a4cf12e0a1b2", 900));
    t.deny_tokens_of("a4cf12e0a1b2");
    t.add_broker_token(some_token("j2", "a4cf12e0a1b2", 950));
  });
  EXPECT_EQ(denied(100), "jti:j1-900 ");
  write([](StoreTransaction& t) { t.forget_broker_tokens(901); });
  EXPECT_EQ(denied(0), "");
}

TEST_P(IdentityContract, DeniesTheTokensOfARevokedService) {
  write([](StoreTransaction& t) {
    t.put_service({.name = "monitor-lab", .creator = "ota_x", .created_at = 1});
    t.add_broker_token(some_token("j1", "monitor-lab", 900));
  });
  EXPECT_EQ(denied(100), "");
  write([](StoreTransaction& t) {
    auto service = *t.service("monitor-lab");
    service.revoked_at = 70;
    t.put_service(service);
  });
  EXPECT_EQ(denied(100), "sub:monitor-lab-900 ");
  EXPECT_EQ(read([](StoreView& v) { return v.services({}); }).at(0).creator, "ota_x");
}

TEST_P(IdentityContract, ListsIssuerKeysByTheirFirstUse) {
  write([](StoreTransaction& t) {
    t.put_issuer_key({.kid = "later", .key = "x", .use_from = 20});
    t.put_issuer_key({.kid = "first", .key = "y", .use_from = 10});
  });
  const auto keys = read([](StoreView& v) { return v.issuer_keys(); });
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].kid, "first");
  write([](StoreTransaction& t) { t.forget_issuer_key("first"); });
  EXPECT_EQ(read([](StoreView& v) { return v.issuer_keys(); }).at(0).kid, "later");
}

const StoreMaker implementations[] = {
    {"Sqlite",
     [](const std::filesystem::path& directory) {
       return std::make_unique<SqliteStore>(directory / "otaria.db");
     }},
};
INSTANTIATE_TEST_SUITE_P(All,
                         IdentityContract,
                         testing::ValuesIn(implementations),
                         [](const testing::TestParamInfo<StoreMaker>& maker) {
                           return maker.param.name;
                         });

}  // namespace
}  // namespace otaria::server
