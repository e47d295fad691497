#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "contract/device/notice_reader.hpp"
#include "contract/golden/goldens.hpp"
#include "contract/json_text.hpp"

// The strict check is ours, so it is held against a parser that is not.
namespace otaria::contract {
namespace {

/// Where nlohmann/json takes more than RFC 8259 does nothing is compared: it skips a byte order
/// mark and stops reading at a NUL. It knows no limit of depth and takes \u0000, so only the other
/// defects are.
void expect_agreement(const std::string& text) {
  if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string::npos) return;
  SCOPED_TRACE(testing::PrintToString(text));
  const JsonCheck check = check_json(text);
  const bool theirs = nlohmann::json::accept(text);
  switch (check.defect) {
    case Defect::none:
      EXPECT_TRUE(theirs);
      break;
    case Defect::not_json:
    case Defect::bad_utf8:
      EXPECT_FALSE(theirs);
      break;
    default:
      break;
  }
}

TEST(ReaderAgreement, TheStrictCheckTakesExactlyWhatAnotherParserTakes) {
  constexpr std::string_view pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ":",
                                         ",",
                                         "\"a\"",
                                         "\"",
                                         "\\",
                                         "\\u00e4",
                                         "\\ud83d\\ude00",
                                         "\\ud800",
                                         "0",
                                         "1",
                                         "-",
                                         ".",
                                         "e",
                                         "E+",
                                         "true",
                                         "false",
                                         "null",
                                         "tru",
                                         " ",
                                         "\n",
                                         "\t",
                                         "\x01",
                                         "\xC3\xA4",
                                         "\xC3",
                                         "\xED\xA0\x80",
                                         "/",
                                         "\\/",
                                         "\\n",
                                         "{\"a\":1}",
                                         "[1,2]",
                                         "\"b\":"};
  std::mt19937 random{20260103};
  for (int round = 0; round < 200000; ++round) {
    std::string text;
    for (std::size_t count = random() % 12; count > 0; --count)
      text += pieces[random() % std::size(pieces)];
    expect_agreement(text);
    if (HasFailure()) return;
  }
}

TEST(ReaderAgreement, DamagedGoldensAreJudgedAlike) {
  std::mt19937 random{20260104};
  for (std::string_view message : {"notice", "status", "state"}) {
    for (const Golden& golden : load_goldens(OTARIA_SOURCE_DIR "/contract/golden", message)) {
      expect_agreement(golden.payload);
      for (int round = 0; round < 100 && !golden.payload.empty(); ++round) {
        std::string text = golden.payload;
        text[random() % text.size()] = static_cast<char>(random());
        expect_agreement(text);
        if (HasFailure()) return;
      }
    }
  }
}

TEST(ReaderAgreement, AcceptedNoticesSayWhatAnotherParserReads) {
  std::mt19937 random{20260105};
  const auto goldens = load_goldens(OTARIA_SOURCE_DIR "/contract/golden", "notice");
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = goldens[random() % goldens.size()].payload;
    if (text.empty()) continue;
    if (round % 4 != 0) text[random() % text.size()] = static_cast<char>(random() % 96 + 32);
    const NoticeReading reading = read_notice(text);
    if (reading.defect != Defect::none) continue;
    ++accepted;
    SCOPED_TRACE(text);
    const nlohmann::json theirs = nlohmann::json::parse(text);
    const auto hex = hex_of(reading.notice.digest);
    EXPECT_EQ(theirs.at("version"), reading.notice.version.view());
    EXPECT_EQ(theirs.at("url"), reading.notice.url.view());
    EXPECT_EQ(theirs.at("signature"), std::string_view(hex.data(), hex.size()));
    EXPECT_EQ(theirs.value("force", false), reading.notice.force);
    EXPECT_EQ(theirs.value("update", ""), reading.notice.update.view());
    EXPECT_EQ(theirs.value("manifest", ""), reading.notice.manifest.view());
    EXPECT_EQ(theirs.value("spread", 0U), reading.notice.spread_s);
    EXPECT_EQ(theirs.contains("size"), reading.notice.size.has_value());
    EXPECT_EQ(theirs.value("size", 0U), reading.notice.size.value_or(0));
    EXPECT_EQ(theirs.value("not_before", 0U), reading.notice.not_before.value_or(0));
    EXPECT_EQ(theirs.value("deadline", 0U), reading.notice.deadline.value_or(0));
    if (HasFailure()) return;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace otaria::contract
