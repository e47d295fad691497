// What every implementation of the Store port must do with tokens and the audit log. A new one
// joins by a row in the list at the end.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "server/store/sqlite_store.hpp"
#include "server/store/testing/store_fixture.hpp"

namespace otaria::server {
namespace {

class AccessContract : public StoreFixture {};
class TokenContract : public AccessContract {};
class AuditContract : public AccessContract {};

ApiToken some_token(std::string id, Role role = Role::operator_) {
  ApiToken token;
  token.id = std::move(id);
  token.secret_sha256.bytes.fill(0xa5);
  token.role = role;
  token.name = "build server ' \"";
  token.creator = "ota_bootstra";
  token.created_at = 1000;
  token.expires_at = 2000;
  return token;
}

contract::AuditEvent some_event(std::string subject, std::string actor = "ota_abcdefgh") {
  return {.at = 1000,
          .actor = std::move(actor),
          .source = "192.0.2.1",
          .verb = "token.create",
          .subject = std::move(subject),
          .outcome = "done"};
}

TEST_P(TokenContract, KeepsATokenAcrossARestart) {
  write([](StoreTransaction& t) {
    ApiToken token = some_token("abcdefgh", Role::agent_ci);
    token.product = "sensor";
    EXPECT_TRUE(t.add_token(token));
  });
  reopen();
  const auto token = read([](StoreView& v) { return v.token("abcdefgh"); });
  ASSERT_TRUE(token);
  EXPECT_EQ(token->role, Role::agent_ci);
  EXPECT_EQ(token->product, "sensor");
  EXPECT_EQ(token->name, "build server ' \"");
  EXPECT_EQ(token->secret_sha256, some_token("x").secret_sha256);
  EXPECT_EQ(token->expires_at, 2000);
  EXPECT_FALSE(token->last_used_at);
  EXPECT_FALSE(token->revoked_at);
  EXPECT_FALSE(read([](StoreView& v) { return v.token("abcdefg"); }));
}

TEST_P(TokenContract, HoldsOneTokenPerId) {
  write([](StoreTransaction& t) {
    EXPECT_TRUE(t.add_token(some_token("abcdefgh")));
    EXPECT_FALSE(t.add_token(some_token("abcdefgh", Role::admin)));
    EXPECT_EQ(t.token("abcdefgh")->role, Role::operator_);
  });
}

TEST_P(TokenContract, RemembersTheFirstRevocation) {
  write([](StoreTransaction& t) {
    t.add_token(some_token("abcdefgh"));
    t.set_token_used("abcdefgh", 1500);
    t.revoke_token("abcdefgh", 1600);
    t.revoke_token("abcdefgh", 1700);
  });
  const auto token = read([](StoreView& v) { return v.token("abcdefgh"); });
  EXPECT_EQ(token->last_used_at, 1500);
  EXPECT_EQ(token->revoked_at, 1600);
}

TEST_P(TokenContract, KnowsWhetherARoleHasATokenThatCanStillBeUsed) {
  const auto valid = [&](Role role, std::int64_t now) {
    return read([&](StoreView& v) { return v.has_valid_token(role, now); });
  };
  write([](StoreTransaction& t) {
    t.add_token(some_token("abcdefgh", Role::admin));
    t.add_token(some_token("bcdefghi", Role::viewer));
    t.revoke_token("bcdefghi", 1000);
  });
  EXPECT_TRUE(valid(Role::admin, 1999));
  EXPECT_FALSE(valid(Role::admin, 2000));
  EXPECT_FALSE(valid(Role::viewer, 1000));
  EXPECT_FALSE(valid(Role::operator_, 1000));
}

TEST_P(TokenContract, ListsNewestFirstSliceBySlice) {
  write([](StoreTransaction& t) {
    for (const char* id : {"a", "c", "b"}) t.add_token(some_token(id));
  });
  const auto first = read([](StoreView& v) { return v.tokens({.after = "", .limit = 2}); });
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].id, "b");
  const auto rest =
      read([&](StoreView& v) { return v.tokens({.after = first[1].id, .limit = 9}); });
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].id, "a");
}

TEST_P(AuditContract, ChainsItsRowsAcrossARestart) {
  write([](StoreTransaction& t) { t.append_audit(some_event("1")); });
  reopen();
  write([](StoreTransaction& t) {
    t.append_audit(some_event("2"));
    t.append_audit(some_event("3"));
  });
  contract::AuditChain chain;
  for (const auto& row :
       read([](StoreView& v) { return v.audit_rows({.oldest_first = true}, {.limit = 100}); })) {
    EXPECT_EQ(chain.append(row), std::nullopt);
  }
  EXPECT_EQ(chain.last(), 3);
  EXPECT_EQ(chain.hash(), read([](StoreView& v) { return v.audit_head(); })->hash);
}

TEST_P(AuditContract, ForgetsTheRowOfAChangeThatWasUndone) {
  write([](StoreTransaction& t) { t.append_audit(some_event("kept")); });
  EXPECT_THROW(write([](StoreTransaction& t) {
                 t.add_token(some_token("abcdefgh"));
                 t.append_audit(some_event("abcdefgh"));
                 throw std::runtime_error{"half way"};
               }),
               std::runtime_error);
  EXPECT_EQ(read([](StoreView& v) { return v.audit_head(); })->subject, "kept");
  write([](StoreTransaction& t) { EXPECT_EQ(t.append_audit(some_event("next")).seq, 2); });
}

TEST_P(AuditContract, ListsInEitherOrderAndOfOneActorOrVerb) {
  write([](StoreTransaction& t) {
    for (int i = 1; i <= 6; ++i) {
      t.append_audit(some_event(std::to_string(i), i % 2 == 0 ? "even" : "odd"));
    }
  });
  const auto subjects = [&](const AuditFilter& filter, const Slice& slice) {
    std::string text;
    for (const auto& row : read([&](StoreView& v) { return v.audit_rows(filter, slice); })) {
      text += row.subject;
    }
    return text;
  };
  EXPECT_EQ(subjects({}, {}), "654321");
  EXPECT_EQ(subjects({}, {.after = "5", .limit = 2}), "43");
  EXPECT_EQ(subjects({.oldest_first = true}, {.after = "2", .limit = 3}), "345");
  EXPECT_EQ(subjects({.actor = "even"}, {}), "642");
  EXPECT_EQ(subjects({.verb = "token.create", .oldest_first = true}, {}), "123456");
  EXPECT_EQ(subjects({.verb = "update.send"}, {}), "");
  EXPECT_EQ(subjects({}, {.after = "nonsense", .limit = 1}), "6");
}

const StoreMaker implementations[] = {
    {"Sqlite",
     [](const std::filesystem::path& directory) {
       return std::make_unique<SqliteStore>(directory / "otaria.db");
     }},
};
std::string name_of_maker(const testing::TestParamInfo<StoreMaker>& maker) {
  return maker.param.name;
}
INSTANTIATE_TEST_SUITE_P(All, TokenContract, testing::ValuesIn(implementations), name_of_maker);
INSTANTIATE_TEST_SUITE_P(All, AuditContract, testing::ValuesIn(implementations), name_of_maker);

}  // namespace
}  // namespace otaria::server
