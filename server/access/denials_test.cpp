#include "server/access/denials.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

Denial some_denial(std::int64_t at,
                   const std::string& source = "192.0.2.1",
                   const std::string& code = "token_invalid") {
  return {.actor = "anonymous",
          .source = source,
          .verb = "GET /api/v1/devices",
          .subject = "/api/v1/devices",
          .code = code,
          .at = at};
}

TEST(Denials, TellsTheFirstAtOnceAndCountsItsRepeats) {
  Denials denials;
  ASSERT_TRUE(denials.note(some_denial(1000)));
  for (int i = 0; i < 500; ++i) EXPECT_FALSE(denials.note(some_denial(1001)));
  EXPECT_TRUE(denials.due(1059).empty());
  const auto due = denials.due(1060);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].repeated, 500u);
  EXPECT_EQ(due[0].code, "token_invalid");
  EXPECT_TRUE(denials.due(2000).empty());
  EXPECT_TRUE(denials.note(some_denial(2000)));
}

TEST(Denials, ThatStoodAloneNeedNoSummary) {
  Denials denials;
  EXPECT_TRUE(denials.note(some_denial(1000)));
  EXPECT_TRUE(denials.due(1060).empty());
}

TEST(Denials, OfOtherKindsAreToldApart) {
  Denials denials;
  EXPECT_TRUE(denials.note(some_denial(1000)));
  EXPECT_TRUE(denials.note(some_denial(1000, "192.0.2.2")));
  EXPECT_TRUE(denials.note(some_denial(1000, "192.0.2.1", "forbidden")));
}

TEST(Denials, OfCountlessSourcesEndInOneRow) {
  Denials denials;
  std::size_t rows = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (denials.note(some_denial(1000, "source " + std::to_string(i)))) ++rows;
  }
  EXPECT_EQ(rows, Denials::most_kinds + 1);
  const auto due = denials.due(1000, true);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].source, "others");
  EXPECT_EQ(due[0].repeated, 100'000 - Denials::most_kinds - 1);
}

}  // namespace
}  // namespace otaria::server
