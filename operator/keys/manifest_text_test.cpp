#include "operator/keys/manifest_text.hpp"

#include <gtest/gtest.h>

#include "operator/keys/key_error.hpp"
#include "operator/keys/signed_text.hpp"

namespace otaria::keys {
namespace {

using contract::Algorithm;
using crypto::PrivateKey;

template <class Work>
std::string code_of(Work work) {
  try {
    work();
  } catch (const KeyError& error) {
    return error.code;
  }
  return "accepted";
}

/// The known answer of the reference (trust, section 5.4).
contract::Manifest example() {
  contract::Manifest manifest;
  manifest.release.assign("01JD8Z6T9K3M5Q7S9V1X3Z5B7D");
  manifest.product.assign("sensor");
  manifest.hardware[manifest.hardware_count++].assign("esp32s3-8mb");
  manifest.chip.assign("esp32s3");
  manifest.version.assign("1.4.0");
  manifest.min_version.assign("1.2.0");
  manifest.build.assign("4f1c2a9b7d3e8056");
  manifest.size = 922809;
  manifest.digest = *contract::digest_from_hex(
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
  manifest.security_counter = 3;
  manifest.issued = 1790000000;
  manifest.expires = 1821536000;
  manifest.keys = 2;
  return manifest;
}

TEST(Manifest, PayloadIsTheKnownAnswerByteForByte) {
  const std::string payload = manifest_payload(example());
  EXPECT_EQ(payload.size(), 339U);
  EXPECT_EQ(payload_digest_text(payload),
            "e4aa61d3b44420cf96c553438b465f3ef2524a6605bcc267962ce91377d0735a");
}

TEST(Manifest, IsSignedAndReadBack) {
  PrivateKey key = PrivateKey::generate(Algorithm::es256);
  const std::string text = sign_manifest(manifest_payload(example()), key);
  const contract::Manifest manifest = manifest_of(text);
  EXPECT_EQ(manifest.version.view(), "1.4.0");
  EXPECT_EQ(manifest.size, 922809U);
  EXPECT_EQ(text.size(), 632U);  // the known answer's 631 and a line end
}

TEST(Manifest, TakesCosignaturesOfOtherKeysUpToFourLines) {
  std::string text;
  std::vector<PrivateKey> keys;
  keys.reserve(5);
  for (int i = 0; i < 5; ++i) keys.push_back(PrivateKey::generate(Algorithm::es256));
  text = sign_manifest(manifest_payload(example()), keys[0]);
  EXPECT_EQ(code_of([&] { cosign_manifest(text, keys[0]); }), "already_signed");
  for (int i = 1; i < 4; ++i) text = cosign_manifest(text, keys[static_cast<std::size_t>(i)]);
  EXPECT_EQ(code_of([&] { cosign_manifest(text, keys[4]); }), "too_many_signatures");
  const auto read = read_signed_text(contract::manifest_kind, text, "bad_manifest");
  EXPECT_EQ(read.payload, manifest_payload(example()));
  ASSERT_EQ(read.lines.size(), 4U);
  crypto::OpenSslVerifier verifier;
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(read.lines[i].key_id, keys[i].public_key().key_id());
    EXPECT_TRUE(verifier.verify(Algorithm::es256,
                                keys[i].public_key().bytes,
                                read.lines[i].digest,
                                read.lines[i].signature));
  }
}

TEST(Manifest, FitsItsFileAlsoWithRsa) {
  PrivateKey rsa = PrivateKey::generate(Algorithm::ps256);
  PrivateKey ec = PrivateKey::generate(Algorithm::es256);
  const std::string text = cosign_manifest(sign_manifest(manifest_payload(example()), rsa), ec);
  EXPECT_LE(text.size(), contract::manifest_kind.file_bytes);
  EXPECT_EQ(manifest_of(text).keys, 2U);
}

TEST(Manifest, RefusesWhatNoDeviceWouldRead) {
  const auto code = [](auto change) {
    contract::Manifest manifest = example();
    change(manifest);
    return code_of([&] { manifest_payload(manifest); });
  };
  EXPECT_EQ(code([](contract::Manifest& m) { m.product.assign("two words"); }), "bad_manifest");
  EXPECT_EQ(code([](contract::Manifest& m) { m.product.clear(); }), "bad_manifest");
  EXPECT_EQ(code([](contract::Manifest& m) { m.version.assign("v1"); }), "bad_manifest");
  EXPECT_EQ(code([](contract::Manifest& m) { m.min_version.assign("latest"); }), "bad_manifest");
  EXPECT_EQ(code([](contract::Manifest& m) { m.release.assign("short"); }), "bad_manifest");
  EXPECT_EQ(code([](contract::Manifest& m) { m.size = 0; }), "bad_manifest");
  EXPECT_EQ(code([](contract::Manifest& m) { m.expires = m.issued; }), "bad_manifest");
  EXPECT_EQ(code([](contract::Manifest& m) { m.hardware[0].assign("a\nb"); }), "bad_manifest");
}

TEST(Manifest, RefusesFilesOfOtherKinds) {
  PrivateKey key = PrivateKey::generate(Algorithm::es256);
  const std::string payload = manifest_payload(example());
  const std::string good = sign_manifest(payload, key);
  const std::string as_keys = crypto::compact_jws("otaria-keys+jws", payload, key) + "\n";
  for (const std::string& text : {std::string(),
                                  payload,
                                  as_keys,
                                  good + "\n",
                                  good + good,
                                  good + "x",
                                  good.substr(0, good.size() / 2),
                                  std::string(5000, 'a')}) {
    EXPECT_EQ(code_of([&] { manifest_of(text); }), "bad_manifest") << text.substr(0, 40);
    EXPECT_EQ(code_of([&] { cosign_manifest(text, key); }), "bad_manifest") << text.substr(0, 40);
  }
}

/// A key that answers with whatever it is told to.
class Liar final : public crypto::Signer {
 public:
  [[nodiscard]] const crypto::PublicKey& public_key() const override { return key_.public_key(); }
  std::vector<std::uint8_t> sign(const contract::Digest& /*digest*/) override {
    return std::vector<std::uint8_t>(64, 0x11);
  }

 private:
  PrivateKey key_ = PrivateKey::generate(Algorithm::es256);
};

TEST(Manifest, IsNotWrittenWithASignatureThatDoesNotVerify) {
  Liar liar;
  EXPECT_EQ(code_of([&] { sign_manifest(manifest_payload(example()), liar); }), "signing_failed");
}

}  // namespace
}  // namespace otaria::keys
