#include "contract/trust/judgement.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/trust/testing/signed_examples.hpp"

namespace otaria::contract {
namespace {

using testing::KeyListText;
using testing::ManifestText;
using testing::PrivateKey;
using testing::signed_file;

PrivateKey new_key() {
  return PrivateKey::generate(Algorithm::es256);
}

class JudgementTest : public ::testing::Test {
 protected:
  JudgementTest() {
    list_.roots = {&root_a_, &root_b_, &root_c_};
    list_.root_threshold = 2;
    list_.releases = {&release_a_, &release_b_};
  }

  std::string list_by(const std::vector<PrivateKey*>& signers) const {
    return signed_file(key_list_kind.type, list_.json(), signers);
  }
  static std::string manifest_by(const std::vector<PrivateKey*>& signers) {
    return signed_file(manifest_kind.type, ManifestText{}.json(), signers);
  }

  SignatureVerdict judge(const std::string& manifest) {
    const std::string held = list_by({&root_a_, &root_b_});
    MemoryFile list_file{held};
    MemoryFile file{manifest};
    KeyRing ring{list_file, hasher_};
    EXPECT_TRUE(ring.open());
    PayloadPlace payload;
    return judge_manifest_signatures(file, ring, hasher_, verifier_, payload);
  }

  KeyListVerdict follow(const std::string& held,
                        const std::string& candidate,
                        std::uint32_t time_floor = 0) {
    MemoryFile held_file{held};
    MemoryFile file{candidate};
    KeyRing ring{held_file, hasher_};
    EXPECT_TRUE(ring.open());
    return judge_key_list(file, &ring, time_floor, hasher_, verifier_);
  }

  PrivateKey root_a_ = new_key(), root_b_ = new_key(), root_c_ = new_key(), root_d_ = new_key();
  PrivateKey release_a_ = new_key(), release_b_ = new_key(), stranger_ = new_key();
  KeyListText list_;
  crypto::Sha256Hasher hasher_;
  crypto::OpenSslVerifier verifier_;
};

TEST_F(JudgementTest, AManifestByAReleaseKeyIsGood) {
  const SignatureVerdict verdict = judge(manifest_by({&release_a_}));
  EXPECT_TRUE(verdict.ok());
  EXPECT_EQ(verdict.valid, 1U);
  EXPECT_EQ(verdict.needed, 1U);
}

TEST_F(JudgementTest, AManifestByAStrangerIsUnknown) {
  const SignatureVerdict verdict = judge(manifest_by({&stranger_}));
  EXPECT_EQ(verdict.fault, Fault::unknown_key);
  EXPECT_EQ(verdict.key, stranger_.public_key().key_id());
}

TEST_F(JudgementTest, ARootKeyMaySignNoManifest) {
  EXPECT_EQ(judge(manifest_by({&root_a_, &root_b_})).fault, Fault::unknown_key);
}

TEST_F(JudgementTest, ARevokedKeyIsNamed) {
  list_.releases = {&release_b_};
  list_.revoked = {release_a_.public_key().key_id()};
  const SignatureVerdict verdict = judge(manifest_by({&release_a_}));
  EXPECT_EQ(verdict.fault, Fault::revoked_key);
  EXPECT_EQ(verdict.key, release_a_.public_key().key_id());
}

TEST_F(JudgementTest, LinesOfStrangersDoNotHarm) {
  EXPECT_TRUE(judge(manifest_by({&stranger_, &release_a_})).ok());
}

TEST_F(JudgementTest, AThresholdOfTwoNeedsTwoDistinctKeys) {
  list_.release_threshold = 2;
  EXPECT_EQ(judge(manifest_by({&release_a_})).fault, Fault::bad_signature);
  EXPECT_EQ(judge(manifest_by({&release_a_, &release_a_})).fault, Fault::bad_signature);
  EXPECT_EQ(judge(manifest_by({&release_a_, &stranger_})).fault, Fault::unknown_key);
  EXPECT_TRUE(judge(manifest_by({&release_a_, &release_b_})).ok());
}

TEST_F(JudgementTest, ALineOfAKnownKeyThatDoesNotVerifyIsFatal) {
  list_.release_threshold = 1;
  std::string text = manifest_by({&release_a_, &release_b_});
  text[text.size() - 10] = text[text.size() - 10] == 'A' ? 'B' : 'A';
  const SignatureVerdict verdict = judge(text);
  EXPECT_EQ(verdict.fault, Fault::bad_signature);
  EXPECT_EQ(verdict.key, release_b_.public_key().key_id());
}

TEST_F(JudgementTest, EveryChangedCharacterOfAManifestIsFound) {
  const std::string whole = manifest_by({&release_a_});
  for (std::size_t i = 0; i + 1 < whole.size(); i += 3) {
    std::string text = whole;
    text[i] = text[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(judge(text).ok()) << i;
  }
}

TEST_F(JudgementTest, ASignatureOverAnotherKindOfFileDoesNotCount) {
  EXPECT_EQ(judge(signed_file(key_list_kind.type, ManifestText{}.json(), {&release_a_})).defect,
            SignedDefect::wrong_type);
}

TEST_F(JudgementTest, TheKeySaysTheAlgorithm) {
  PrivateKey rsa = PrivateKey::generate(Algorithm::ps256);
  list_.releases = {&rsa, &release_a_};
  EXPECT_TRUE(judge(manifest_by({&rsa})).ok());
  // The header of an ES256 key says PS256: the algorithm must not follow the header.
  std::string text = manifest_by({&release_a_});
  const std::string header =
      crypto::base64url(R"({"alg":"PS256","kid":")" + release_a_.public_key().key_id() +
                        R"(","typ":"otaria-manifest+jws"})");
  text.replace(0, text.find('.'), header);
  EXPECT_EQ(judge(text).fault, Fault::bad_signature);
}

/// Verifies ES256 only, as a device does by default.
class SmallVerifier final : public SignatureVerifier {
 public:
  [[nodiscard]] bool supports(Algorithm algorithm) const override {
    return algorithm == Algorithm::es256;
  }
  bool verify(Algorithm algorithm,
              std::span<const std::uint8_t> public_key,
              const Digest& digest,
              std::span<const std::uint8_t> signature) override {
    return inner_.verify(algorithm, public_key, digest, signature);
  }

