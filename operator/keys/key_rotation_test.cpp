#include "operator/keys/key_rotation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "operator/keys/key_error.hpp"

namespace otaria::keys {
namespace {

using contract::Algorithm;
using contract::KeyRole;
using crypto::PublicKey;
using ::testing::ElementsAre;

template <class Work>
std::string code_of(Work work) {
  try {
    work();
  } catch (const KeyError& error) {
    return error.code;
  }
  return "accepted";
}

PublicKey new_key() {
  return crypto::PrivateKey::generate(Algorithm::es256).public_key();
}

KeyListDraft list_of(std::uint32_t serial,
                     std::uint32_t threshold,
                     const std::vector<PublicKey>& roots,
                     const std::vector<PublicKey>& releases) {
  KeyListDraft list;
  list.serial = serial;
  list.issued = 1790000000;
  list.expires = 1853072000;
  list.threshold_of(KeyRole::root) = threshold;
  for (const auto& key : roots) list.keys.push_back({key, KeyRole::root});
  for (const auto& key : releases) list.keys.push_back({key, KeyRole::release});
  return list;
}

class Rotation : public ::testing::Test {
 protected:
  PublicKey a_ = new_key();
  PublicKey b_ = new_key();
  PublicKey c_ = new_key();
  PublicKey d_ = new_key();
  PublicKey old_ = new_key();
  PublicKey new_ = new_key();
  KeyListDraft before_ = list_of(7, 2, {a_, b_, c_}, {old_});

