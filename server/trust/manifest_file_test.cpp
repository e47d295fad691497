#include "server/trust/manifest_file.hpp"

#include <gtest/gtest.h>

#include "server/trust/key_list_file.hpp"
#include "server/trust/testing/signing.hpp"

namespace otaria::server {
namespace {

using signing::ListSpec;
using signing::manifest;
using signing::ManifestSpec;
using signing::Signers;

constexpr std::int64_t now = 1'800'000'000;

class ManifestFile : public testing::Test {
 protected:
  ManifestFile() { keys_ = list(spec()); }

  ListSpec spec() { return {.roots = {&root_}, .releases = {&release_, &second_}}; }
  StoredKeyList list(const ListSpec& spec) {
    auto judged = judge_key_list_file(signing::key_list(spec, {&root_}), std::nullopt, now);
    EXPECT_TRUE(judged) << judged.refusal().detail;
    return judged.value();
  }
  static Release image() {
    Release image;
    image.chip = "esp32s3";
    image.size = 922'809;
    image.sha256 = std::string(64, 'a');
    image.build = "4f1c2a9b7d3e8056";
    return image;
  }
  Outcome<StoredManifest> judge(const std::string& file) {
    image_ = image();
    const TrustBasis basis{keys_, [this](const std::string&) { return highest_; }};
    return judge_manifest_file(file, basis, now, image_);
  }
  std::string code(const std::string& file) {
    const auto judged = judge(file);
    return judged ? "accepted" : judged.refusal().code;
  }
  std::string code_of(const ManifestSpec& spec) { return code(manifest(spec, {&release_})); }

