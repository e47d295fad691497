#include "server/http/range.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace otaria::server {
namespace {

bool operator==(const FileSelection& a, const FileSelection& b) {
  return a.status == b.status && a.offset == b.offset && a.length == b.length;
}

TEST(Range, SelectsWhatTheStandardSays) {
  struct Row {
    std::string range;
    std::uint64_t size;
    FileSelection expected;
  };
  const Row rows[] = {
      {"bytes=0-0", 10, {206, 0, 1}},
      {"bytes=0-9", 10, {206, 0, 10}},
      {"bytes=0-99", 10, {206, 0, 10}},
      {"bytes=9-", 10, {206, 9, 1}},
      {"bytes=10-", 10, {416, 0, 0}},
      {"bytes=10-20", 10, {416, 0, 0}},
      {"bytes=-3", 10, {206, 7, 3}},
      {"bytes=-30", 10, {206, 0, 10}},
      {"bytes=-0", 10, {416, 0, 0}},
      {"bytes=0-", 0, {416, 0, 0}},
      {"bytes=-5", 0, {200, 0, 0}},
      {"BYTES= 1-2 ", 10, {206, 1, 2}},
      {"bytes=0-99999999999999999999999", 10, {206, 0, 10}},
      {"bytes=99999999999999999999999-", 10, {416, 0, 0}},
      {"bytes=-99999999999999999999999", 10, {206, 0, 10}},
      {"bytes=5-2", 10, {200, 0, 10}},
      {"bytes=0-1,3-4", 10, {200, 0, 10}},
      {"bytes=-", 10, {200, 0, 10}},
      {"bytes=", 10, {200, 0, 10}},
      {"bytes", 10, {200, 0, 10}},
      {"bytes=a-b", 10, {200, 0, 10}},
      {"bytes=1-2x", 10, {200, 0, 10}},
      {"bytes=--2", 10, {200, 0, 10}},
      {"bytes=+1-2", 10, {200, 0, 10}},
      {"lines=1-2", 10, {200, 0, 10}},
  };
  for (const Row& row : rows) {
    EXPECT_TRUE(select_range(row.range, row.size) == row.expected) << row.range;
  }
}

TEST(Range, JudgesIfNoneMatchBeforeRange) {
  const FileConditions conditions{"bytes=0-1", "\"a\"", "\"b\", \"a\""};
  EXPECT_EQ(select_part(conditions, "\"a\"", 10).status, 304);
  EXPECT_EQ(select_part(conditions, "\"c\"", 10).status, 200);
  EXPECT_EQ(select_part({"bytes=0-1", "", "*"}, "\"a\"", 10).status, 304);
  EXPECT_EQ(select_part({"bytes=0-1", "", "\"broken"}, "\"a\"", 10).status, 206);
}

/// The definition, said as slowly as possible: which byte positions belong to the answer.
std::vector<std::uint64_t> wanted_bytes(bool suffix,
                                        std::uint64_t first,
                                        std::uint64_t last,
                                        std::uint64_t size) {
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t i = 0; i < size; ++i) {
    if (suffix ? size - i <= last : i >= first && i <= last) wanted.push_back(i);
  }
  return wanted;
}

RC_GTEST_PROP(Range, SelectsTheBytesOfTheDefinition, ()) {
  const auto size = *rc::gen::inRange<std::uint64_t>(1, 60);
  const auto first = *rc::gen::inRange<std::uint64_t>(0, 80);
  const auto last = *rc::gen::inRange<std::uint64_t>(first, 90);
  const auto suffix = *rc::gen::arbitrary<bool>();
  const auto text = "bytes=" + (suffix ? "" : std::to_string(first)) + "-" + std::to_string(last);
  const auto wanted = wanted_bytes(suffix, first, last, size);
  const FileSelection got = select_range(text, size);
  RC_ASSERT(got.status == (wanted.empty() ? 416 : 206));
  RC_ASSERT(got.length == wanted.size());
  if (!wanted.empty()) RC_ASSERT(got.offset == wanted.front());
}

RC_GTEST_PROP(Range, NeverLeavesTheFileWhateverItIsAsked, (const std::string& text)) {
  const auto size = *rc::gen::inRange<std::uint64_t>(0, 1000);
  for (const std::string& range : {text, "bytes=" + text}) {
    const FileSelection got = select_range(range, size);
    RC_ASSERT(got.offset <= size);
    RC_ASSERT(got.length <= size - got.offset);
  }
}

}  // namespace
}  // namespace otaria::server
