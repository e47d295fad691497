#include "server/download/token_gate.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "contract/token/testing/minting.hpp"

namespace otaria::server {
namespace {

using token::testing::jwks;
using token::testing::Minted;
using Verdict = TokenGate::Verdict;

constexpr std::int64_t now = 1'790'000'100;

class TokenGateFiles : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/otaria-tokens-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    write("jwks.json", jwks(issuer_.public_key()));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  /// Replaces the file as the issuer does: another inode tells of the change.
  void write(const std::string& name, const std::string& text) {
    std::ofstream{directory_ / "new"} << text;
    std::filesystem::rename(directory_ / "new", directory_ / name);
  }
  Verdict judge(const std::string& token, std::int64_t at = now) {
    return gate().judge("Bearer " + token, at);
  }
  TokenGate& gate() {
    if (!gate_) gate_.emplace(directory_ / "jwks.json", directory_ / "denied");
    return *gate_;
  }

  std::filesystem::path directory_;
  crypto::PrivateKey issuer_ = crypto::PrivateKey::generate(contract::Algorithm::es256);
  std::optional<TokenGate> gate_;
};

TEST_F(TokenGateFiles, LetsInWhoHasATokenOfTheIssuer) {
  EXPECT_EQ(judge(Minted{}.signed_by(issuer_)), Verdict::good);
  EXPECT_EQ(gate().judge("bearer " + Minted{}.signed_by(issuer_), now), Verdict::good);
}

TEST_F(TokenGateFiles, RefusesEveryOtherToken) {
  crypto::PrivateKey stranger = crypto::PrivateKey::generate(contract::Algorithm::es256);
  EXPECT_EQ(judge(Minted{}.signed_by(stranger)), Verdict::refused);
  EXPECT_EQ(judge(Minted{}.signed_by(issuer_), 1'790'086'431), Verdict::refused) << "expired";
  Minted unsigned_one;
  unsigned_one.header = R"({"alg":"none","kid":"issuer-1"})";
  EXPECT_EQ(judge(unsigned_one.signed_by(issuer_)), Verdict::refused);
  EXPECT_EQ(judge("a.b.c"), Verdict::refused);
}

TEST_F(TokenGateFiles, TellsMissingFromWrong) {
  EXPECT_EQ(gate().judge("", now), Verdict::missing);
  EXPECT_EQ(gate().judge("Bearer ", now), Verdict::missing);
  EXPECT_EQ(gate().judge("Basic YTpi", now), Verdict::missing);
}

TEST_F(TokenGateFiles, HearsOfDeniedDevicesAtOnce) {
  const std::string token = Minted{}.signed_by(issuer_);
  EXPECT_EQ(judge(token), Verdict::good);
  write("denied", "sub:a4cf12e0a1b2\n");
  EXPECT_EQ(judge(token), Verdict::refused);
  write("denied", "sub:000000000000\n");
  EXPECT_EQ(judge(token), Verdict::good);
}

TEST_F(TokenGateFiles, HearsOfAnotherIssuerKeyAtOnce) {
  EXPECT_EQ(judge(Minted{}.signed_by(issuer_)), Verdict::good);
  crypto::PrivateKey next = crypto::PrivateKey::generate(contract::Algorithm::es256);
  write("jwks.json", jwks(next.public_key()));
  EXPECT_EQ(judge(Minted{}.signed_by(issuer_)), Verdict::refused);
  EXPECT_EQ(judge(Minted{}.signed_by(next)), Verdict::good);
}

TEST_F(TokenGateFiles, LetsNobodyInByFilesThatCannotBeRead) {
  const std::string token = Minted{}.signed_by(issuer_);
  write("denied", "nonsense\n");
  EXPECT_EQ(judge(token), Verdict::refused);
  write("denied", "");
  EXPECT_EQ(judge(token), Verdict::good);
  write("jwks.json", "{}");
  EXPECT_EQ(judge(token), Verdict::refused);
  std::filesystem::remove(directory_ / "jwks.json");
  EXPECT_EQ(judge(token), Verdict::refused);
}

}  // namespace
}  // namespace otaria::server
