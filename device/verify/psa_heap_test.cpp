#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "contract/trust/judgement.hpp"
#include "contract/trust/testing/signed_examples.hpp"
#include "device/verify/psa_primitives.hpp"

// glibc's own allocator by its internal names: what it keeps for programs that replace malloc
// (glibc manual, "Replacing malloc").
// NOLINTBEGIN(bugprone-reserved-identifier): the names are glibc's
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void __libc_free(void* memory);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

/// The heap of this process, in usable bytes of the blocks that are in use.
struct Heap {
  bool armed = false;
  std::int64_t now = 0;
  std::int64_t peak = 0;
  std::uint64_t blocks = 0;

  void took(void* memory) {
    if (!armed || memory == nullptr) return;
    now += static_cast<std::int64_t>(malloc_usable_size(memory));
    peak = std::max(peak, now);
    ++blocks;
  }
  void gave(void* memory) {
    if (armed && memory != nullptr) now -= static_cast<std::int64_t>(malloc_usable_size(memory));
  }
};
Heap heap;

}  // namespace

extern "C" {
void* malloc(std::size_t bytes) {
  void* memory = __libc_malloc(bytes);
  heap.took(memory);
  return memory;
}
void* calloc(std::size_t count, std::size_t bytes) {
  void* memory = __libc_calloc(count, bytes);
  heap.took(memory);
  return memory;
}
void* realloc(void* old, std::size_t bytes) {
  heap.gave(old);
  void* memory = __libc_realloc(old, bytes);
  heap.took(memory);
  return memory;
}
void free(void* memory) {
  heap.gave(memory);
  __libc_free(memory);
}
}

namespace otaria::device {
namespace {

constexpr std::int64_t limit = 8'192;  // 8 KB

template <class Work>
Heap measured(const Work& work) {
  heap = {};
  heap.armed = true;
  work();
  heap.armed = false;
  return heap;
}

TEST(PsaHeap, IsSeenByTheMeasure) {
  void* kept = nullptr;
  const Heap seen = measured([&kept] { kept = std::calloc(10, 100); });
  std::free(kept);
  EXPECT_GE(seen.peak, 1000);
  EXPECT_EQ(seen.now, seen.peak);
  EXPECT_EQ(seen.blocks, 1U);
}

TEST(PsaHeap, OfOneVerificationIsWithinEightKilobytesAndGivenBack) {
  ASSERT_TRUE(init_crypto());
  auto key = crypto::PrivateKey::generate(contract::Algorithm::es256);
  const contract::Digest digest{};
  std::vector<std::uint8_t> signature = key.sign(digest);
  const std::vector<std::uint8_t>& point = key.public_key().bytes;
  std::vector<std::uint8_t> off_the_curve = point;
  off_the_curve[5] ^= 1;
  std::vector<std::uint8_t> wrong = signature;
  wrong[40] ^= 1;
  const std::vector<std::uint8_t> nothing(64, 0);
  PsaVerifier verifier;
  std::int64_t highest = 0;
  struct Row {
    const std::vector<std::uint8_t>& key;
    const std::vector<std::uint8_t>& signature;
    bool good;
  };
  for (const Row& row : {Row{point, signature, true},
                         Row{point, wrong, false},
                         Row{point, nothing, false},
                         Row{off_the_curve, signature, false}}) {
    bool good = false;
    const Heap seen = measured([&] {
      good = verifier.verify(contract::Algorithm::es256, row.key, digest, row.signature);
    });
    EXPECT_EQ(good, row.good);
    EXPECT_LE(seen.peak, limit);
    EXPECT_EQ(seen.now, 0);
    highest = std::max(highest, seen.peak);
  }
  RecordProperty("peak_bytes", std::to_string(highest));
}

// RSA-3072 takes more than P-256, and fits all the same: where it is built in.
TEST(PsaHeap, OfAnRsaVerificationIsWithinEightKilobytesAndGivenBack) {
  ASSERT_TRUE(init_crypto());
  PsaVerifier verifier;
  auto key = crypto::PrivateKey::generate(contract::Algorithm::ps256);
  const contract::Digest digest{};
  std::vector<std::uint8_t> signature = key.sign(digest);
  const std::vector<std::uint8_t>& der = key.public_key().bytes;
  for (const bool changed : {false, true}) {
    if (changed) signature[100] ^= 1;
    bool good = false;
    const Heap seen = measured(
        [&] { good = verifier.verify(contract::Algorithm::ps256, der, digest, signature); });
    EXPECT_EQ(good, verifier.supports(contract::Algorithm::ps256) && !changed);
    EXPECT_LE(seen.peak, limit);
    EXPECT_EQ(seen.now, 0);
    RecordProperty(changed ? "peak_bytes_of_a_changed_one" : "peak_bytes",
                   std::to_string(seen.peak));
  }
}

TEST(PsaHeap, OfAWholeManifestIsThatOfOneVerification) {
  ASSERT_TRUE(init_crypto());
  using contract::testing::KeyListText;
  using contract::testing::ManifestText;
  using contract::testing::signed_file;
  auto root = crypto::PrivateKey::generate(contract::Algorithm::es256);
  auto first = crypto::PrivateKey::generate(contract::Algorithm::es256);
  auto second = crypto::PrivateKey::generate(contract::Algorithm::es256);
  KeyListText list;
  list.roots = {&root};
  list.releases = {&first, &second};
  list.release_threshold = 2;
  const std::string list_text = signed_file(contract::key_list_kind.type, list.json(), {&root});
  const std::string manifest_text =
      signed_file(contract::manifest_kind.type, ManifestText{}.json(), {&first, &second});
  contract::MemoryFile list_file{list_text};
  contract::MemoryFile manifest_file{manifest_text};
  contract::SignatureVerdict verdict;
  const Heap seen = measured([&] {
    PsaHasher hasher;
    PsaVerifier verifier;
    contract::KeyRing ring{list_file, hasher};
    ring.open();
    contract::PayloadPlace payload;
    verdict = judge_manifest_signatures(manifest_file, ring, hasher, verifier, payload);
  });
  EXPECT_TRUE(verdict.ok());
  EXPECT_LE(seen.peak, limit);
  EXPECT_EQ(seen.now, 0);
}

}  // namespace
}  // namespace otaria::device