 private:
  crypto::OpenSslVerifier inner_;
};

TEST_F(JudgementTest, AKeyOfAnAlgorithmThatIsNotBuiltInIsPassedOver) {
  PrivateKey rsa = PrivateKey::generate(Algorithm::ps256);
  list_.releases = {&rsa, &release_a_};
  const std::string held = list_by({&root_a_, &root_b_});
  MemoryFile list_file{held};
  KeyRing ring{list_file, hasher_};
  ASSERT_TRUE(ring.open());
  SmallVerifier small;
  PayloadPlace payload;
  const std::string by_rsa = manifest_by({&rsa});
  MemoryFile rsa_file{by_rsa};
  EXPECT_EQ(judge_manifest_signatures(rsa_file, ring, hasher_, small, payload).fault,
            Fault::unknown_key);
  const std::string by_both = manifest_by({&rsa, &release_a_});
  MemoryFile both_file{by_both};
  EXPECT_TRUE(judge_manifest_signatures(both_file, ring, hasher_, small, payload).ok());
}

TEST_F(JudgementTest, AListFollowsThatOldAndNewRootsHaveSigned) {
  const std::string held = list_by({&root_a_, &root_b_});
  list_.serial = 2;
  list_.roots = {&root_b_, &root_c_, &root_d_};
  EXPECT_TRUE(follow(held, list_by({&root_b_, &root_c_})).ok());
  EXPECT_EQ(follow(held, list_by({&root_c_, &root_d_})).refusal, KeyListRefusal::old_threshold);
  EXPECT_EQ(follow(held, list_by({&root_a_, &root_b_})).refusal, KeyListRefusal::new_threshold);
  EXPECT_TRUE(follow(held, list_by({&root_a_, &root_b_, &root_d_})).ok());
}

TEST_F(JudgementTest, OneRootTwiceIsOneRoot) {
  const std::string held = list_by({&root_a_, &root_b_});
  list_.serial = 2;
  const KeyListVerdict verdict = follow(held, list_by({&root_a_, &root_a_}));
  EXPECT_EQ(verdict.refusal, KeyListRefusal::old_threshold);
  EXPECT_EQ(verdict.valid, 1U);
  EXPECT_EQ(verdict.needed, 2U);
}

TEST_F(JudgementTest, AReleaseKeyMaySignNoList) {
  const std::string held = list_by({&root_a_, &root_b_});
  list_.serial = 2;
  EXPECT_EQ(follow(held, list_by({&release_a_, &release_b_})).refusal,
            KeyListRefusal::old_threshold);
}

TEST_F(JudgementTest, NeitherRollbackNorAWideStepIsTaken) {
  list_.serial = 5;
  const std::string held = list_by({&root_a_, &root_b_});
  list_.serial = 4;
  EXPECT_EQ(follow(held, list_by({&root_a_, &root_b_})).refusal, KeyListRefusal::not_newer);
  list_.serial = 1005;
  EXPECT_TRUE(follow(held, list_by({&root_a_, &root_b_})).ok());
  list_.serial = 1006;
  EXPECT_EQ(follow(held, list_by({&root_a_, &root_b_})).refusal, KeyListRefusal::too_far);
}

TEST_F(JudgementTest, AnEqualSerialWithAnotherPayloadIsAnAlarm) {
  const std::string held = list_by({&root_a_, &root_b_});
  EXPECT_EQ(follow(held, list_by({&root_b_, &root_c_})).refusal, KeyListRefusal::not_newer);
  list_.floor = R"("sensor":1)";
  EXPECT_EQ(follow(held, list_by({&root_a_, &root_b_})).refusal, KeyListRefusal::same_serial);
}

TEST_F(JudgementTest, OnlyACertainlyExpiredListIsRefused) {
  const std::string held = list_by({&root_a_, &root_b_});
  list_.serial = 2;
  const std::string next = list_by({&root_a_, &root_b_});
  EXPECT_TRUE(follow(held, next, list_.expires).ok());
  EXPECT_EQ(follow(held, next, list_.expires + 1).refusal, KeyListRefusal::expired);
}

TEST_F(JudgementTest, AListAloneMustMeetItsOwnThreshold) {
  const auto alone = [&](const std::string& text) {
    MemoryFile file{text};
    return judge_key_list(file, nullptr, 0, hasher_, verifier_).refusal;
  };
  EXPECT_EQ(alone(list_by({&root_a_, &root_c_})), KeyListRefusal::none);
  EXPECT_EQ(alone(list_by({&root_a_})), KeyListRefusal::new_threshold);
  EXPECT_EQ(alone(list_by({&stranger_})), KeyListRefusal::new_threshold);
  EXPECT_EQ(alone("rubbish"), KeyListRefusal::malformed);
}

TEST_F(JudgementTest, EveryChangedCharacterOfAListIsFound) {
  const std::string held = list_by({&root_a_, &root_b_});
  list_.serial = 2;
  const std::string next = list_by({&root_a_, &root_b_});
  for (std::size_t i = 0; i + 1 < next.size(); i += 7) {
    std::string text = next;
    text[i] = text[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(follow(held, text).ok()) << i;
  }
}

/// Fails from the nth read on.
class DyingFile final : public FileSource {
 public:
  DyingFile(std::string_view text, int reads) : file_{text}, reads_{reads} {}
  [[nodiscard]] std::uint32_t size() const override { return file_.size(); }
  bool read(std::uint32_t offset, std::span<std::uint8_t> into) override {
    return reads_-- > 0 && file_.read(offset, into);
  }

 private:
  MemoryFile file_;
  int reads_;
};

// A list that turns unreadable must not turn into one without thresholds.
TEST_F(JudgementTest, AMediumThatFailsAtAnyReadNeverMakesAStrangersManifestGood) {
  const std::string held = list_by({&root_a_, &root_b_});
  const std::string manifest = manifest_by({&stranger_});
  for (int reads = 0; reads < 200; ++reads) {
    DyingFile list_file{held, reads};
    MemoryFile file{manifest};
    KeyRing ring{list_file, hasher_};
    ring.open();
    PayloadPlace payload;
    EXPECT_FALSE(judge_manifest_signatures(file, ring, hasher_, verifier_, payload).ok()) << reads;
  }
}

TEST_F(JudgementTest, AMediumThatFailsAtAnyReadNeverMakesAStrangersListGood) {
  const std::string held = list_by({&root_a_, &root_b_});
  list_.serial = 2;
  list_.roots = {&stranger_};
  list_.root_threshold = 1;
  const std::string candidate = list_by({&stranger_});
  for (int reads = 0; reads < 300; ++reads) {
    DyingFile list_file{held, reads};
    MemoryFile file{candidate};
    KeyRing ring{list_file, hasher_};
    ring.open();
    EXPECT_FALSE(judge_key_list(file, &ring, 0, hasher_, verifier_).ok()) << reads;
  }
}

}  // namespace
}  // namespace otaria::contract
