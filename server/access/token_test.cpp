#include "server/access/token.hpp"

#include <gtest/gtest.h>

#include <set>

namespace otaria::server {
namespace {

NewToken some_token(std::uint8_t seed = 7) {
  TokenEntropy entropy{};
  for (std::size_t i = 0; i < entropy.size(); ++i) {
    entropy[i] = static_cast<std::uint8_t>(seed + i * 11);
  }
  return make_token(entropy);
}

TEST(Token, HasTheFormThatTheReferenceGives) {
  const NewToken made = some_token();
  EXPECT_EQ(made.text.size(), 4u + 8 + 1 + 43);
  const auto presented = parse_token(made.text);
  ASSERT_TRUE(presented);
  EXPECT_EQ(presented->id, made.kept.id);
  EXPECT_EQ(presented->secret.size(), 43u);
  EXPECT_EQ(shown_token(made.kept.id), made.text.substr(0, 12));
}

TEST(Token, SecretIsBase64UrlOfTheRandomBytes) {
  TokenEntropy entropy{};
  for (std::size_t i = 0; i < token_secret_bytes; ++i) entropy[i] = static_cast<std::uint8_t>(i);
  // printf '\x00\x01…\x1f' | base64 | tr +/ -_ | tr -d =
  EXPECT_EQ(make_token(entropy).text, "ota_aaaaaaaa_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  entropy.fill(0xff);
  EXPECT_EQ(make_token(entropy).text, "ota_99999999___________________________________________8");
}

TEST(Token, MatchesItsOwnSecretAndNoOther) {
  const NewToken made = some_token();
  const std::string secret{parse_token(made.text)->secret};
  EXPECT_TRUE(matches(made.kept, secret));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(matches(made.kept, other)) << i;
  }
  EXPECT_FALSE(matches(made.kept, ""));
  EXPECT_FALSE(matches(made.kept, secret + secret));
}

TEST(Token, KeepsOnlyTheDigestOfItsSecret) {
  const NewToken made = some_token();
  const std::string secret{parse_token(made.text)->secret};
  const std::string_view kept{reinterpret_cast<const char*>(made.kept.secret_sha256.bytes.data()),
                              made.kept.secret_sha256.bytes.size()};
  EXPECT_EQ(kept.find(secret.substr(0, 8)), std::string_view::npos);
}

TEST(Token, OfAnotherFormIsNone) {
  const std::string good = some_token().text;
  ASSERT_TRUE(parse_token(good));
  std::vector<std::string> bad{"",
                               "ota_",
                               good + "A",
                               good.substr(0, good.size() - 1),
                               "OTA_" + good.substr(4),
                               std::string(good.size(), '_'),
                               std::string(5000, 'a')};
  for (const std::size_t place : {std::size_t{5}, std::size_t{12}, good.size() - 1}) {
    for (const char c : {'\0', ' ', '=', '+', '/', '\n', '\x80', 'l'}) {
      std::string text = good;
      text[place] = c;
      if (c != 'l' || place != good.size() - 1) bad.push_back(text);
    }
  }
  for (const std::string& text : bad) EXPECT_FALSE(parse_token(text)) << text;
}

TEST(Token, IsRefusedFromItsExpiryOnAndOnceRevoked) {
  ApiToken token = some_token().kept;
  token.expires_at = 1000;
  EXPECT_TRUE(is_valid_at(token, 999));
  EXPECT_FALSE(is_valid_at(token, 1000));
  token.revoked_at = 500;
  EXPECT_FALSE(is_valid_at(token, 999));
}

TEST(Token, UseIsWrittenOnceAMinute) {
  ApiToken token;
  EXPECT_TRUE(use_is_worth_writing(token, 1000));
  token.last_used_at = 1000;
  EXPECT_FALSE(use_is_worth_writing(token, 1059));
  EXPECT_TRUE(use_is_worth_writing(token, 1060));
}

TEST(Token, InATextIsMaskedWhateverStandsAroundIt) {
  const NewToken made = some_token();
  const std::string id = shown_token(made.kept.id);
  EXPECT_EQ(without_secrets("/a/" + made.text + "/b"), "/a/" + id + "_.../b");
  EXPECT_EQ(without_secrets(made.text + "," + made.text), id + "_...," + id + "_...");
  EXPECT_EQ(without_secrets(made.text.substr(0, 20)), id + "_...");
  for (const std::string& text : std::vector<std::string>{"", "ota_", id, id + "_", "/api/ota_x"}) {
    EXPECT_EQ(without_secrets(text), text);
  }
}

TEST(Token, FromTheSystemsGeneratorIsNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(make_token(random_token_entropy()).text);
  EXPECT_EQ(seen.size(), 100u);
}

}  // namespace
}  // namespace otaria::server
