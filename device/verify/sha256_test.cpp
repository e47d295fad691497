#include "device/verify/sha256.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace otaria::device {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string hex(const contract::Digest& digest) {
  const auto text = contract::hex_of(digest);
  return {text.data(), text.size()};
}

// FIPS 180-4 examples (NIST, "SHA256.pdf").
constexpr std::string_view of_nothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view of_two_blocks =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
constexpr std::string_view two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  ASSERT_TRUE(init_crypto());
  EXPECT_EQ(hex(sha256_of({})), of_nothing);
  EXPECT_EQ(hex(sha256_of(bytes_of("abc"))), of_abc);
  EXPECT_EQ(hex(sha256_of(bytes_of(two_blocks))), of_two_blocks);
}

TEST(Sha256, DoesNotCareHowTheBytesAreCut) {
  ASSERT_TRUE(init_crypto());
  Sha256 hash;
  for (const char& c : two_blocks) hash.update(bytes_of({&c, 1}));
  EXPECT_EQ(hex(hash.finish()), of_two_blocks);
}

TEST(Sha256, GoesOnAfterAPeek) {
  ASSERT_TRUE(init_crypto());
  Sha256 hash;
  EXPECT_EQ(hex(hash.peek()), of_nothing);
  hash.update(bytes_of("abc"));
  EXPECT_EQ(hex(hash.peek()), of_abc);
  EXPECT_EQ(hex(hash.peek()), of_abc);
  hash.update(bytes_of("d"));
  EXPECT_EQ(hash.finish(), sha256_of(bytes_of("abcd")));
}

TEST(Sha256, StartsAnewAfterFinishAndAfterReset) {
  ASSERT_TRUE(init_crypto());
  Sha256 hash;
  hash.update(bytes_of("something else"));
  (void)hash.finish();
  hash.update(bytes_of("abc"));
  EXPECT_EQ(hex(hash.finish()), of_abc);
  hash.update(bytes_of("something else"));
  hash.reset();
  hash.update(bytes_of("abc"));
  EXPECT_EQ(hex(hash.finish()), of_abc);
}

}  // namespace
}  // namespace otaria::device
