#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/keys/key_list_draft.hpp"
#include "operator/keys/key_list_signing.hpp"
#include "operator/keys/signed_text.hpp"

namespace otaria::keys {
namespace {

using contract::Algorithm;
using contract::KeyListRefusal;
using contract::KeyRole;
using crypto::PrivateKey;
using ::testing::ElementsAre;

template <class Work>
std::string code_of(Work work) {
  try {
    work();
  } catch (const KeyError& error) {
    EXPECT_FALSE(error.hint.empty());
    return error.code;
  }
  return "accepted";
}

/// Three roots of which two must sign, and one release key.
class KeyListTest : public ::testing::Test {
 protected:
  PrivateKey a_ = PrivateKey::generate(Algorithm::es256);
  PrivateKey b_ = PrivateKey::generate(Algorithm::es256);
  PrivateKey c_ = PrivateKey::generate(Algorithm::es256);
  PrivateKey release_ = PrivateKey::generate(Algorithm::es256);

  KeyListDraft draft() {
    KeyListDraft list;
    list.issued = 1790000000;
    list.expires = 1853072000;
    list.threshold_of(KeyRole::root) = 2;
    for (const PrivateKey* root : {&a_, &b_, &c_})
      list.keys.push_back({root->public_key(), KeyRole::root});
    list.keys.push_back({release_.public_key(), KeyRole::release});
    return list;
  }
  static std::string signed_by(const KeyListDraft& list, const std::vector<PrivateKey*>& signers) {
    KeyListText text = read_key_list_text(payload_of(list));
    for (PrivateKey* signer : signers) text = read_key_list_text(sign_key_list(text, "", *signer));
    return text.text;
  }
};

TEST_F(KeyListTest, PayloadIsSortedCompactAndReadBackTheSame) {
  KeyListDraft list = draft();
  list.keys.clear();
  list.threshold_of(KeyRole::root) = 1;
  const crypto::PublicKey root = a_.public_key();
  const crypto::PublicKey signing = release_.public_key();
  list.keys = {{root, KeyRole::root}, {signing, KeyRole::release}};
  list.floors["sensor"] = 3;
  list.pins["fw.example"] = {crypto::base64url(crypto::sha256("spki").bytes)};
  list.revoked = {"0123456789abcdef"};
  const std::string pub = root.base64url();
  EXPECT_EQ(
      payload_of(list),
      R"({"epoch":0,"expires":1853072000,"floor":{"sensor":3},"fmt":1,"issued":1790000000,)"
      R"("keys":[{"alg":"ES256","kid":")" +
          root.key_id() + R"(","pub":")" + pub + R"(","roles":["root"]},)" +
          R"({"alg":"ES256","kid":")" + signing.key_id() + R"(","pub":")" + signing.base64url() +
          R"(","roles":["release"]}],"pins":{"fw.example":[")" + list.pins["fw.example"].front() +
          R"("]},"revoked":["0123456789abcdef"],"serial":1,"threshold":{"release":1,"root":1}})");
  EXPECT_EQ(payload_of(draft_of(payload_of(list))), payload_of(list));
}

TEST_F(KeyListTest, RefusesAListThatLeavesTheFleetWithoutKeys) {
  const auto code = [&](auto change) {
    KeyListDraft list = draft();
    change(list);
    return code_of([&] { payload_of(list); });
  };
  EXPECT_EQ(code([](KeyListDraft&) {}), "accepted");
  EXPECT_EQ(code([](KeyListDraft& l) { l.keys.pop_back(); }), "below_threshold");  // no release key
  EXPECT_EQ(code([](KeyListDraft& l) { l.threshold_of(KeyRole::release) = 2; }), "below_threshold");
  EXPECT_EQ(code([](KeyListDraft& l) { l.threshold_of(KeyRole::root) = 4; }), "below_threshold");
  EXPECT_EQ(code([](KeyListDraft& l) { l.threshold_of(KeyRole::order) = 1; }), "below_threshold");
  EXPECT_EQ(code([](KeyListDraft& l) { l.threshold_of(KeyRole::root) = 0; }), "bad_key_list");
  EXPECT_EQ(code([](KeyListDraft& l) { l.serial = 0; }), "bad_key_list");
  EXPECT_EQ(code([](KeyListDraft& l) { l.expires = l.issued; }), "bad_key_list");
  EXPECT_EQ(code([](KeyListDraft& l) { l.keys.push_back(l.keys.front()); }), "bad_key_list");
  EXPECT_EQ(code([](KeyListDraft& l) { l.floors["a b"] = 1; }), "bad_key_list");
  EXPECT_EQ(code([](KeyListDraft& l) { l.pins["host"] = {"short"}; }), "bad_key_list");
  EXPECT_EQ(code([](KeyListDraft& l) { l.pins["host name"] = {std::string(43, 'A')}; }),
            "bad_key_list");
  EXPECT_EQ(
      code([](KeyListDraft& l) {
        for (int i = 0; i < 9; ++i)
          l.keys.push_back({PrivateKey::generate(Algorithm::es256).public_key(), KeyRole::release});
      }),
      "too_many_keys");
}

