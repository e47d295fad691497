#include "device/download/response.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace otaria::device {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Length = std::optional<std::uint32_t>;

ResponseHead head_of(const Fields& fields) {
  ResponseHead head;
  for (const auto& [name, value] : fields) head.add(name, value);
  return head;
}

TEST(ResponseHead, ReadsContentLengthsAndTrustsNoneThatIsNotOnePlainNumber) {
  struct Row {
    Fields fields;
    Length length;
  };
  const Row rows[] = {
      {{}, std::nullopt},
      {{{"Content-Length", "0"}}, 0},
      {{{"Content-Length", "922809"}}, 922809},
      {{{"CONTENT-length", "  7\t\r\n"}}, 7},
      {{{"Content-Length", "4294967295"}}, 4294967295U},
      {{{"Content-Length", "4294967296"}}, std::nullopt},
      {{{"Content-Length", "99999999999999999999999999"}}, std::nullopt},
      {{{"Content-Length", "-1"}}, std::nullopt},
      {{{"Content-Length", "+1"}}, std::nullopt},
      {{{"Content-Length", "0x10"}}, std::nullopt},
      {{{"Content-Length", "1e3"}}, std::nullopt},
      {{{"Content-Length", "12 34"}}, std::nullopt},
      {{{"Content-Length", "5, 5"}}, std::nullopt},
      {{{"Content-Length", ""}}, std::nullopt},
      {{{"Content-Length", std::string("5\0", 2)}}, std::nullopt},
      {{{"Content-Length", "5"}, {"Content-Length", "5"}}, 5},
      {{{"Content-Length", "5"}, {"Content-Length", "6"}}, std::nullopt},
      {{{"Content-Length", "5"}, {"Content-Length", "6"}, {"Content-Length", "5"}}, std::nullopt},
      {{{"Content-Length", "x"}, {"Content-Length", "6"}}, std::nullopt},
      {{{"X-Content-Length", "5"}}, std::nullopt},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.fields.empty() ? "none" : row.fields.front().second);
    EXPECT_EQ(head_of(row.fields).content_length(), row.length);
  }
}

TEST(ResponseHead, ReadsContentRangesOfOneKnownPart) {
  struct Row {
    std::string value;
    std::optional<ResponseHead::Range> range;
  };
  using Range = ResponseHead::Range;
  const Row rows[] = {
      {"bytes 0-0/1", Range{0, 0, 1}},
      {"bytes 16384-922808/922809", Range{16384, 922808, 922809}},
      {"BYTES 1-2/3", Range{1, 2, 3}},
      {"bytes  1-2/3 ", Range{1, 2, 3}},
      {"bytes 4294967293-4294967294/4294967295", Range{4294967293U, 4294967294U, 4294967295U}},
      {"bytes 1-2/*", std::nullopt},  // total unknown
      {"bytes */3", std::nullopt},    // of a 416
      {"bytes 2-1/3", std::nullopt},  // backwards
      {"bytes 1-3/3", std::nullopt},  // beyond the end
      {"bytes 0-4294967295/4294967295", std::nullopt},
      {"bytes 0-1/4294967296", std::nullopt},  // more than 32 bits
      {"bytes -1-2/3", std::nullopt},
      {"bytes 1--2/3", std::nullopt},
      {"bytes 1-2", std::nullopt},
      {"bytes 1/2-3", std::nullopt},
      {"bytes 1-2/3/4", std::nullopt},
      {"bytes=1-2/3", std::nullopt},
      {"items 1-2/3", std::nullopt},
      {"bytes 0-1/9, bytes 4-5/9", std::nullopt},
      {"bytes", std::nullopt},
      {"bytes ", std::nullopt},
      {"", std::nullopt},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.value);
    const auto found = head_of({{"Content-Range", row.value}}).content_range();
    ASSERT_EQ(found.has_value(), row.range.has_value());
    if (!found) continue;
    EXPECT_EQ(found->first, row.range->first);
    EXPECT_EQ(found->last, row.range->last);
    EXPECT_EQ(found->total, row.range->total);
  }
}

