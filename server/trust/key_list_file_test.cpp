#include "server/trust/key_list_file.hpp"

#include <gtest/gtest.h>

#include "server/trust/testing/signing.hpp"

namespace otaria::server {
namespace {

using signing::key_list;
using signing::ListSpec;
using signing::Signers;

constexpr std::int64_t now = 1'800'000'000;

class KeyListFile : public testing::Test {
 protected:
  ListSpec spec(std::uint32_t serial) {
    return {.serial = serial, .root_threshold = 2, .roots = {&a_, &b_, &c_}, .releases = {&r_}};
  }
  StoredKeyList stored(const ListSpec& list, const Signers& by) {
    auto judged = judge_key_list_file(key_list(list, by), std::nullopt, now);
    EXPECT_TRUE(judged) << judged.refusal().detail;
    return judged.value();
  }
  static std::string code(const std::string& file,
                          const std::optional<StoredKeyList>& newest,
                          std::int64_t at = now) {
    const auto judged = judge_key_list_file(file, newest, at);
    return judged ? "accepted" : judged.refusal().code;
  }

  crypto::PrivateKey a_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  crypto::PrivateKey b_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  crypto::PrivateKey c_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  crypto::PrivateKey d_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  crypto::PrivateKey r_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
};

TEST_F(KeyListFile, TheFirstIsJudgedByItsOwnRoots) {
  EXPECT_EQ(code(key_list(spec(7), {&a_, &c_}), std::nullopt), "accepted");
  EXPECT_EQ(code(key_list(spec(7), {&a_}), std::nullopt), "bad_signature");
  EXPECT_EQ(code(key_list(spec(7), {&a_, &a_}), std::nullopt), "bad_signature");
  EXPECT_EQ(code(key_list(spec(7), {&a_, &d_}), std::nullopt), "bad_signature");
}

TEST_F(KeyListFile, ANewOneNeedsTheRootsOfTheOldAndItsOwn) {
  const StoredKeyList old = stored(spec(1), {&a_, &b_});
  ListSpec next = spec(2);
  next.roots = {&a_, &b_, &d_};  // c_ was lost
  EXPECT_EQ(code(key_list(next, {&a_, &b_}), old), "accepted");
  EXPECT_EQ(code(key_list(next, {&a_, &d_}), old), "bad_signature") << "1 root of the old list";
  ListSpec taken_over = spec(2);
  taken_over.root_threshold = 1;
  taken_over.roots = {&d_};
  EXPECT_EQ(code(key_list(taken_over, {&d_}), old), "bad_signature");
}

TEST_F(KeyListFile, SerialsRiseByOneToAThousand) {
  const StoredKeyList old = stored(spec(5), {&a_, &b_});
  EXPECT_EQ(code(key_list(spec(4), {&a_, &b_}), old), "keylist_not_newer");
  EXPECT_EQ(code(key_list(spec(1005), {&a_, &b_}), old), "accepted");
  EXPECT_EQ(code(key_list(spec(1006), {&a_, &b_}), old), "keylist_too_far");
}

TEST_F(KeyListFile, TwoListsOfOneSerialAreAConflict) {
  const StoredKeyList old = stored(spec(5), {&a_, &b_});
  ListSpec other = spec(5);
  other.floor = {{"sensor", 9}};
  EXPECT_EQ(code(key_list(other, {&a_, &b_}), old), "keylist_conflict");
}

TEST_F(KeyListFile, TheSameListAgainIsTheStoredOne) {
  const StoredKeyList old = stored(spec(5), {&a_, &b_});
  const auto again = judge_key_list_file(key_list(spec(5), {&b_, &c_}), old, now + 1);
  ASSERT_TRUE(again);
  EXPECT_EQ(again.value().file, old.file);
  EXPECT_EQ(again.value().created_at, old.created_at);
}

TEST_F(KeyListFile, AnExpiredOneIsRefused) {
  ListSpec old = spec(1);
  old.expires = now - 1;
  EXPECT_EQ(code(key_list(old, {&a_, &b_}), std::nullopt), "keylist_expired");
}

TEST_F(KeyListFile, WhatIsNoListIsRefused) {
  const std::string good = key_list(spec(1), {&a_, &b_});
  EXPECT_EQ(code("", std::nullopt), "bad_keylist");
  EXPECT_EQ(code("<html>", std::nullopt), "bad_keylist");
  EXPECT_EQ(code(good + "x", std::nullopt), "bad_keylist");
  EXPECT_EQ(code(good + good, std::nullopt), "bad_keylist");
  EXPECT_EQ(code(std::string(8193, 'A'), std::nullopt), "too_large");
  ListSpec shared = spec(1);
  shared.releases = {&a_};  // a root that also signs releases
  EXPECT_EQ(code(key_list(shared, {&a_, &b_}), std::nullopt), "bad_keylist");
  std::string bent = good;
  bent[good.find('.') + 30] = bent[good.find('.') + 30] == 'A' ? 'B' : 'A';
  EXPECT_NE(code(bent, std::nullopt), "accepted");
}

TEST_F(KeyListFile, IsShownAsItStandsThere) {
  ListSpec list = spec(3);
  list.revoked = {"0123456789abcdef"};
  list.floor = {{"gateway", 4}, {"sensor", 3}};
  const KeyListContent content = content_of(stored(list, {&a_, &b_}));
  ASSERT_EQ(content.keys.size(), 4u);
  EXPECT_EQ(content.keys[0].id, a_.public_key().key_id());
  EXPECT_EQ(content.keys[0].public_key, a_.public_key().base64url());
  EXPECT_EQ(content.keys[3].role, "release");
  EXPECT_EQ(content.revoked, list.revoked);
  ASSERT_EQ(content.floors.size(), 2u);
  EXPECT_EQ(content.floors[1].second, 3u);
  ASSERT_EQ(content.pins.size(), 1u);
  EXPECT_EQ(content.pins[0].second[0], "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
  EXPECT_EQ(content.head.threshold_of(contract::KeyRole::root), 2u);
}

}  // namespace
}  // namespace otaria::server