  crypto::PrivateKey root_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  crypto::PrivateKey release_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  crypto::PrivateKey second_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  crypto::PrivateKey stranger_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  StoredKeyList keys_;
  std::optional<std::uint32_t> highest_;
  Release image_;
};

TEST_F(ManifestFile, SaysWhatIsPublished) {
  const auto judged = judge(
      manifest({.hardware = R"(["b","a"])", .more = R"(,"channel":"beta","min_version":"1.2.0")"},
               {&release_}));
  ASSERT_TRUE(judged) << judged.refusal().detail;
  EXPECT_EQ(image_.id, "01JD8Z6T9K3M5Q7S9V1X3Z5B7D");
  EXPECT_EQ(image_.product, "sensor");
  EXPECT_EQ(image_.version, "1.4.0");
  EXPECT_EQ(image_.hardware, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(image_.channel, "beta");
  const ReleaseManifest& said = judged.value().said;
  EXPECT_EQ(said.min_version, "1.2.0");
  EXPECT_EQ(said.security_counter, 3u);
  EXPECT_EQ(said.signed_by, std::vector<std::string>{release_.public_key().key_id()});
}

TEST_F(ManifestFile, WhatNoListedReleaseKeySignedIsRefused) {
  EXPECT_EQ(code(manifest({}, {&stranger_})), "unknown_key");
  EXPECT_EQ(code(manifest({}, {&root_})), "unknown_key") << "roots sign key lists only";
  ListSpec later = spec();
  later.revoked = {stranger_.public_key().key_id()};
  keys_ = list(later);
  EXPECT_EQ(code(manifest({}, {&stranger_})), "revoked_key");
}

TEST_F(ManifestFile, AThresholdAsksForDistinctKeys) {
  ListSpec two = spec();
  two.release_threshold = 2;
  keys_ = list(two);
  EXPECT_EQ(code(manifest({}, {&release_})), "bad_signature");
  EXPECT_EQ(code(manifest({}, {&release_, &release_})), "bad_signature");
  EXPECT_EQ(code(manifest({}, {&release_, &stranger_})), "unknown_key");
  const auto judged = judge(manifest({}, {&release_, &second_}));
  ASSERT_TRUE(judged) << judged.refusal().detail;
  EXPECT_EQ(judged.value().said.signed_by.size(), 2u);
}

TEST_F(ManifestFile, ALineThatDoesNotVerifyIsFatalBesideOneThatDoes) {
  const std::string other = manifest({.version = "1.4.1"}, {&second_});
  const std::size_t dot = other.find('.');
  const std::string detached = other.substr(0, dot + 1) + other.substr(other.find('.', dot + 1));
  EXPECT_EQ(code(manifest({}, {&release_}) + detached), "bad_signature");
}

TEST_F(ManifestFile, IsNoOtherKindOfSignedFile) {
  const std::string payload = R"({"fmt":1})";
  EXPECT_EQ(code(signing::signed_file("otaria-keys+jws", payload, {&release_})), "bad_signature");
  EXPECT_EQ(code(signing::signed_file("otaria-manifest+jws", payload, {&release_})), "bad_notice");
  EXPECT_EQ(code(std::string{"garbage"}), "bad_signature");
  EXPECT_EQ(code(std::string(4097, 'A')), "too_large");
  EXPECT_EQ(code_of({.more = R"(,"crit":["images"],"images":[])"}), "bad_notice");
}

TEST_F(ManifestFile, MustBeAboutTheImageThatWasUploadedWithIt) {
  EXPECT_EQ(code_of({.size = "922808"}), "manifest_mismatch");
  EXPECT_EQ(code_of({.sha256 = std::string(64, 'b')}), "manifest_mismatch");
  EXPECT_EQ(code_of({.build = "0000000000000000"}), "manifest_mismatch");
  EXPECT_EQ(code_of({.chip = "esp32"}), "manifest_mismatch");
}

TEST_F(ManifestFile, TheSecurityCounterLiesBetweenWhatWasPublishedAnd256Above) {
  highest_ = 4;
  EXPECT_EQ(code_of({.security_counter = 3}), "security_counter");
  EXPECT_EQ(code_of({.security_counter = 4}), "accepted");
  EXPECT_EQ(code_of({.security_counter = 260}), "accepted");
  EXPECT_EQ(code_of({.security_counter = 261}), "security_counter");
  highest_.reset();
  EXPECT_EQ(code_of({.security_counter = 256}), "accepted");
  EXPECT_EQ(code_of({.security_counter = 257}), "security_counter");
}

TEST_F(ManifestFile, TheKeyListsFloorHoldsToo) {
  ListSpec floored = spec();
  floored.floor = {{"sensor", 5}};
  keys_ = list(floored);
  highest_ = 2;
  EXPECT_EQ(code_of({.security_counter = 4}), "security_counter");
  EXPECT_EQ(code_of({.security_counter = 5}), "accepted");
  EXPECT_EQ(code_of({.security_counter = 261}), "accepted");
  EXPECT_EQ(code_of({.security_counter = 262}), "security_counter");
  EXPECT_EQ(floor_of(keys_, "sensor"), 5u);
  EXPECT_EQ(floor_of(keys_, "gateway"), 0u);
}

TEST_F(ManifestFile, AListThatIsNotPublishedYetCannotBeAskedFor) {
  EXPECT_EQ(code_of({.keys = 2}), "keylist_required");
}

TEST_F(ManifestFile, AnExpiredOneIsRefused) {
  EXPECT_EQ(code_of({.expires = now}), "manifest_expired");
  EXPECT_EQ(code_of({.expires = now + 1}), "accepted");
}

TEST_F(ManifestFile, IsJudgedAgainByTheListOfTheDay) {
  const auto judged = judge(manifest({}, {&release_}));
  ASSERT_TRUE(judged);
  EXPECT_FALSE(judge_again(judged.value(), keys_, now));
  EXPECT_EQ(judge_again(judged.value(), keys_, 1'821'536'000)->code, "manifest_expired");
  ListSpec without = spec();
  without.releases = {&second_};
  without.revoked = {release_.public_key().key_id()};
  EXPECT_EQ(judge_again(judged.value(), list(without), now)->code, "revoked_key");
}

}  // namespace
}  // namespace otaria::server
