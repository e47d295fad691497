#include "contract/json_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace otaria::contract {
namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonText, WhatTheGrammarAllowsPasses) {
  for (std::string_view text : {"{}",
                                "[]",
                                " 0 ",
                                "-0",
                                "1.5e+07",
                                "1E-2",
                                "true",
                                "false",
                                "null",
                                "\"\"",
                                "[1,[2,{\"a\":{}}],\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"]",
                                "\t\r\n{ \"a\" : [ ] , \"b\" : { } } "}) {
    SCOPED_TRACE(text);
    const JsonCheck check = check_json(text);
    EXPECT_EQ(check.defect, Defect::none);
    EXPECT_TRUE(check.grammatical);
  }
}

TEST(JsonText, WhatItDoesNotAllowIsNamed) {
  for (std::string_view text : {"",
                                " ",
                                "{",
                                "}",
                                "[",
                                "]",
                                "[1,]",
                                "[,1]",
                                "[1 2]",
                                "{\"a\"}",
                                "{\"a\":}",
                                "{\"a\":1,}",
                                "{a:1}",
                                "{1:1}",
                                "{\"a\":1 \"b\":2}",
                                "[1}",
                                "{\"a\":1]",
                                "tru",
                                "True",
                                "nul",
                                "01",
                                "-",
                                "+1",
                                ".5",
                                "1.",
                                "1e",
                                "1e+",
                                "0x1",
                                "NaN",
                                "Infinity",
                                "-Infinity",
                                "\"",
                                "\"\\\"",
                                "\"\\x\"",
                                "\"\\u12\"",
                                "\"\\u12G4\"",
                                "'a'",
                                "\"a\tb\"",
                                "1 1",
                                "{}{}",
                                "[]x",
                                "// c\n1",
                                "/**/1",
                                "\xEF\xBB\xBF{}",
                                "\xC2\xA0{}"}) {
    SCOPED_TRACE(text);
    const JsonCheck check = check_json(text);
    EXPECT_EQ(check.defect, Defect::not_json);
    EXPECT_FALSE(check.grammatical);
  }
}

TEST(JsonText, ARawNulIsRefusedWhereverItStands) {
  const std::string text = R"({"a":["b",1]})";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(check_json(std::string{text}.insert(i, 1, '\0')).defect, Defect::not_json);
  }
}

TEST(JsonText, EveryTruncationOfAnObjectIsRefused) {
  const std::string text = R"({"a":[1,-2.5e3,"\u00e4\\"],"b":{"c":null,"d":true}})";
  ASSERT_EQ(check_json(text).defect, Defect::none);
  for (std::size_t length = 0; length < text.size(); ++length) {
    SCOPED_TRACE(length);
    EXPECT_EQ(check_json(std::string_view{text}.substr(0, length)).defect, Defect::not_json);
  }
}

TEST(JsonText, DepthIsBoundedBeforeTheStackIs) {
  EXPECT_EQ(check_json(nested(max_json_depth)).defect, Defect::none);
  EXPECT_EQ(check_json(nested(max_json_depth + 1)).defect, Defect::too_deep);
  EXPECT_EQ(check_json(nested(1000000)).defect, Defect::too_deep);
  EXPECT_EQ(check_json(std::string(1000000, '[')).defect, Defect::too_deep);
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_EQ(check_json(objects).defect, Defect::too_deep);
}

TEST(JsonText, SiblingsDoNotCountAsDepth) {
  std::string text = "[";
  for (int i = 0; i < 1000; ++i) text += nested(max_json_depth - 1) + ",";
  EXPECT_EQ(check_json(text + "0]").defect, Defect::none);
}

