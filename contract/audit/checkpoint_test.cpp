#include "contract/audit/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otaria::contract {
namespace {

using ::testing::HasSubstr;

/// A log of ten rows with a checkpoint behind each third of them.
class CheckpointedLog : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = rows(10);
    std::string prev{no_audit_hash};
    for (const std::int64_t last : {3, 6, 9}) {
      const Checkpoint checkpoint{
          last - 2, last, log_[static_cast<std::size_t>(last) - 1].hash, 1790000100 + last, prev};
      prev = checkpoint.identity();
      lines_.push_back(signed_checkpoint(checkpoint, key_));
    }
  }

  static std::vector<AuditRow> rows(int count, const std::string& actor = "ota_abcdefgh") {
    std::vector<AuditRow> log;
    std::string prev{no_audit_hash};
    for (int i = 1; i <= count; ++i) {
      log.push_back(chained({.at = i, .actor = actor, .verb = "update.send"}, i, prev));
      prev = log.back().hash;
    }
    return log;
  }
  [[nodiscard]] AuditVerifier::Verdict verdict() const { return verdict(key_.public_key()); }
  [[nodiscard]] AuditVerifier::Verdict verdict(const crypto::PublicKey& key) const {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    AuditVerifier verifier{text, key};
    for (const AuditRow& row : log_) {
      if (!verifier.append_line(audit_json(row))) break;
    }
    return verifier.verdict();
  }

  crypto::PrivateKey key_ = crypto::PrivateKey::generate(Algorithm::es256);
  std::vector<AuditRow> log_;
  std::vector<std::string> lines_;
};

TEST_F(CheckpointedLog, ThatNobodyTouchedHolds) {
  const auto result = verdict();
  EXPECT_EQ(result.defect, "");
  EXPECT_EQ(result.rows, 10);
  EXPECT_EQ(result.checkpoints, 3u);
}

TEST_F(CheckpointedLog, WhoseTailWasCutIsFound) {
  log_.resize(8);
  const auto result = verdict();
  EXPECT_EQ(result.first_bad, 9);
  EXPECT_THAT(result.defect, HasSubstr("its tail was cut"));
  log_.clear();
  EXPECT_EQ(verdict().first_bad, 1);
}

TEST_F(CheckpointedLog, WrittenAnewWithAFlawlessChainIsFound) {
  log_ = rows(10, "somebody else");
  EXPECT_EQ(verdict().first_bad, 1);
  EXPECT_THAT(verdict().defect, HasSubstr("written anew"));
}

TEST_F(CheckpointedLog, WithAChangedRowNamesIt) {
  log_[4].subject = "other";
  EXPECT_EQ(verdict().first_bad, 5);
}

TEST_F(CheckpointedLog, WithoutOneOfItsCheckpointsIsFound) {
  for (std::size_t gone = 0; gone < 2; ++gone) {
    auto kept = lines_;
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_THAT(verdict().defect, HasSubstr("does not follow")) << gone;
    lines_ = kept;
  }
}

TEST_F(CheckpointedLog, WithCheckpointsOfAnotherKeyIsFound) {
  const auto other = crypto::PrivateKey::generate(Algorithm::es256);
  EXPECT_THAT(verdict(other.public_key()).defect, HasSubstr("another key"));
}

TEST_F(CheckpointedLog, WithAnyCharacterOfACheckpointChangedIsFound) {
  const std::string whole = lines_[1];
  for (std::size_t place = 0; place < whole.size(); ++place) {
    lines_[1] = whole;
    lines_[1][place] = whole[place] == 'A' ? 'B' : 'A';
    EXPECT_NE(verdict().defect, "") << place;
  }
}

TEST(Checkpoint, OfAnotherFormIsNone) {
  auto key = crypto::PrivateKey::generate(Algorithm::es256);
  std::string why;
  const std::vector<std::string> payloads{
      "{}",
      "[]",
      "nonsense",
      R"({"at":1,"first":5,"hash":"","last":4,"prev_checkpoint":""})",
      R"({"at":1, "first":1,"hash":"","last":4,"prev_checkpoint":""})",
      R"({"at":1,"first":"1","hash":"","last":4,"prev_checkpoint":""})"};
  for (const std::string& payload : payloads) {
    const std::string line = crypto::compact_jws(audit_kind.type, payload, key);
    EXPECT_FALSE(checkpoint_from(line, key.public_key(), why)) << payload;
  }
  // The same key may sign other things; they are no checkpoints.
  const Checkpoint checkpoint{1, 2, std::string(64, 'a'), 3};
  const std::string good = signed_checkpoint(checkpoint, key);
  ASSERT_TRUE(checkpoint_from(good, key.public_key(), why));
  const std::string payload = *crypto::from_base64url(
      good.substr(good.find('.') + 1, good.rfind('.') - good.find('.') - 1));
  const std::string manifest = crypto::compact_jws(manifest_kind.type, payload, key);
  EXPECT_FALSE(checkpoint_from(manifest, key.public_key(), why));
  EXPECT_THAT(why, HasSubstr("wrong_type"));
}

}  // namespace
}  // namespace otaria::contract
