#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/trust/judgement.hpp"
#include "contract/trust/testing/signed_examples.hpp"
#include "device/verify/psa_primitives.hpp"

/// What a device judges whose firmware is built with OTARIA_DEVICE_PS256: RSA-3072 PSS by PSA.
namespace otaria::device {
namespace {

using contract::Algorithm;
using contract::KeyListRefusal;
using contract::MemoryFile;
using contract::testing::KeyListText;
using contract::testing::ManifestText;
using contract::testing::PrivateKey;
using contract::testing::signed_file;

PrivateKey& rsa() {
  static PrivateKey made = PrivateKey::generate(Algorithm::ps256);  // takes a while
  return made;
}

class Ps256Device : public ::testing::Test {
 protected:
  Ps256Device() {
    EXPECT_TRUE(init_crypto());
    list.roots = {&root};
    list.releases = {&rsa()};
  }
  contract::SignatureVerdict judge(const std::string& manifest) {
    const std::string text = signed_file(contract::key_list_kind.type, list.json(), {&root});
    MemoryFile list_file{text};
    contract::KeyRing ring{list_file, hasher};
    EXPECT_TRUE(ring.open());
    MemoryFile file{manifest};
    contract::PayloadPlace payload;
    return judge_manifest_signatures(file, ring, hasher, verifier, payload);
  }

  PrivateKey root = PrivateKey::generate(Algorithm::es256);
  PrivateKey other = PrivateKey::generate(Algorithm::es256);
  KeyListText list;
  PsaHasher hasher;
  PsaVerifier verifier;
};

TEST_F(Ps256Device, SupportsBothAlgorithms) {
  EXPECT_TRUE(verifier.supports(Algorithm::ps256));
  EXPECT_TRUE(verifier.supports(Algorithm::es256));
}

TEST_F(Ps256Device, TakesAManifestSignedByAnRsaKeyOfItsList) {
  const std::string manifest =
      signed_file(contract::manifest_kind.type, ManifestText{}.json(), {&rsa()});
  EXPECT_TRUE(judge(manifest).ok());
  std::string changed = manifest;
  char& last = changed[changed.size() - 40];
  last = last == 'A' ? 'B' : 'A';
  EXPECT_EQ(judge(changed).fault, contract::Fault::bad_signature);
}

TEST_F(Ps256Device, CountsKeysOfBothKindsTowardsTheThreshold) {
  list.releases = {&rsa(), &other};
  list.release_threshold = 2;
  const std::string json = ManifestText{}.json();
  EXPECT_TRUE(judge(signed_file(contract::manifest_kind.type, json, {&rsa(), &other})).ok());
  EXPECT_FALSE(judge(signed_file(contract::manifest_kind.type, json, {&rsa()})).ok());
}

TEST_F(Ps256Device, FollowsAListThatAnRsaRootSigned) {
  list.roots = {&rsa()};
  list.releases = {&other};
  const std::string held_text = signed_file(contract::key_list_kind.type, list.json(), {&rsa()});
  list.serial = 2;
  const std::string next_text = signed_file(contract::key_list_kind.type, list.json(), {&rsa()});
  MemoryFile held_file{held_text};
  MemoryFile next_file{next_text};
  contract::KeyRing held{held_file, hasher};
  ASSERT_TRUE(held.open());
  EXPECT_TRUE(judge_key_list(next_file, &held, 0, hasher, verifier).ok());
  const std::string forged = signed_file(contract::key_list_kind.type, list.json(), {&root});
  MemoryFile forged_file{forged};
  EXPECT_FALSE(judge_key_list(forged_file, &held, 0, hasher, verifier).ok());
}

// PKCS#1 DER says the length of its modulus: another one than 3,072 bits is no key of ours.
TEST_F(Ps256Device, RefusesKeysAndSignaturesOfOtherLengths) {
  const contract::Digest digest{};
  const std::vector<std::uint8_t> signature = rsa().sign(digest);
  const std::vector<std::uint8_t>& der = rsa().public_key().bytes;
  ASSERT_TRUE(verifier.verify(Algorithm::ps256, der, digest, signature));
  const std::span<const std::uint8_t> key{der};
  const std::span<const std::uint8_t> whole{signature};
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, key.first(key.size() - 1), digest, whole));
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, key.first(0), digest, whole));
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, key, digest, whole.first(383)));
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, key, digest, whole.first(256)));
  std::vector<std::uint8_t> longer = signature;
  longer.push_back(0);
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, key, digest, longer));
  std::vector<std::uint8_t> shorter_modulus = der;
  shorter_modulus[9] = 0;  // its highest byte, behind that of the sign: a number of fewer bits
  EXPECT_FALSE(verifier.verify(Algorithm::ps256, shorter_modulus, digest, signature));
}

}  // namespace
}  // namespace otaria::device
