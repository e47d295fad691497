#include "contract/trust/strict_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace otaria::contract {
namespace {

using Event = StrictJson::Event;

/// The whole text as a list of what was read, or the defect's name.
std::string told(std::string_view text, std::string_view data_member = "") {
  MemoryBytes bytes{text};
  std::array<char, 64> room{};
  StrictJson json{bytes, room};
  std::string story;
  std::string member;
  for (;;) {
    switch (json.next()) {
      case Event::object_begin:
        story += "{";
        if (!member.empty() && member == data_member) json.data_names();
        break;
      case Event::object_end:
        story += "}";
        break;
      case Event::array_begin:
        story += "[";
        break;
      case Event::array_end:
        story += "]";
        break;
      case Event::member:
        member = json.text();
        story += member + ":";
        break;
      case Event::string:
        story += json.text_too_long() ? "<long>" : "'" + std::string{json.text()} + "'";
        break;
      case Event::integer:
        story += std::to_string(json.integer()) + ";";
        break;
      case Event::boolean:
        story += json.boolean() ? "T" : "F";
        break;
      case Event::end:
        return story;
      case Event::defect:
        return std::string{name_of(json.defect())};
    }
  }
}

TEST(StrictJson, ReadsEveryKindOfValueOfTheProfile) {
  EXPECT_EQ(told(R"({"a":1,"b":"x","c":[true,false],"d":{"e":4294967295}})"),
            "{a:1;b:'x'c:[TF]d:{e:4294967295;}}");
  EXPECT_EQ(told("{}"), "{}");
  EXPECT_EQ(told(" {\t\"a\" :\r\n [ ] } "), "{a:[]}");
  EXPECT_EQ(told(R"({"a":"q\"b\\"})"), "{a:'q\"b\\'}");
  EXPECT_EQ(told("{\"a\":\"\xC3\xA4\xF0\x9F\x98\x80\"}"), "{a:'\xC3\xA4\xF0\x9F\x98\x80'}");
}

TEST(StrictJson, RefusesNumbersThatAreNoPlainIntegersOf32Bits) {
  for (const char* number : {"-1", "-0", "1.0", "1e3", "1E3", "4294967296", "99999999999999"}) {
    EXPECT_EQ(told(std::string{"{\"a\":"} + number + "}"), "out_of_range") << number;
  }
  EXPECT_EQ(told(R"({"a":01})"), "not_json");
  EXPECT_EQ(told(R"({"a":+1})"), "not_json");
  EXPECT_EQ(told(R"({"a":0})"), "{a:0;}");
}

TEST(StrictJson, RefusesNullAndOtherWords) {
  EXPECT_EQ(told(R"({"a":null})"), "bad_value");
  EXPECT_EQ(told(R"({"a":True})"), "not_json");
  EXPECT_EQ(told(R"({"a":trux})"), "not_json");
}

TEST(StrictJson, RefusesEscapesButTwoAndControlCharacters) {
  for (const char* text : {R"({"a":"\n"})",
                           R"({"a":"\u0041"})",
                           R"({"a":"\/"})",
                           "{\"a\":\"\x01\"}",
                           "{\"a\":\"\x7F\"}"}) {
    EXPECT_EQ(told(text), "bad_value") << text;
  }
}

TEST(StrictJson, RefusesBytesThatAreNoUtf8) {
  for (const char* bytes : {"\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    EXPECT_EQ(told(std::string{"{\"a\":\""} + bytes + "\"}"), "bad_utf8");
  }
  EXPECT_EQ(told("{\"a\":\"\xE2\x82"), "not_json");
}

TEST(StrictJson, RefusesAMemberTwiceInOneObjectButNotInTwo) {
  EXPECT_EQ(told(R"({"a":1,"a":1})"), "duplicate_member");
  EXPECT_EQ(told(R"({"a":{"b":1,"b":2}})"), "duplicate_member");
  EXPECT_EQ(told(R"({"a":{"a":1},"b":{"a":1}})"), "{a:{a:1;}b:{a:1;}}");
  EXPECT_EQ(told(R"({"a":{"b":1},"a":2})"), "duplicate_member");
}

