#include "contract/fuzz/mutator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "contract/fuzz/dictionary.hpp"

namespace otaria::fuzz {
namespace {

Bytes bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST(Mutator, TheSameSeedMakesTheSameInputs) {
  const std::vector<Bytes> corpus{bytes("{\"size\":1024}"), bytes("{\"url\":\"http://a/b\"}")};
  Mutator one{7, 64, {"true"}};
  Mutator same{7, 64, {"true"}};
  Mutator other{8, 64, {"true"}};
  bool differs = false;
  for (int i = 0; i < 200; ++i) {
    const Bytes made = one.next(corpus);
    EXPECT_EQ(made, same.next(corpus));
    differs = differs || made != other.next(corpus);
  }
  EXPECT_TRUE(differs);
}

TEST(Mutator, NoInputIsLongerThanAllowedAlsoFromALongerSeed) {
  const std::vector<Bytes> corpus{bytes(std::string(500, '7')), bytes("x")};
  Mutator mutator{1, 32, {std::string(100, 'w')}};
  std::size_t longest = 0;
  for (int i = 0; i < 2000; ++i) longest = std::max(longest, mutator.next(corpus).size());
  EXPECT_EQ(longest, 32U);
}

TEST(Mutator, ReachesManyInputsAndUsesTheWords) {
  const std::vector<Bytes> corpus{bytes("{\"size\":1024}")};
  Mutator mutator{1, 64, {"seldom"}};
  std::set<Bytes> made;
  std::size_t with_word = 0;
  std::size_t with_number = 0;
  for (int i = 0; i < 1000; ++i) {
    const Bytes input = mutator.next(corpus);
    const std::string text{input.begin(), input.end()};
    if (text.find("seldom") != std::string::npos) ++with_word;
    if (text.find("4294967296") != std::string::npos) ++with_number;
    made.insert(input);
  }
  EXPECT_GT(made.size(), 900U);
  EXPECT_GT(with_word, 50U);
  EXPECT_GT(with_number, 5U);
}

TEST(Mutator, MakesInputsOfNothing) {
  Mutator mutator{1, 16, {}};
  std::set<Bytes> made;
  for (int i = 0; i < 200; ++i) made.insert(mutator.next({}));
  EXPECT_GT(made.size(), 100U);
}

TEST(Dictionary, ReadsWordsWithAndWithoutNamesAndTheirEscapes) {
  const std::vector<std::string> words{"true", "a\"b\\", std::string{"\xEF\0", 2}, "x = \"y\""};
  EXPECT_EQ(dictionary_from("# words\n\"true\"\n\n  name=\"a\\\"b\\\\\"\r\n"
                            "bom=\"\\xEF\\x00\"\n\"x = \\\"y\\\"\""),
            words);
}

TEST(Dictionary, NamesTheLineThatIsNoWord) {
  for (const char* bad : {"true", "\"\"", "\"open", "\"\\n\"", "\"\\x4\"", "\"\\xZZ\""}) {
    try {
      (void)dictionary_from("\"fine\"\n" + std::string{bad});
      ADD_FAILURE() << bad << " was taken";
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string{error.what()}.find("line 2"), std::string::npos) << bad;
    }
  }
}

}  // namespace
}  // namespace otaria::fuzz
