#include "operator/cli/sse_parser.hpp"

#include <gtest/gtest.h>

namespace otaria::cli {
namespace {

TEST(SseParser, GivesTheSameEventsHoweverTheBytesArePieced) {
  const std::string text =
      ": hi\r\nevent: update\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:x\n\nevent: none\n\nid: "
      "7\ndata\n\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    SCOPED_TRACE(::testing::Message() << piece << " bytes at a time");
    SseParser parser;
    std::vector<ServerEvent> events;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      for (auto& event : parser.feed(std::string_view(text).substr(at, piece)))
        events.push_back(event);
    }
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].name, "update");
    EXPECT_EQ(events[0].data, "{\"a\":\n1}");
    EXPECT_EQ(events[1].name, "message");
    EXPECT_EQ(events[1].data, "x");
    EXPECT_EQ(events[2].data, "");
  }
}

TEST(SseParser, DropsAnEndlessEventAndGoesOnWithTheNext) {
  SseParser parser;
  EXPECT_TRUE(parser.feed("data: " + std::string(3 << 20, 'x')).empty());
  EXPECT_TRUE(parser.feed("\n\n").empty());
  EXPECT_EQ(parser.feed("data: y\n\n").size(), 1U);
  for (int i = 0; i < 2000; ++i)
    EXPECT_TRUE(parser.feed("data: " + std::string(1024, 'x') + "\n").empty());
  EXPECT_TRUE(parser.feed("\n").empty());
  EXPECT_EQ(parser.feed("data: z\n\n").size(), 1U);
}

TEST(SseParser, AnEventCutByTheEndOfTheStreamIsForgotten) {
  SseParser parser;
  parser.feed("data: half");
  parser.reset();
  const auto events = parser.feed("data: whole\n\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].data, "whole");
}

}  // namespace
}  // namespace otaria::cli