TEST(StrictJson, RefusesNamesOutsideTheAlphabetUnlessTheyAreData) {
  EXPECT_EQ(told(R"({"A":1})"), "bad_value");
  EXPECT_EQ(told(R"({"":1})"), "bad_value");
  EXPECT_EQ(told(R"({"a-b":1})"), "bad_value");
  EXPECT_EQ(told("{\"" + std::string(24, 'a') + "\":1}"), "{" + std::string(24, 'a') + ":1;}");
  EXPECT_EQ(told("{\"" + std::string(25, 'a') + "\":1}"), "bad_value");
  EXPECT_EQ(told(R"({"pins":{"fw.Example-1":1}})", "pins"), "{pins:{fw.Example-1:1;}}");
  EXPECT_EQ(told(R"({"pins":{"a":{"B":1}}})", "pins"), "bad_value");
  EXPECT_EQ(told("{\"pins\":{\"" + std::string(64, 'A') + "\":1}}", "pins"),
            "{pins:{" + std::string(64, 'A') + ":1;}}");
  EXPECT_EQ(told("{\"pins\":{\"" + std::string(65, 'A') + "\":1}}", "pins"), "too_long");
}

TEST(StrictJson, RefusesAFifthLevel) {
  EXPECT_EQ(told(R"({"a":[[[1]]]})"), "{a:[[[1;]]]}");
  EXPECT_EQ(told(R"({"a":[[[[1]]]]})"), "too_deep");
}

TEST(StrictJson, RefusesMoreNamesThanItCanRemember) {
  std::string text = "{";
  for (int i = 0; i < 64; ++i) text += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + "\":1";
  EXPECT_EQ(told(text + "}").front(), '{');
  EXPECT_EQ(told(text + ",\"more\":1}"), "too_many_values");
}

TEST(StrictJson, RefusesWhatIsNoObjectAndWhatComesAfterIt) {
  EXPECT_EQ(told(""), "not_json");
  EXPECT_EQ(told("[1]"), "not_an_object");
  EXPECT_EQ(told("1"), "not_an_object");
  EXPECT_EQ(told("{}{}"), "not_json");
  EXPECT_EQ(told("{} x"), "not_json");
  EXPECT_EQ(told("\xEF\xBB\xBF{}"), "not_an_object");
}

TEST(StrictJson, RefusesEveryTruncation) {
  const std::string whole = R"({"a":[1,true,"x"],"b":{"c":"d"}})";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(told(whole.substr(0, length)), "not_json") << length;
  }
}

TEST(StrictJson, RefusesCommasAndColonsInTheWrongPlace) {
  for (const char* text : {R"({,"a":1})",
                           R"({"a":1,})",
                           R"({"a":[1,]})",
                           R"({"a":[,1]})",
                           R"({"a" 1})",
                           R"({"a":1 "b":2})",
                           R"({"a":})",
                           R"({"a"})",
                           R"({"a":1])"}) {
    EXPECT_EQ(told(text), "not_json") << text;
  }
}

TEST(StrictJson, TellsOfAStringThatIsLongerThanItsRoomAndGoesOn) {
  EXPECT_EQ(told("{\"a\":\"" + std::string(65, 'x') + "\",\"b\":2}"), "{a:<long>b:2;}");
}

TEST(StrictJson, SkipsAValueOfAnyKind) {
  for (const char* value : {"1", "\"x\"", "true", "[1,[2]]", R"({"x":{"y":[1]}})", "[]", "{}"}) {
    const std::string text = std::string{"{\"a\":"} + value + ",\"b\":2}";
    MemoryBytes bytes{text};
    std::array<char, 64> room{};
    StrictJson json{bytes, room};
    ASSERT_EQ(json.next(), Event::object_begin);
    ASSERT_EQ(json.next(), Event::member);
    EXPECT_TRUE(json.skip()) << value;
    EXPECT_EQ(json.next(), Event::member) << value;
    EXPECT_EQ(json.text(), "b") << value;
  }
}

}  // namespace
}  // namespace otaria::contract