TEST(JsonText, NumbersNoDoubleHoldsAreNamedAndTheRestIsStillRead) {
  for (std::string_view number : {"1e100", "-1E+999", "1e-100", "1e99999999999999999999"}) {
    SCOPED_TRACE(number);
    const std::string text = "{\"a\":1,\"b\":[" + std::string{number} + "],\"c\":2}";
    const JsonCheck check = check_json(text);
    EXPECT_EQ(check.defect, Defect::out_of_range);
    EXPECT_EQ(check.member, "b");
    EXPECT_TRUE(check.grammatical);
  }
  EXPECT_EQ(check_json("1e0000000000000099").defect, Defect::none);
  EXPECT_EQ(check_json(std::string(max_json_number_bytes, '9')).defect, Defect::none);
  EXPECT_EQ(check_json(std::string(max_json_number_bytes + 1, '9')).defect, Defect::out_of_range);
}

TEST(JsonText, TheDefectIsOfTheOutermostMember) {
  const JsonCheck check =
      check_json(R"({"first":{"inner":0},"second":{"third":[{"fourth":"\ud800"}]}})");
  EXPECT_EQ(check.defect, Defect::bad_utf8);
  EXPECT_EQ(check.member, "second");
}

TEST(JsonText, Utf8IsReadByTheRulesOfRfc3629) {
  struct Row {
    std::string_view bytes;
    std::size_t length;
  };
  constexpr Row rows[] = {
      {"a", 1},
      {"\x7f", 1},
      {"\xC2\x80", 2},
      {"\xDF\xBF", 2},
      {"\xE0\xA0\x80", 3},
      {"\xED\x9F\xBF", 3},
      {"\xEF\xBF\xBF", 3},
      {"\xF0\x90\x80\x80", 4},
      {"\xF4\x8F\xBF\xBF", 4},
      {"", 0},
      {"\x80", 0},              // a tail without a head
      {"\xC0\x80", 0},          // overlong NUL
      {"\xC1\xBF", 0},          // overlong
      {"\xC2", 0},              // cut short
      {"\xC2\x41", 0},          // no tail
      {"\xE0\x9F\xBF", 0},      // overlong
      {"\xE2\x82", 0},          // cut short
      {"\xED\xA0\x80", 0},      // surrogate
      {"\xF0\x8F\xBF\xBF", 0},  // overlong
      {"\xF0\x90\x80", 0},      // cut short
      {"\xF4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xF5\x80\x80\x80", 0},
      {"\xFF", 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row.bytes));
    EXPECT_EQ(utf8_sequence_bytes(row.bytes), row.length);
    const std::string text = "\"" + std::string{row.bytes} + "\"";
    EXPECT_EQ(check_json(text).defect,
              row.length > 0 || row.bytes.empty() ? Defect::none : Defect::bad_utf8);
  }
}

TEST(JsonText, StringsAreDecodedIntoBoundedMemory) {
  Text<16> text;
  EXPECT_EQ(decode_json_string(R"(\"\\\/\b\f\n\r\t)", text), Defect::none);
  EXPECT_EQ(text.view(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decode_json_string(R"(\u0041\u00e4\u20AC\ud83d\uDE00)", text), Defect::none);
  EXPECT_EQ(text.view(), "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(decode_json_string("1234567890123456", text), Defect::none);
  EXPECT_EQ(decode_json_string("12345678901234567", text), Defect::too_long);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(decode_json_string(R"(123456789012345\u00e4)", text), Defect::too_long);
}

TEST(JsonText, EscapesThatAreNoTextAreNamed) {
  Text<64> text;
  for (std::string_view lone : {R"(\ud800)",
                                R"(\udfff)",
                                R"(\ud800x)",
                                R"(\ud800\n)",
                                R"(\ud800\u0041)",
                                R"(\ud800\ud800)",
                                R"(\udc00\ud800)"}) {
    SCOPED_TRACE(lone);
    EXPECT_EQ(decode_json_string(lone, text), Defect::bad_utf8);
    EXPECT_EQ(check_json("\"" + std::string{lone} + "\"").defect, Defect::bad_utf8);
  }
  EXPECT_EQ(decode_json_string(R"(a\u0000b)", text), Defect::bad_value);
  EXPECT_EQ(check_json(R"("a\u0000b")").defect, Defect::bad_value);
}

}  // namespace
}  // namespace otaria::contract
