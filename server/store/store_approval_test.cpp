// What every implementation of the Store port must do with what waits for a second person.
#include <gtest/gtest.h>

#include "server/store/sqlite_store.hpp"
#include "server/store/testing/store_fixture.hpp"

namespace otaria::server {
namespace {

class ApprovalContract : public StoreFixture {};

Approval asked(std::string id) {
  Approval approval;
  approval.id = std::move(id);
  approval.verb = ApprovalVerb::keylist_publish;
  approval.digest = std::string(64, 'a');
  approval.content = "what will be done";
  approval.summary = "key list 2";
  approval.requester = "ota_alicetok";
  approval.requester_token = "alicetok";
  approval.person = "alice";
  approval.created_at = 1000;
  approval.expires_at = 2000;
  return approval;
}

Approval decided(Approval approval) {
  approval.state = ApprovalState::done;
  approval.decider = "ota_bobtoken";
  approval.decider_person = "bob";
  approval.decided_at = 1500;
  approval.result = R"({"serial":2})";
  return approval;
}

TEST_P(ApprovalContract, KeepsWhatWasAskedForAndWhatBecameOfIt) {
  write([](StoreTransaction& t) { t.put_approval(asked("01A")); });
  reopen();
  auto kept = read([](StoreView& v) { return v.approval("01A"); });
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->verb, ApprovalVerb::keylist_publish);
  EXPECT_EQ(kept->content, "what will be done");
  EXPECT_EQ(kept->requester_token, "alicetok");
  EXPECT_EQ(kept->state, ApprovalState::pending);
  EXPECT_FALSE(kept->decided_at);
  write([](StoreTransaction& t) { t.put_approval(decided(asked("01A"))); });
  kept = read([](StoreView& v) { return v.approval("01A"); });
  EXPECT_EQ(kept->state, ApprovalState::done);
  EXPECT_EQ(kept->decider_person, "bob");
  EXPECT_EQ(kept->decided_at, 1500);
  EXPECT_EQ(kept->result, R"({"serial":2})");
  EXPECT_FALSE(read([](StoreView& v) { return v.approval("01B"); }));
}

TEST_P(ApprovalContract, WhatWasAskedForStaysThoughADecisionSaysOtherwise) {
  write([](StoreTransaction& t) { t.put_approval(asked("01A")); });
  write([](StoreTransaction& t) {
    Approval forged = decided(asked("01A"));
    forged.content = "something else";
    forged.digest = std::string(64, 'b');
    forged.person = "mallory";
    t.put_approval(forged);
  });
  const auto kept = read([](StoreView& v) { return v.approval("01A"); });
  EXPECT_EQ(kept->content, "what will be done");
  EXPECT_EQ(kept->digest, std::string(64, 'a'));
  EXPECT_EQ(kept->person, "alice");
}

TEST_P(ApprovalContract, IsDecidedOnce) {
  write([](StoreTransaction& t) { t.put_approval(decided(asked("01A"))); });
  EXPECT_THROW(write([](StoreTransaction& t) { t.put_approval(asked("01A")); }), DatabaseError);
}

TEST_P(ApprovalContract, ListsTheNewestFirstPageByPage) {
  write([](StoreTransaction& t) {
    for (const char* id : {"01A", "01B", "01C"}) t.put_approval(asked(id));
    t.put_approval(decided(asked("01B")));
  });
  const auto ids = [this](const ApprovalFilter& filter, const Slice& slice) {
    std::string all;
    for (const Approval& one : read([&](StoreView& v) { return v.approvals(filter, slice); })) {
      all += one.id + " ";
    }
    return all;
  };
  EXPECT_EQ(ids({}, {.limit = 2}), "01C 01B ");
  EXPECT_EQ(ids({}, {.after = "01B", .limit = 2}), "01A ");
  EXPECT_EQ(ids({.state = ApprovalState::pending}, {}), "01C 01A ");
  EXPECT_EQ(ids({.state = ApprovalState::done}, {}), "01B ");
}

TEST_P(ApprovalContract, ForgetsWhatIsLongOver) {
  write([](StoreTransaction& t) {
    t.put_approval(asked("01A"));
    t.put_approval(decided(asked("01B")));
  });
  write([](StoreTransaction& t) { t.forget_approvals(2000); });
  EXPECT_TRUE(read([](StoreView& v) { return v.approval("01A"); }));
  write([](StoreTransaction& t) { t.forget_approvals(2001); });
  EXPECT_FALSE(read([](StoreView& v) { return v.approval("01A"); }));
  EXPECT_FALSE(read([](StoreView& v) { return v.approval("01B"); }));
}

TEST_P(ApprovalContract, ATransactionThatFailsLeavesItPending) {
  write([](StoreTransaction& t) { t.put_approval(asked("01A")); });
  EXPECT_THROW(write([](StoreTransaction& t) {
                 t.put_approval(decided(asked("01A")));
                 throw DatabaseError{"the disk is full"};  // between the decision and its effect
               }),
               DatabaseError);
  EXPECT_EQ(read([](StoreView& v) { return v.approval("01A"); })->state, ApprovalState::pending);
}

TEST_P(ApprovalContract, TokensSayWhoseTheyAre) {
  write([](StoreTransaction& t) {
    ApiToken token;
    token.id = "abcdefgh";
    token.person = "alice";
    EXPECT_TRUE(t.add_token(token));
  });
  reopen();
  EXPECT_EQ(read([](StoreView& v) { return v.token("abcdefgh"); })->person, "alice");
}

INSTANTIATE_TEST_SUITE_P(Stores,
                         ApprovalContract,
                         testing::Values(StoreMaker{"sqlite",
                                                    [](const std::filesystem::path& directory) {
                                                      return std::make_unique<SqliteStore>(
                                                          directory / "otaria.db");
                                                    }}),
                         [](const auto& maker) { return maker.param.name; });

}  // namespace
}  // namespace otaria::server