  std::map<std::uint32_t, KeyListDraft> server_;
  Reach reach(std::uint32_t held, const KeyListDraft& next) {
    return reach_of(held, before_, next, [&](std::uint32_t serial) {
      const auto found = server_.find(serial);
      return found == server_.end() ? std::nullopt : std::optional{found->second};
    });
  }
};

TEST_F(Rotation, NextListHasTheNextSerialAndIsNeverIssuedEarlier) {
  const KeyListDraft next = next_list(before_, 1790000500, 730);
  EXPECT_EQ(next.serial, 8U);
  EXPECT_EQ(next.issued, 1790000500U);
  EXPECT_EQ(next.expires, 1790000500U + 730U * 86400U);
  EXPECT_EQ(next_list(before_, 1700000000, 1).issued, before_.issued);  // a clock that is behind
}

TEST_F(Rotation, GoesThroughAListWithBothKeysToOneWithTheNew) {
  KeyListDraft both = next_list(before_, 1790000500, 730);
  add_key(both, new_, KeyRole::release);
  EXPECT_THAT(both.ids_of(KeyRole::release), ElementsAre(old_.key_id(), new_.key_id()));
  EXPECT_EQ(code_of([&] { payload_of(both); }), "accepted");
  KeyListDraft after = next_list(both, 1790000900, 730);
  remove_key(after, old_.key_id());
  EXPECT_THAT(after.ids_of(KeyRole::release), ElementsAre(new_.key_id()));
  EXPECT_EQ(code_of([&] { payload_of(after); }), "accepted");
}

TEST_F(Rotation, CannotDropTheLastReleaseKey) {
  KeyListDraft next = next_list(before_, 1790000500, 730);
  remove_key(next, old_.key_id());
  EXPECT_EQ(code_of([&] { payload_of(next); }), "below_threshold");
}

TEST_F(Rotation, CannotDropARootBelowTheThreshold) {
  KeyListDraft next = next_list(before_, 1790000500, 730);
  remove_key(next, a_.key_id());
  EXPECT_EQ(code_of([&] { payload_of(next); }), "accepted");
  remove_key(next, b_.key_id());
  EXPECT_EQ(code_of([&] { payload_of(next); }), "below_threshold");
}

TEST_F(Rotation, RefusesKeysThatAreThereRevokedOrUnknown) {
  KeyListDraft next = before_;
  EXPECT_EQ(code_of([&] { add_key(next, old_, KeyRole::release); }), "key_listed");
  EXPECT_EQ(code_of([&] { add_key(next, a_, KeyRole::release); }), "key_listed");
  revoke_key(next, old_.key_id());
  EXPECT_EQ(code_of([&] { add_key(next, old_, KeyRole::release); }), "key_revoked");
  EXPECT_EQ(code_of([&] { remove_key(next, old_.key_id()); }), "unknown_key");
  EXPECT_EQ(code_of([&] { revoke_key(next, "0123456789abcdef"); }), "unknown_key");
}

TEST_F(Rotation, ARevokedKeyIsNamedAndReplacedInOneList) {
  KeyListDraft next = next_list(before_, 1790000500, 730);
  revoke_key(next, old_.key_id());
  add_key(next, new_, KeyRole::release);
  EXPECT_THAT(next.revoked, ElementsAre(old_.key_id()));
  EXPECT_EQ(code_of([&] { payload_of(next); }), "accepted");
}

TEST_F(Rotation, TheSeventeenthRevocationDropsTheOldest) {
  KeyListDraft next = before_;
  for (int i = 0; i < 16; ++i)
    next.revoked.push_back("000000000000000" + std::string(1, "0123456789abcdef"[i]));
  revoke_key(next, old_.key_id());
  EXPECT_EQ(next.revoked.size(), 16U);
  EXPECT_EQ(next.revoked.front(), "0000000000000001");
  EXPECT_EQ(next.revoked.back(), old_.key_id());
}

TEST_F(Rotation, PlansWhoMustSign) {
  KeyListDraft next = list_of(8, 2, {a_, b_, d_}, {old_});
  const SigningPlan plan = plan_signatures(before_, next);
  EXPECT_EQ(plan.old_needed, 2U);
  EXPECT_EQ(plan.fewest_signatures, 2U);  // a and b count for both
  EXPECT_EQ(plan_signatures(before_, list_of(8, 2, {a_, d_, new_}, {old_})).fewest_signatures, 3U);
  EXPECT_EQ(code_of([&] {
              plan_signatures(before_, list_of(8, 3, {d_, new_, new_key()}, {old_}));
            }),
            "too_many_signatures");
}

TEST_F(Rotation, DevicesThatKnowEnoughRootsFollowDirectly) {
  const KeyListDraft next = list_of(8, 2, {a_, b_, c_}, {new_});
  server_[3] = list_of(3, 2, {a_, b_}, {old_});
  EXPECT_EQ(reach(7, next), Reach::direct);
  EXPECT_EQ(reach(3, next), Reach::direct);
}

TEST_F(Rotation, DevicesWithOldRootsFollowOverTheListsBetween) {
  const KeyListDraft next = list_of(8, 2, {a_, b_, c_}, {new_});
  server_[5] = list_of(5, 2, {c_, d_, new_}, {old_});  // only c is still there
  EXPECT_EQ(reach(5, next), Reach::unreachable);       // list 6 is missing
  server_[6] = list_of(6, 2, {b_, c_, d_}, {old_});
  EXPECT_EQ(reach(5, next), Reach::stepwise);
}

TEST_F(Rotation, DevicesThatNobodyCanReachAreNamed) {
  const KeyListDraft next = list_of(8, 2, {a_, b_, c_}, {new_});
  EXPECT_EQ(reach(4, next), Reach::unreachable);  // the server does not have its list
  EXPECT_EQ(reach(0, next), Reach::unreachable);
  EXPECT_EQ(reach(9, next), Reach::unreachable);  // newer than the list in force
  before_.serial = 1500;
  KeyListDraft far = next;
  far.serial = 1501;
  server_[400] = list_of(400, 2, {a_, b_, c_}, {old_});
  EXPECT_EQ(reach(400, far), Reach::unreachable);  // more than 1,000 above
}

TEST_F(Rotation, TellsARootWhatChanges) {
  KeyListDraft next = next_list(before_, 1790000500, 730);
  revoke_key(next, old_.key_id());
  add_key(next, new_, KeyRole::release);
  next.floors["sensor"] = 4;
  EXPECT_THAT(differences(before_, next),
              ::testing::UnorderedElementsAre("- release key " + old_.key_id() + " (ES256)",
                                              "+ release key " + new_.key_id() + " (ES256)",
                                              "+ revoked " + old_.key_id(),
                                              "+ floor sensor: 4"));
  EXPECT_TRUE(differences(next, next).empty());
  EXPECT_EQ(differences(std::nullopt, before_).size(), 8U);  // 4 keys, 3 thresholds, the epoch
}

}  // namespace
}  // namespace otaria::keys
