#include "device/notice/judge.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "device/result/figures.hpp"

namespace otaria::device {
namespace {

contract::Notice offer(std::string_view version, bool force = false) {
  contract::Notice notice;
  notice.version.assign(version);
  notice.url.assign("http://fw.example/x.bin");
  notice.force = force;
  return notice;
}

Situation running(std::string_view version) {
  Situation situation;
  situation.running_version = version;
  situation.max_image = 100000;
  situation.development = true;
  return situation;
}

TEST(Judge, LetsOnlyNewerVersionsPassUnlessForced) {
  struct Row {
    const char* runs;
    const char* offered;
    bool passes;
  };
  const Row rows[] = {
      {"1.3.0", "1.4.0", true},
      {"1.3.0", "1.3.1", true},
      {"1.9.0", "1.10.0", true},
      {"1.3.0", "1.3.0", false},
      {"1.3.0", "1.2.9", false},
      {"1.3.0", "1.3.0+build.7", false},  // build metadata is no order
      {"1.3.0", "1.3.0-rc.1", false},     // a pre-release comes before its release
      {"1.3.0-rc.1", "1.3.0", true},
      {"1.3.0-rc.2", "1.3.0-rc.10", true},
      {"1.3.0-alpha.beta", "1.3.0-alpha.1", false},
      {"what the SDK says",
       "0.0.1",
       true},  // a device that does not know what it runs can leave that state
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(::testing::Message() << row.runs << " -> " << row.offered);
    const Status plain = judge(offer(row.offered), running(row.runs));
    EXPECT_EQ(static_cast<bool>(plain), row.passes);
    if (!plain) {
      EXPECT_EQ(plain.error().fault, Fault::not_newer);
    }
    EXPECT_TRUE(judge(offer(row.offered, true), running(row.runs)));
  }
}

TEST(Judge, StopsAfterTheAttemptsThatAreAllowedUnlessForced) {
  Situation situation = running("1.0.0");
  for (std::uint32_t failed = 0; failed < 6; ++failed) {
    situation.failed_attempts = failed;
    const Status plain = judge(offer("2.0.0"), situation);
    EXPECT_EQ(static_cast<bool>(plain), failed < 3) << failed;
    if (!plain) {
      EXPECT_EQ(plain.error().fault, Fault::attempts_exhausted);
      EXPECT_EQ(plain.error().found, failed);
      EXPECT_EQ(plain.error().expected, 3);
    }
    EXPECT_TRUE(judge(offer("2.0.0", true), situation));
  }
}

TEST(Judge, RefusesWhatDoesNotFitForcedOrNot) {
  for (const bool force : {false, true}) {
    contract::Notice notice = offer("2.0.0", force);
    notice.size = 100000;
    EXPECT_TRUE(judge(notice, running("1.0.0")));
    for (const std::uint32_t size : {100001U, 0xFFFFFFFFU}) {
      notice.size = size;
      const Error error = judge(notice, running("1.0.0")).error();
      EXPECT_EQ(error.fault, Fault::too_large);
      EXPECT_EQ(error.found, size);
      EXPECT_EQ(error.expected, 100000);
    }
  }
}

TEST(Judge, RefusesAfterTheDeadlineButOnlyByASetClock) {
  contract::Notice notice = offer("2.0.0");
  notice.deadline = 1000;
  Situation situation = running("1.0.0");
  EXPECT_TRUE(judge(notice, situation));  // no clock: not reached
  situation.unix_s = 1000;
  EXPECT_TRUE(judge(notice, situation));
  situation.unix_s = 1001;
  EXPECT_EQ(judge(notice, situation).error().fault, Fault::notice_expired);
}

TEST(Judge, ADeviceInTheFieldFollowsNothingThatNoKeyInForceHasSigned) {
  for (const bool force : {false, true}) {
    Situation situation = running("1.0.0");
    situation.development = false;
    contract::Notice notice = offer("2.0.0", force);
    EXPECT_EQ(judge(notice, situation).error().fault, Fault::manifest_required);
    notice.manifest.assign("http://fw.example/m.jws");
    EXPECT_EQ(judge(notice, situation).error().fault, Fault::unknown_key);
  }
}

TEST(Judge, WithKeysTheManifestDecidesAllButTheDeadline) {
  for (const bool development : {false, true}) {
    Situation situation = running("3.0.0");
    situation.development = development;
    situation.keys = true;
    contract::Notice notice = offer("2.0.0");
    notice.manifest.assign("http://fw.example/m.jws");
    notice.deadline = 1000;
    EXPECT_TRUE(asks_for_manifest(notice, situation));
    EXPECT_TRUE(judge(notice, situation));
    situation.unix_s = 1001;
    EXPECT_EQ(judge(notice, situation).error().fault, Fault::notice_expired);
  }
}

TEST(Judge, AThreeFieldNoticeIsForDevelopmentOnlyWhateverKeysThereAre) {
  Situation situation = running("1.0.0");
  situation.keys = true;
  EXPECT_FALSE(asks_for_manifest(offer("2.0.0"), situation));
  EXPECT_TRUE(judge(offer("2.0.0"), situation));
  situation.development = false;
  EXPECT_EQ(judge(offer("2.0.0"), situation).error().fault, Fault::manifest_required);
}

TEST(JudgeChannel, AProductionDeviceWantsAManifestAndHttpsForBothUrls) {
  struct Row {
    const char* url;
    const char* manifest;
    bool plain_http;
    Fault fault;
  };
  const Row rows[] = {
      {"https://h/x", "https://h/m.jws", false, Fault::none},
      {"https://h/x", "", false, Fault::manifest_required},
      {"http://h/x", "https://h/m.jws", false, Fault::bad_notice},
      {"https://h/x", "http://h/m.jws", false, Fault::bad_notice},
      {"http://h/x", "", false, Fault::bad_notice},
      {"http://h/x", "http://h/m.jws", true, Fault::none},
      {"http://h/x", "", true, Fault::manifest_required},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string{row.url} + " " + row.manifest);
    contract::Notice notice = offer("2.0.0");
    notice.url.assign(row.url);
    notice.manifest.assign(row.manifest);
    Identity identity;
    identity.plain_http = row.plain_http;
    const Status judged = judge_channel(notice, identity);
    EXPECT_EQ(judged.error().fault, row.fault);
    EXPECT_EQ(judged.error().expected, row.fault == Fault::bad_notice ? plain_http_url : 0);
    identity.development = true;
    EXPECT_TRUE(judge_channel(notice, identity));
  }
}

TEST(CourtesyWait, IsASecondWithinTheSpreadOrNone) {
  contract::Notice notice = offer("2.0.0");
  EXPECT_EQ(courtesy_wait_s(notice, std::nullopt, 12345), 0U);
  notice.spread_s = 300;
  EXPECT_EQ(courtesy_wait_s(notice, std::nullopt, 0), 0U);
  EXPECT_EQ(courtesy_wait_s(notice, std::nullopt, 300), 300U);
  EXPECT_EQ(courtesy_wait_s(notice, std::nullopt, 301), 0U);
  for (std::uint32_t random = 0; random < 4000000000U; random += 123456789) {
    EXPECT_LE(courtesy_wait_s(notice, std::nullopt, random), 300U);
  }
}

TEST(CourtesyWait, ReachesToTheWindowAndSpreadsWithinIt) {
  contract::Notice notice = offer("2.0.0");
  notice.not_before = 5000;
  EXPECT_EQ(courtesy_wait_s(notice, 4000, 0), 1000U);
  EXPECT_EQ(courtesy_wait_s(notice, 5000, 0), 0U);
  EXPECT_EQ(courtesy_wait_s(notice, 6000, 0), 0U);
  EXPECT_EQ(courtesy_wait_s(notice, std::nullopt, 0), 0U);  // no clock: counts as passed
  notice.spread_s = 60;
  EXPECT_EQ(courtesy_wait_s(notice, 4000, 59), 1059U);
}

TEST(CourtesyWait, DoesNotOverflowInHostileHands) {
  contract::Notice notice = offer("2.0.0");
  notice.not_before = 0xFFFFFFFF;
  notice.spread_s = 0xFFFFFFFF;
  EXPECT_EQ(courtesy_wait_s(notice, 0, 0xFFFFFFFF), 0xFFFFFFFFU);
  EXPECT_EQ(courtesy_wait_s(notice, 1, 0xFFFFFFFF), 0xFFFFFFFFU);
}

TEST(CourtesyWait, IsNoneForAForcedUpdate) {
  contract::Notice notice = offer("2.0.0", true);
  notice.not_before = 5000;
  notice.spread_s = 60;
  EXPECT_EQ(courtesy_wait_s(notice, 4000, 59), 0U);
}

}  // namespace
}  // namespace otaria::device
