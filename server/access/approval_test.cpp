#include "server/access/approval.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

constexpr std::int64_t now = 1'790'000'000;

Caller caller_of(const std::string& person, Role role = Role::operator_) {
  Caller caller;
  caller.actor = "ota_" + person + "tok";
  caller.roles = std::string{name_of(role)};
  caller.rights = rights_of(role);
  caller.person = person;
  return caller;
}

Approval asked_by_alice() {
  Approval approval;
  approval.id = "01J00000000000000000000000";
  approval.digest = std::string(64, 'a');
  approval.requester = "ota_alicetok";
  approval.person = "alice";
  approval.created_at = now;
  approval.expires_at = now + 3600;
  return approval;
}

std::string code_of(const std::optional<Refusal>& refusal) {
  return refusal ? refusal->code : "";
}

TEST(Approval, AnotherPersonMayApproveWhatHasTheDigestThatHeNames) {
  const Approval asked = asked_by_alice();
  EXPECT_EQ(code_of(refusal_of_approval(asked, caller_of("bob"), asked.digest, now)), "");
  EXPECT_EQ(code_of(refusal_of_approval(asked, caller_of("bob"), std::string(64, 'b'), now)),
            "approval_mismatch");
  EXPECT_EQ(code_of(refusal_of_approval(asked, caller_of("bob"), "", now)), "approval_mismatch");
}

TEST(Approval, TheSamePersonIsRefusedWithASecondTokenToo) {
  const Approval asked = asked_by_alice();
  Caller second = caller_of("alice");
  second.actor = "ota_another2";
  EXPECT_EQ(code_of(refusal_of_approval(asked, second, asked.digest, now)), "same_person");
  Caller renamed = caller_of("bob");
  renamed.actor = asked.requester;
  EXPECT_EQ(code_of(refusal_of_approval(asked, renamed, asked.digest, now)), "same_person");
}

TEST(Approval, WhoDoesNotSayWhoHeIsNeitherAsksNorApproves) {
  const Approval asked = asked_by_alice();
  EXPECT_EQ(code_of(refusal_of_request(caller_of(""))), "person_unknown");
  EXPECT_EQ(code_of(refusal_of_request(caller_of("bob"))), "");
  EXPECT_EQ(code_of(refusal_of_approval(asked, caller_of(""), asked.digest, now)),
            "person_unknown");
}

TEST(Approval, ItEndsAtItsLastSecondAndIsDecidedOnce) {
  Approval asked = asked_by_alice();
  const Caller bob = caller_of("bob");
  EXPECT_EQ(code_of(refusal_of_approval(asked, bob, asked.digest, now + 3599)), "");
  EXPECT_EQ(code_of(refusal_of_approval(asked, bob, asked.digest, now + 3600)), "approval_expired");
  EXPECT_EQ(code_of(refusal_of_rejection(asked, bob, now + 3600)), "approval_expired");
  for (const ApprovalState state : {ApprovalState::done, ApprovalState::rejected}) {
    asked.state = state;
    EXPECT_EQ(code_of(refusal_of_approval(asked, bob, asked.digest, now)), "approval_decided");
    EXPECT_EQ(code_of(refusal_of_rejection(asked, bob, now)), "approval_decided");
    EXPECT_EQ(state_at(asked, now + 9999), state);
  }
}

TEST(Approval, TheRightOfTheVerbIsNeededToDecide) {
  Approval asked = asked_by_alice();
  const auto refusal_for = [&](Role role) {
    return code_of(refusal_of_approval(asked, caller_of("bob", role), asked.digest, now));
  };
  EXPECT_EQ(refusal_for(Role::viewer), "forbidden");
  EXPECT_EQ(refusal_for(Role::operator_), "");
  asked.verb = ApprovalVerb::keylist_publish;
  EXPECT_EQ(refusal_for(Role::operator_), "forbidden");
  EXPECT_EQ(refusal_for(Role::admin), "");
}

TEST(Approval, TheRequesterMayTakeItBack) {
  EXPECT_EQ(code_of(refusal_of_rejection(asked_by_alice(), caller_of("alice"), now)), "");
}

TEST(Approval, NamesOfPersonsHaveOneSpelling) {
  for (const char* good : {"alice", "oidc:4711", "a.b+c@example.org", "x"}) {
    EXPECT_TRUE(is_person(good)) << good;
  }
  for (const std::string& bad :
       {std::string{}, std::string{"Alice"}, std::string{"a b"}, std::string(65, 'a')}) {
    EXPECT_FALSE(is_person(bad)) << bad;
  }
}

TEST(Approval, VerbsAndStatesAreFoundByTheirNames) {
  for (const ApprovalVerbRow& row : approval_verbs()) {
    EXPECT_EQ(approval_verb_from(row.name), row.verb);
  }
  EXPECT_EQ(approval_verb_from("rollout"), std::nullopt);
  EXPECT_EQ(approval_state_from("rejected"), ApprovalState::rejected);
  EXPECT_EQ(approval_state_from("Done"), std::nullopt);
}

}  // namespace
}  // namespace otaria::server
