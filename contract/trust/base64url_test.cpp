#include "contract/trust/base64url.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace otaria::contract {
namespace {

std::optional<std::string> decoded(std::string_view text, std::size_t room = 64) {
  std::vector<std::uint8_t> bytes(room);
  const auto length = base64url_decode(text, bytes);
  if (!length) return std::nullopt;
  return std::string{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*length)};
}

std::string encoded(std::string_view bytes) {
  std::string text(base64url_characters(bytes.size()), '\0');
  text.resize(base64url_encode(
      std::span{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, text.data()));
  return text;
}

TEST(Base64Url, KnowsTheExamplesOfRfc4648WithoutTheirPadding) {
  const std::vector<std::pair<std::string, std::string>> examples{{"", ""},
                                                                  {"f", "Zg"},
                                                                  {"fo", "Zm8"},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg"},
                                                                  {"fooba", "Zm9vYmE"},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xFB\xEF\xFF", "--__"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(encoded(bytes), text);
    EXPECT_EQ(decoded(text), bytes);
  }
}

TEST(Base64Url, RefusesPaddingOtherAlphabetsAndWhitespace) {
  for (const char* text : {"Zg==", "Zg=", "+-__", "-/__", "Zm 9v", "Zm9v\n", "Zm9v\r", "Zm.v"}) {
    EXPECT_EQ(decoded(text), std::nullopt) << text;
  }
}

TEST(Base64Url, RefusesALoneCharacterAndLeftOverBits) {
  EXPECT_EQ(decoded("Z"), std::nullopt);
  EXPECT_EQ(decoded("Zm9vY"), std::nullopt);
  EXPECT_EQ(decoded("Zh"), std::nullopt);   // "Zg" is the one text of "f"
  EXPECT_EQ(decoded("Zm9"), std::nullopt);  // "Zm8" is the one text of "fo"
}

TEST(Base64Url, RefusesWhatDoesNotFit) {
  EXPECT_EQ(decoded("Zm9v", 3), "foo");
  EXPECT_EQ(decoded("Zm9v", 2), std::nullopt);
}

TEST(Base64Url, GivesBackEveryByteStringOfEveryShortLength) {
  std::string bytes;
  for (unsigned length = 0; length < 40; ++length) {
    EXPECT_EQ(decoded(encoded(bytes)), bytes);
    bytes.push_back(static_cast<char>(length * 37 + 129));
  }
}

}  // namespace
}  // namespace otaria::contract