TEST_F(KeyListTest, RefusesToDropMembersItDoesNotKnow) {
  const std::string known = payload_of(draft());
  const std::string unknown = "{\"a_new_member\":1," + known.substr(1);
  EXPECT_EQ(code_of([&] { draft_of(unknown); }), "unknown_member");
  EXPECT_EQ(view_of(unknown).serial, 1U);  // looking is allowed
}

TEST_F(KeyListTest, RefusesHostileTexts) {
  for (const std::string& text : {std::string(),
                                  std::string(" \n"),
                                  std::string("{}"),
                                  std::string("{\"fmt\":1"),
                                  std::string("{\"fmt\":1,\"fmt\":1}"),
                                  std::string("null"),
                                  std::string("a.b.c\n"),
                                  std::string("..\n"),
                                  std::string(9000, 'A'),
                                  std::string(100, '\0'),
                                  std::string(5000, '{')}) {
    EXPECT_EQ(code_of([&] { draft_of(read_key_list_text(text).payload); }), "bad_key_list")
        << text.substr(0, 40);
  }
}

TEST_F(KeyListTest, IsAcceptedOnceTheThresholdHasSigned) {
  const KeyListDraft list = draft();
  const auto one = judge(signed_by(list, {&a_}), "");
  EXPECT_EQ(one.refusal, KeyListRefusal::new_threshold);
  EXPECT_EQ(one.valid, 1U);
  EXPECT_EQ(one.needed, 2U);
  EXPECT_EQ(words_of(one).code, "new_threshold");
  EXPECT_TRUE(judge(signed_by(list, {&a_, &c_}), "").ok());
  EXPECT_TRUE(judge(signed_by(list, {&c_, &b_, &a_}), "").ok());
}

TEST_F(KeyListTest, KeepsItsPayloadByteForByteWhileRootsSign) {
  const std::string payload = payload_of(draft());
  const KeyListText first = read_key_list_text(signed_by(draft(), {&a_}));
  const KeyListText second = read_key_list_text(sign_key_list(first, "", b_));
  EXPECT_EQ(first.payload, payload);
  EXPECT_EQ(second.payload, payload);
  EXPECT_TRUE(second.text.starts_with(first.text));
  EXPECT_EQ(std::count(second.text.begin(), second.text.end(), '\n'), 2);
  EXPECT_TRUE(second.text.ends_with('\n'));
}

// A person may edit the working file; what is signed is in the one form all the same.
TEST_F(KeyListTest, BringsAnEditedWorkingFileIntoItsForm) {
  std::string edited = payload_of(draft());
  edited.replace(0, 1, "{\n  ");
  const KeyListText text = read_key_list_text("\n" + edited + "\n\n");
  EXPECT_FALSE(text.is_signed());
  EXPECT_EQ(read_key_list_text(sign_key_list(text, "", a_)).payload, payload_of(draft()));
}