TEST(ResponseHead, KeepsStrongEntityTagsOnly) {
  const std::string long_tag = "\"" + std::string(70, 'e') + "\"";
  const std::pair<std::string, std::string> rows[] = {
      {"\"abc\"", "\"abc\""},
      {" \"abc\" ", "\"abc\""},
      {"\"\"", "\"\""},
      {"\"!#\xC3\xA9\"", "\"!#\xC3\xA9\""},  // obs-text is allowed
      {long_tag, long_tag},
      {"\"" + std::string(71, 'e') + "\"", ""},
      {"W/\"abc\"", ""},
      {"w/\"abc\"", ""},
      {"abc", ""},
      {"\"abc", ""},
      {"abc\"", ""},
      {"\"", ""},
      {"", ""},
      {"\"a\", \"b\"", ""},
      {"\"a b\"", ""},
      {"\"a\r\nX-Evil: 1\"", ""},
      {std::string("\"a\0b\"", 5), ""},
      {"\"a\x7F\"", ""},
  };
  for (const auto& [value, kept] : rows) {
    SCOPED_TRACE(value);
    EXPECT_EQ(head_of({{"ETag", value}}).etag(), kept);
  }
}

TEST(ResponseHead, AWeakEntityTagTakesTheStrongOneBack) {
  EXPECT_EQ(head_of({{"ETag", "\"a\""}, {"ETag", "W/\"a\""}}).etag(), "");
}

