#include "device/identity/answer_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace otaria::device {
namespace {

constexpr std::array<AnswerMember, 3> members{{{"token"}, {"id"}, {"keys", false}}};

class Collector final : public AnswerSink {
 public:
  bool on_text_begin(std::size_t member) override {
    text[member].clear();
    return true;
  }
  bool on_text(std::size_t member, char c) override {
    text[member] += c;
    return text[member].size() <= 8;
  }
  bool on_number(std::size_t member, std::uint32_t value) override {
    text[member] = std::to_string(value);
    return true;
  }
  std::array<std::string, members.size()> text;
};

struct Read {
  bool good = false;
  std::string what;  ///< token, id, keys
  friend bool operator==(const Read&, const Read&) = default;
};

Read read(std::string_view json, std::size_t piece = 1000) {
  AnswerReader reader;
  Collector sink;
  reader.begin(members);
  for (std::size_t at = 0; at < json.size(); at += piece) {
    const std::string_view part = json.substr(at, piece);
    reader.feed({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()}, sink);
  }
  return {reader.finish(), sink.text[0] + "," + sink.text[1] + "," + sink.text[2]};
}

TEST(AnswerReader, TakesTheMembersThatCountAndPassesOverAllOthers) {
  EXPECT_EQ(read(R"({"token":"a.b","keys":42,"id":"x"})"), (Read{true, "a.b,x,42"}));
  EXPECT_EQ(read(" {\r\n\t\"keys\" : 4294967295 , \"more\":[1,{\"keys\":[\"]\",\"\\\"]\"]}], "
                 "\"n\":null,\"f\":-1.5e+3,\"t\":true,\"s\":\"\\u0041\\\"}\" ,\"id\":\"\"} \n"),
            (Read{true, ",,4294967295"}));
  EXPECT_EQ(read(R"({"a_name_longer_than_any_that_counts":"token","keys":0})"),
            (Read{true, ",,0"}));
  EXPECT_EQ(read("{}"), (Read{true, ",,"}));
  EXPECT_EQ(read(R"({"tokens":"no","toke":"n"})"), (Read{true, ",,"}));
}

TEST(AnswerReader, PiecesOfAnySizeMakeNoDifference) {
  for (const std::string_view json :
       {std::string_view{R"( {"token":"a.b","more":{"x":["y\"]",{}]},"keys":7,"id":"z"} )"},
        std::string_view{R"({"keys":12345678901})"},
        std::string_view{R"({"id":"x","id":"y"})"}}) {
    const Read whole = read(json);
    for (std::size_t piece = 1; piece < json.size(); ++piece) {
      EXPECT_EQ(read(json, piece), whole) << piece << " of " << json;
    }
  }
}

TEST(AnswerReader, RefusesWhatIsNoObjectOrSaysAMemberTwiceOrWrongly) {
  const std::string deep(17, '[');
  for (const std::string& json : {std::string{},
                                  std::string{"x"},
                                  std::string{"[]"},
                                  std::string{"\"token\""},
                                  std::string{"{"},
                                  std::string{R"({"token":"a")"},
                                  std::string{R"({"token":"a"}x)"},
                                  std::string{R"({"token":"a",})"},
                                  std::string{R"({,"token":"a"})"},
                                  std::string{R"({"token" "a"})"},
                                  std::string{R"({"token":a})"},
                                  std::string{R"({"token":1})"},
                                  std::string{R"({"token":null})"},
                                  std::string{R"({"token":["a"]})"},
                                  std::string{R"({"token":"\u0061"})"},
                                  std::string{"{\"token\":\"a\nb\"}"},
                                  std::string{R"({"token":"123456789"})"},  // the sink has enough
                                  std::string{R"({"to\u006ben":"a"})"},
                                  std::string{R"({"token":"a","token":"b"})"},
                                  std::string{R"({"keys":"1"})"},
                                  std::string{R"({"keys":01})"},
                                  std::string{R"({"keys":1.5})"},
                                  std::string{R"({"keys":-1})"},
                                  std::string{R"({"keys":1e3})"},
                                  std::string{R"({"keys":4294967296})"},
                                  std::string{R"({"keys":1 2})"},
                                  R"({"x":)" + deep + "}",
                                  std::string{R"({"x":"a)"}}) {
    EXPECT_FALSE(read(json).good) << json;
  }
}

TEST(AnswerReader, WithoutMembersThatCountNothingIsGood) {
  AnswerReader reader;
  Collector sink;
  EXPECT_FALSE(reader.finish());
  reader.begin({});
  const std::string_view json = R"({"token":"a"})";
  reader.feed({reinterpret_cast<const std::uint8_t*>(json.data()), json.size()}, sink);
  EXPECT_FALSE(reader.finish());
  EXPECT_EQ(sink.text[0], "");
}

}  // namespace
}  // namespace otaria::device
