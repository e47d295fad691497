#include "server/identity/issuer.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "contract/token/checker.hpp"
#include "server/identity/testing/desk.hpp"

namespace otaria::server {
namespace {

class Issuing : public testing::Desk {
 protected:
  MintedToken mint() {
    MintedToken minted = issuer_->mint({"otariad-1", "otariad-1", server_rules()}, now_);
    store_->write([&](StoreTransaction& t) { t.add_broker_token(minted.record); });
    return minted;
  }
  bool verifies(const MintedToken& minted) {
    const auto keys = token::KeySet::parse(issuer_->jwks());
    return keys.keys && token::TokenChecker{}
                            .check(minted.text,
                                   {.username = "otariad-1", .client_id = "otariad-1"},
                                   *keys.keys,
                                   {},
                                   now_)
                            .ok();
  }
  std::size_t published() { return issuer_->keys(now_).size(); }
  std::vector<std::filesystem::path> key_files() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{directory_ / "keys"}) {
      files.push_back(entry.path());
    }
    return files;
  }
  Outcome<IssuerKey> rotate(const Issuer::Rotation& rotation = {}) {
    contract::AuditEvent audit;
    audit.at = now_;
    audit.verb = "issuer.rotate";
    audit.actor = "ota_abcdefgh";
    return issuer_->rotate(rotation, audit, now_);
  }
};

TEST_F(Issuing, TheKeyOfTheFirstStartIsAFileOfItsOwnerAloneAndStays) {
  ASSERT_EQ(key_files().size(), 1u);
  struct stat about {};
  ASSERT_EQ(stat(key_files()[0].c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  const MintedToken before = mint();
  const std::string jwks = issuer_->jwks();
  open({});
  EXPECT_EQ(issuer_->jwks(), jwks);
  EXPECT_TRUE(verifies(before));
}

TEST_F(Issuing, TheKeySetHoldsPublicHalvesOnly) {
  const std::string jwks = issuer_->jwks();
  EXPECT_EQ(jwks.find("\"d\""), std::string::npos);
  EXPECT_TRUE(token::KeySet::parse(jwks).keys);
}

TEST_F(Issuing, NoTwoTokensHaveTheSameId) {
  EXPECT_NE(mint().record.jti, mint().record.jti);
}

TEST_F(Issuing, ANewKeyIsPublishedBeforeItSignsAndTheOldOneUntilItsTokensHaveExpired) {
  const std::string old_kid = mint().record.kid;
  ASSERT_TRUE(rotate());
  EXPECT_EQ(last_audit().substr(0, 14), "issuer.rotate ");
  EXPECT_EQ(published(), 2u);
  const std::int64_t lead = 86'400 + 600;
  now_ += lead - 1;
  const MintedToken last = mint();
  EXPECT_EQ(last.record.kid, old_kid);
  now_ += 1;
  const MintedToken first = mint();
  EXPECT_NE(first.record.kid, old_kid);
  EXPECT_TRUE(verifies(first));
  EXPECT_TRUE(verifies(last));  // nobody is dropped
  EXPECT_FALSE(issuer_->drop_expired(now_));
  now_ = last.record.expires_at - 1;
  EXPECT_TRUE(verifies(last));
  EXPECT_FALSE(issuer_->drop_expired(now_));
  now_ = first.record.issued_at + 86'400 + 601;
  EXPECT_TRUE(issuer_->drop_expired(now_));
  EXPECT_EQ(published(), 1u);
  EXPECT_EQ(key_files().size(), 1u);
  EXPECT_TRUE(verifies(mint()));
}

TEST_F(Issuing, ARotationSurvivesARestart) {
  const MintedToken before = mint();
  ASSERT_TRUE(rotate());
  open({});
  EXPECT_EQ(published(), 2u);
  EXPECT_EQ(mint().record.kid, before.record.kid);
  now_ += 86'400 + 600;
  open({});
  EXPECT_NE(mint().record.kid, before.record.kid);
}

TEST_F(Issuing, OneRotationAtATime) {
  ASSERT_TRUE(rotate());
  const auto second = rotate();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.refusal().code, "rotation_pending");
}

TEST_F(Issuing, ALeadMayBeGivenForOneRotation) {
  const std::string old_kid = mint().record.kid;
  ASSERT_TRUE(rotate({.lead_s = 10}));
  now_ += 10;
  EXPECT_NE(mint().record.kid, old_kid);
}

TEST_F(Issuing, AStolenKeyEndsAtOnceWithEverythingItSigned) {
  const MintedToken before = mint();
  ASSERT_TRUE(rotate());
  ASSERT_TRUE(rotate({.withdraw_old = true}));
  EXPECT_EQ(published(), 1u);
  EXPECT_EQ(key_files().size(), 1u);
  EXPECT_FALSE(verifies(before));
  EXPECT_TRUE(verifies(mint()));
}

TEST_F(Issuing, ALostKeyFileIsReplacedAndWhatItSignedStaysGood) {
  const MintedToken before = mint();
  std::filesystem::remove(key_files()[0]);
  open({});
  EXPECT_NE(mint().record.kid, before.record.kid);
  EXPECT_TRUE(verifies(before));
}

TEST_F(Issuing, AKeyFileThatOthersCanReadStopsTheStart) {
  chmod(key_files()[0].c_str(), 0644);
  EXPECT_THROW(open({}), crypto::CryptoError);
}

TEST_F(Issuing, AKeyFileOfAnotherKeyStopsTheStart) {
  crypto::write_secret_file(key_files()[0],
                            crypto::PrivateKey::generate(contract::Algorithm::es256).pem());
  EXPECT_THROW(open({}), crypto::CryptoError);
}

TEST_F(Issuing, TokensLiveAsLongAsConfigured) {
  open({.life_s = 300});
  const MintedToken minted = mint();
  EXPECT_EQ(minted.record.expires_at, now_ + 300);
  now_ += 299;
  EXPECT_TRUE(verifies(minted));
  now_ += 31;  // and the leeway of whoever checks
  EXPECT_FALSE(verifies(minted));
}

TEST_F(Issuing, AClockSetBackBeforeEveryKeyStillFindsOneToSignWith) {
  now_ -= 1'000'000;
  EXPECT_FALSE(mint().text.empty());
}

}  // namespace
}  // namespace otaria::server