TEST(ResponseHead, TakesRetryAfterAsSecondsOnly) {
  const std::pair<std::string, Length> rows[] = {
      {"0", 0},
      {"120", 120},
      {" 5 ", 5},
      {"-5", std::nullopt},
      {"1.5", std::nullopt},
      {"4294967296", std::nullopt},
      {"Wed, 21 Oct 2015 07:28:00 GMT", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& [value, seconds] : rows) {
    SCOPED_TRACE(value);
    EXPECT_EQ(head_of({{"retry-after", value}}).retry_after_s(), seconds);
  }
}

TEST(ResponseHead, AnyContentCodingButIdentityMakesTheBodyNotTheFile) {
  EXPECT_FALSE(head_of({}).is_encoded());
  EXPECT_FALSE(head_of({{"Content-Encoding", "Identity"}}).is_encoded());
  for (const char* coding : {"gzip", "br", "identity, gzip", "gzip, identity"}) {
    EXPECT_TRUE(head_of({{"Content-Encoding", coding}}).is_encoded()) << coding;
  }
  EXPECT_TRUE(
      head_of({{"Content-Encoding", "gzip"}, {"Content-Encoding", "identity"}}).is_encoded());
}

TEST(ResponseHead, IsEmptyAgainAfterClear) {
  ResponseHead head = head_of({{"Content-Length", "5"},
                               {"ETag", "\"a\""},
                               {"Content-Encoding", "gzip"},
                               {"Content-Range", "bytes 0-1/2"},
                               {"Retry-After", "3"}});
  head.clear();
  EXPECT_FALSE(head.content_length() || head.content_range() || head.retry_after_s() ||
               head.is_encoded());
  EXPECT_TRUE(head.etag().empty());
  head.add("Content-Length", "6");
  EXPECT_EQ(head.content_length(), 6U);
}

// --- judgements
// ----------------------------------------------------------------------------------------------------------

constexpr auto body = ResponseVerdict::body;
constexpr auto from_start = ResponseVerdict::from_start;
constexpr auto retry = ResponseVerdict::retry;
constexpr auto expired_url = ResponseVerdict::expired_url;
constexpr auto give_up = ResponseVerdict::give_up;

struct Case {
  const char* what;
  std::uint32_t status;
  Fields fields;
  DownloadRequest request;
  ResponseVerdict verdict;
  Fault wrong_size = Fault::none;  ///< none: the size is as it should be
};

// 1,000 bytes announced, 5,000 fit.
constexpr DownloadRequest whole{0, 1000, 5000};
constexpr DownloadRequest rest{400, 1000, 5000};
constexpr DownloadRequest unannounced{0, 0, 5000};

const Case cases[] = {
    {"the whole file", 200, {{"Content-Length", "1000"}}, whole, body},
    {"a file of unknown size", 200, {{"Content-Length", "1000"}}, unannounced, body},
    {"a file that just fits", 200, {{"Content-Length", "5000"}}, unannounced, body},
    {"a range that was ignored", 200, {{"Content-Length", "1000"}}, rest, from_start},
    {"a file that does not fit",
     200,
     {{"Content-Length", "5001"}},
     unannounced,
     body,
     Fault::too_large},
    {"a file larger than announced",
     200,
     {{"Content-Length", "1001"}},
     whole,
     body,
     Fault::too_large},
    {"a file smaller than announced",
     200,
     {{"Content-Length", "999"}},
     whole,
     body,
     Fault::download_failed},
    {"an empty file", 200, {{"Content-Length", "0"}}, unannounced, body, Fault::download_failed},
    {"no length", 200, {}, whole, give_up},
    {"a length of no meaning", 200, {{"Content-Length", "4294967296"}}, whole, give_up},
    {"two lengths", 200, {{"Content-Length", "1000"}, {"Content-Length", "999"}}, whole, give_up},
    {"an encoded file",
     200,
     {{"Content-Length", "1000"}, {"Content-Encoding", "gzip"}},
     whole,
     give_up},

    {"the rest",
     206,
     {{"Content-Range", "bytes 400-999/1000"}, {"Content-Length", "600"}},
     rest,
     body},
    {"the rest, without a length", 206, {{"Content-Range", "bytes 400-999/1000"}}, rest, body},
    {"a part of the rest", 206, {{"Content-Range", "bytes 400-998/1000"}}, rest, retry},
    {"another part", 206, {{"Content-Range", "bytes 401-999/1000"}}, rest, retry},
    {"a part of another file", 206, {{"Content-Range", "bytes 400-1000/1001"}}, rest, retry},
    {"a part of a file too large",
     206,
     {{"Content-Range", "bytes 0-5000/5001"}},
     unannounced,
     retry},
    {"a part that lies about its length",
     206,
     {{"Content-Range", "bytes 400-999/1000"}, {"Content-Length", "601"}},
     rest,
     retry},
    {"an encoded part",
     206,
     {{"Content-Range", "bytes 400-999/1000"}, {"Content-Encoding", "br"}},
     rest,
     retry},
    {"several parts", 206, {{"Content-Type", "multipart/byteranges; boundary=x"}}, rest, retry},
    {"a part of unknown total", 206, {{"Content-Range", "bytes 400-999/*"}}, rest, retry},

    {"no content", 204, {}, whole, give_up},
    {"a redirect the platform did not follow", 301, {{"Location", "/x"}}, whole, give_up},
    {"not modified", 304, {}, whole, give_up},
    {"bad request", 400, {}, whole, give_up},
    {"unauthorised", 401, {}, whole, expired_url},
    {"forbidden", 403, {}, rest, expired_url},
    {"not found", 404, {}, whole, give_up},
    {"request timeout", 408, {}, whole, retry},
    {"gone", 410, {}, whole, expired_url},
    {"range not satisfiable", 416, {{"Content-Range", "bytes */10"}}, rest, retry},
    {"too early", 425, {}, whole, retry},
    {"too many requests", 429, {}, whole, retry},
    {"server error", 500, {}, whole, retry},
    {"bad gateway", 502, {}, whole, retry},
    {"unavailable", 503, {{"Retry-After", "7"}}, whole, retry},
    {"a status of no class", 999, {}, whole, retry},
    {"no status", 0, {}, whole, give_up},
    {"a status beyond all reason", 4294967295U, {}, whole, retry},
};

TEST(JudgeResponse, FollowsTheTable) {
  for (const Case& row : cases) {
    SCOPED_TRACE(row.what);
    const ResponseJudgement judged = judge_response(row.status, head_of(row.fields), row.request);
    EXPECT_EQ(static_cast<int>(judged.verdict), static_cast<int>(row.verdict));
    EXPECT_EQ(judged.wrong_size, row.wrong_size != Fault::none);
    if (judged.wrong_size) {
      EXPECT_EQ(judged.error.fault, row.wrong_size);
    }
  }
}

TEST(JudgeResponse, NeverLetsABodyThroughThatIsLargerThanTheSlotWithoutSayingSo) {
  for (const Case& row : cases) {
    const ResponseJudgement judged = judge_response(row.status, head_of(row.fields), row.request);
    if (judged.verdict != body && judged.verdict != from_start) continue;
    EXPECT_TRUE(judged.wrong_size || judged.total <= row.request.largest) << row.what;
  }
}

TEST(JudgeResponse, NamesTheStatusAndWhatWasInHand) {
  const ResponseJudgement judged = judge_response(404, {}, rest);
  EXPECT_EQ(judged.error.fault, Fault::download_failed);
  EXPECT_EQ(judged.error.found, 404);
  EXPECT_EQ(judged.error.expected, 400);
}

TEST(JudgeResponse, NamesBothSizesOfAFileTooLarge) {
  const ResponseJudgement judged =
      judge_response(200, head_of({{"Content-Length", "5001"}}), unannounced);
  EXPECT_EQ(judged.error.found, 5001);
  EXPECT_EQ(judged.error.expected, 5000);
}

TEST(JudgeResponse, HandsOnRetryAfter) {
  EXPECT_EQ(judge_response(503, head_of({{"Retry-After", "7"}}), whole).retry_after_s, 7U);
  EXPECT_EQ(judge_response(429, head_of({{"Retry-After", "later"}}), whole).retry_after_s,
            std::nullopt);
}

struct FileCase {
  const char* what;
  std::uint32_t status;
  Fields fields;
  ResponseVerdict verdict;
  std::uint32_t total;
  bool wrong_size;
};

TEST(JudgeFileResponse, TakesWholeFilesWithinTheLimitAndNothingElse) {
  using enum ResponseVerdict;
  const FileCase file_cases[] = {
      {"a whole file", 200, {{"Content-Length", "631"}}, body, 631, false},
      {"the largest", 200, {{"Content-Length", "4096"}}, body, 4096, false},
      {"without length: the bytes are counted", 200, {}, body, 0, false},
      {"with two lengths", 200, {{"Content-Length", "5"}, {"Content-Length", "6"}}, body, 0, false},
      {"one byte too long", 200, {{"Content-Length", "4097"}}, give_up, 4097, true},
      {"nothing", 200, {{"Content-Length", "0"}}, give_up, 0, true},
      {"packed", 200, {{"Content-Length", "9"}, {"Content-Encoding", "gzip"}}, give_up, 0, false},
      {"a part nobody asked for",
       206,
       {{"Content-Range", "bytes 0-8/9"}, {"Content-Length", "9"}},
       give_up,
       0,
       false},
      {"a redirect that was not followed", 302, {}, give_up, 0, false},
      {"not found", 404, {}, give_up, 0, false},
      {"forbidden: these files are open", 403, {}, give_up, 0, false},
      {"gone", 410, {}, give_up, 0, false},
      {"no such range, and none was asked for", 416, {}, give_up, 0, false},
      {"too many requests", 429, {}, retry, 0, false},
      {"busy", 503, {}, retry, 0, false},
  };
  for (const FileCase& row : file_cases) {
    SCOPED_TRACE(row.what);
    const ResponseJudgement judged = judge_file_response(row.status, head_of(row.fields), 4096);
    EXPECT_EQ(judged.verdict, row.verdict);
    EXPECT_EQ(judged.total, row.total);
    EXPECT_EQ(judged.wrong_size, row.wrong_size);
  }
}

TEST(JudgeFileResponse, NamesStatusSizeAndWait) {
  EXPECT_EQ(judge_file_response(404, {}, 4096).error.found, 404);
  EXPECT_EQ(judge_file_response(503, head_of({{"Retry-After", "7"}}), 4096).retry_after_s, 7U);
  const ResponseJudgement large =
      judge_file_response(200, head_of({{"Content-Length", "5000"}}), 4096);
  EXPECT_EQ(large.error.fault, Fault::too_large);
  EXPECT_EQ(large.error.found, 5000);
  EXPECT_EQ(large.error.expected, 4096);
}

}  // namespace
}  // namespace otaria::device