TEST_F(KeyListTest, TakesOnlyRootsOfTheListOrOfTheOneBefore) {
  const KeyListText unsigned_list = read_key_list_text(payload_of(draft()));
  PrivateKey stranger = PrivateKey::generate(Algorithm::es256);
  EXPECT_EQ(code_of([&] { sign_key_list(unsigned_list, "", stranger); }), "not_a_root");
  EXPECT_EQ(code_of([&] { sign_key_list(unsigned_list, "", release_); }), "not_a_root");

  // Root c leaves with list 2, and signs it as a root of list 1.
  const std::string before = signed_by(draft(), {&a_, &b_});
  KeyListDraft next = draft();
  next.serial = 2;
  std::erase_if(next.keys,
                [&](const auto& each) { return each.key.key_id() == c_.public_key().key_id(); });
  const KeyListText list = read_key_list_text(payload_of(next));
  EXPECT_EQ(code_of([&] { sign_key_list(list, "", c_); }), "not_a_root");
  EXPECT_EQ(code_of([&] { sign_key_list(list, before, c_); }), "accepted");
}

TEST_F(KeyListTest, CountsARootOnce) {
  const KeyListText text = read_key_list_text(signed_by(draft(), {&a_}));
  EXPECT_EQ(code_of([&] { sign_key_list(text, "", a_); }), "already_signed");
}

TEST_F(KeyListTest, IsNotSignedFurtherOverABrokenSignature) {
  std::string text = signed_by(draft(), {&a_});
  const std::size_t at = text.rfind('.') + 5;
  text[at] = text[at] == 'A' ? 'B' : 'A';
  const KeyListText broken = read_key_list_text(text);
  EXPECT_EQ(code_of([&] { sign_key_list(broken, "", b_); }), "bad_signature");
  EXPECT_EQ(judge(text, "").refusal, KeyListRefusal::bad_signature);
  EXPECT_EQ(signatures_of(text, "").front().standing, SignatureStanding::invalid);
}

TEST_F(KeyListTest, JudgesTheNextListByBothLists) {
  const std::string before = signed_by(draft(), {&a_, &b_});
  KeyListDraft next = draft();
  next.serial = 2;
  EXPECT_TRUE(judge(signed_by(next, {&b_, &c_}), before).ok());
  EXPECT_EQ(judge(before, before).refusal, KeyListRefusal::not_newer);
  KeyListDraft other = draft();
  other.floors["sensor"] = 9;
  EXPECT_EQ(judge(signed_by(other, {&a_, &b_}), before).refusal, KeyListRefusal::same_serial);
  next.serial = 1002;
  EXPECT_EQ(judge(signed_by(next, {&a_, &b_}), before).refusal, KeyListRefusal::too_far);
  next.serial = 2;
  next.issued = 1;
  next.expires = 1000;  // before the list in force was even made
  EXPECT_EQ(judge(signed_by(next, {&a_, &b_}), before).refusal, KeyListRefusal::expired);
}

// Whoever holds the roots of a list of his own making still has none of the fleet's.
TEST_F(KeyListTest, RefusesAListOfStrangers) {
  const std::string before = signed_by(draft(), {&a_, &b_});
  PrivateKey thief = PrivateKey::generate(Algorithm::es256);
  KeyListDraft taken = draft();
  taken.serial = 2;
  taken.threshold_of(KeyRole::root) = 1;
  taken.keys = {{thief.public_key(), KeyRole::root}, {release_.public_key(), KeyRole::release}};
  const auto verdict = judge(signed_by(taken, {&thief}), before);
  EXPECT_EQ(verdict.refusal, KeyListRefusal::old_threshold);
  EXPECT_EQ(verdict.valid, 0U);
}

TEST_F(KeyListTest, ShowsHowEachSignatureStands) {
  const std::string text = signed_by(draft(), {&a_, &b_});
  std::vector<std::string> valid;
  for (const auto& each : signatures_of(text, "")) {
    EXPECT_EQ(each.standing, SignatureStanding::valid);
    valid.push_back(each.key_id);
  }
  EXPECT_THAT(valid, ElementsAre(a_.public_key().key_id(), b_.public_key().key_id()));
}

TEST_F(KeyListTest, HasWordsForEveryRefusal) {
  for (int i = 1; i <= static_cast<int>(KeyListRefusal::expired); ++i) {
    contract::KeyListVerdict verdict;
    verdict.refusal = static_cast<KeyListRefusal>(i);
    const KeyError error = words_of(verdict);
    EXPECT_EQ(error.code, name_of(verdict.refusal));
    EXPECT_TRUE(error.detail.ends_with('.'));
    EXPECT_FALSE(error.hint.empty());
  }
}

}  // namespace
}  // namespace otaria::keys
