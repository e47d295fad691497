#include "contract/device/notice_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "contract/golden/goldens.hpp"

namespace otaria::contract {
namespace {

constexpr std::string_view digest_text =
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
constexpr std::string_view update_text = "01K0F3Z4Q8X5V7W9Y2B4D6F8HA";

std::string minimal() {
  return R"({"version":"1.4.0","url":"https://fw.example/x.bin","signature":")" +
         std::string{digest_text} + "\"}";
}

/// The minimal notice with more members, written as they come.
std::string with(const std::string& members) {
  std::string text = minimal();
  return text.insert(text.size() - 1, "," + members);
}

std::string with_update(const std::string& members = {}) {
  return with("\"update\":\"" + std::string{update_text} + "\"" +
              (members.empty() ? "" : "," + members));
}

std::string identity_of(const NoticeReading& reading) {
  if (!reading.has_identity) return "none";
  return reading.notice.update.empty() ? "digest" : "update";
}

/// What must hold of every reading, whatever the payload was.
void expect_sound(const NoticeReading& reading) {
  if (reading.defect == Defect::none) {
    EXPECT_TRUE(reading.member.empty());
    EXPECT_TRUE(reading.has_identity);
    EXPECT_FALSE(reading.notice.version.empty());
    EXPECT_FALSE(reading.notice.url.empty());
  }
  if (!reading.notice.update.empty()) {
    EXPECT_TRUE(is_update_id(reading.notice.update.view()));
  }
  if (reading.has_identity && reading.notice.update.empty()) {
    EXPECT_NE(reading.notice.digest, Digest{});
  }
}

class NoticeGolden : public testing::TestWithParam<Golden> {};

TEST_P(NoticeGolden, IsReadAsItsIndexSays) {
  const Golden& golden = GetParam();
  const NoticeReading reading = read_notice(golden.payload);
  EXPECT_EQ(name_of(reading.defect), golden.defect);
  EXPECT_EQ(reading.member.view(), golden.member);
  EXPECT_EQ(identity_of(reading), golden.identity);
  expect_sound(reading);
}

INSTANTIATE_TEST_SUITE_P(Each,
                         NoticeGolden,
                         testing::ValuesIn(load_goldens(OTARIA_SOURCE_DIR "/contract/golden",
                                                        "notice")),
                         [](const auto& golden) { return test_name_of(golden.param); });

TEST(NoticeReader, EveryMemberArrives) {
  const NoticeReading reading = read_notice(with_update(
      R"("size":922809,"force":true,"manifest":"https://fw.example/m.jws","spread":300,"not_before":1790000000,)"
      R"("deadline":1790086400)"));
  ASSERT_EQ(reading.defect, Defect::none);
  const Notice& notice = reading.notice;
  EXPECT_EQ(notice.version, "1.4.0");
  EXPECT_EQ(notice.url, "https://fw.example/x.bin");
  EXPECT_EQ(notice.digest, *digest_from_hex(digest_text));
  EXPECT_EQ(notice.size, 922809U);
  EXPECT_TRUE(notice.force);
  EXPECT_EQ(notice.update, update_text);
  EXPECT_EQ(notice.manifest, "https://fw.example/m.jws");
  EXPECT_EQ(notice.spread_s, 300U);
  EXPECT_EQ(notice.not_before, 1790000000U);
  EXPECT_EQ(notice.deadline, 1790086400U);
}

TEST(NoticeReader, AbsentOptionalMembersKeepTheirDefaults) {
  const NoticeReading reading = read_notice(minimal());
  ASSERT_EQ(reading.defect, Defect::none);
  EXPECT_FALSE(reading.notice.size || reading.notice.not_before || reading.notice.deadline);
  EXPECT_FALSE(reading.notice.force);
  EXPECT_TRUE(reading.notice.update.empty() && reading.notice.manifest.empty());
  EXPECT_EQ(reading.notice.spread_s, 0U);
}

TEST(NoticeReader, TheOrderOfMembersDoesNotMatter) {
  const NoticeReading reading =
      read_notice(R"({"update":"A","signature":")" + std::string{digest_text} +
                  R"(","deadline":7,"url":"http://h","version":"2.0.0"})");
  EXPECT_EQ(reading.defect, Defect::none);
  EXPECT_EQ(reading.notice.deadline, 7U);
  EXPECT_EQ(reading.notice.version, "2.0.0");
}

TEST(NoticeReader, EscapesAreDecodedIntoTheValues) {
  const NoticeReading reading = read_notice(
      R"({"\u0076ersion":"1.4.0\u002Drc","url":"https:\/\/fw.example\/x\u002ebin","signature":")" +
      std::string{digest_text} + "\"}");
  ASSERT_EQ(reading.defect, Defect::none);
  EXPECT_EQ(reading.notice.version, "1.4.0-rc");
  EXPECT_EQ(reading.notice.url, "https://fw.example/x.bin");
}

TEST(NoticeReader, MembersOfNestedObjectsAreNotTheNotices) {
  const NoticeReading reading =
      read_notice(with(R"("x":{"version":"9.9.9","update":"A"},"y":[{"force":true}])"));
  ASSERT_EQ(reading.defect, Defect::none);
  EXPECT_EQ(reading.notice.version, "1.4.0");
  EXPECT_FALSE(reading.notice.force);
  EXPECT_TRUE(reading.notice.update.empty());
}

TEST(NoticeReader, EveryTruncationIsNamedAndNoneHasAnIdentity) {
  const std::string whole =
      with_update(R"("size":922809,"force":false,"note":{"a":["\u00e4",1e3]})");
  ASSERT_EQ(read_notice(whole).defect, Defect::none);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    const NoticeReading reading = read_notice(std::string_view{whole}.substr(0, length));
    EXPECT_EQ(reading.defect, Defect::not_json);
    EXPECT_FALSE(reading.has_identity);
  }
}

TEST(NoticeReader, OtherReadableMembersSurviveADefect) {
  const NoticeReading reading = read_notice(with_update(R"("size":-1,"spread":5)"));
  EXPECT_EQ(reading.defect, Defect::out_of_range);
  EXPECT_EQ(reading.member, "size");
  EXPECT_TRUE(reading.has_identity);
  EXPECT_EQ(reading.notice.update, update_text);
  EXPECT_EQ(reading.notice.version, "1.4.0");
  EXPECT_EQ(reading.notice.digest, *digest_from_hex(digest_text));
  EXPECT_FALSE(reading.notice.size);
  EXPECT_EQ(reading.notice.spread_s, 5U);
}

TEST(NoticeReader, TheFirstDefectIsTheOneNamed) {
  const NoticeReading reading = read_notice(R"({"size":"x","force":3,"version":"1"})");
  EXPECT_EQ(reading.defect, Defect::wrong_type);
  EXPECT_EQ(reading.member, "size");
}

TEST(NoticeReader, TwoDifferentUpdatesNameNoUpdate) {
  const NoticeReading reading = read_notice(with(R"("update":"A","update":"B")"));
  EXPECT_EQ(reading.defect, Defect::duplicate_member);
  EXPECT_FALSE(reading.has_identity);
}

TEST(NoticeReader, ADefectInAMemberWithALongNameStillHasAWord) {
  const NoticeReading reading =
      read_notice(with_update("\"" + std::string(100, 'n') + R"(":"\u0000")"));
  EXPECT_EQ(reading.defect, Defect::bad_value);
  EXPECT_TRUE(reading.member.empty());
  EXPECT_TRUE(reading.has_identity);
}

TEST(NoticeReader, HugePayloadsAreRefusedUnread) {
  for (const std::string& payload : {std::string(100000, '['),
                                     std::string(2048, '"'),
                                     with("\"x\":\"" + std::string(2048, 'a') + "\""),
                                     std::string(5000000, '9')}) {
    const NoticeReading reading = read_notice(payload);
    EXPECT_EQ(reading.defect, Defect::too_long);
    EXPECT_FALSE(reading.has_identity);
  }
}

TEST(NoticeReader, AsMuchAsAPacketHoldsIsRead) {
  std::string payload = minimal();
  payload.resize(max_packet_bytes, ' ');
  EXPECT_EQ(read_notice(payload).defect, Defect::none);
  payload += ' ';
  EXPECT_EQ(read_notice(payload).defect, Defect::too_long);
}

TEST(NoticeReader, NeverReadsBehindThePayload) {
  // Exactly sized heap memory: the address sanitizer sees a single byte too far.
  const std::string whole = with_update();
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const std::vector<char> exact(whole.begin(),
                                  whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(read_notice({exact.data(), exact.size()}).defect == Defect::none,
              length == whole.size());
  }
}

/// Changes `payload` in one of the ways in which things break.
void mutate(std::string& payload, std::mt19937& random) {
  constexpr std::string_view spices[] = {"\"",
                                         "\\",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\\u0000",
                                         "\\ud800",
                                         "1e999",
                                         "null",
                                         "true",
                                         "\xFF",
                                         "\"update\":\"X\",",
                                         "-",
                                         "99999999999",
                                         " ",
                                         "\"version\":"};
  const std::size_t at = payload.empty() ? 0 : random() % payload.size();
  switch (random() % 5) {
    case 0:
      if (!payload.empty()) payload[at] = static_cast<char>(random());
      break;
    case 1:
      payload.erase(at, 1 + random() % 8);
      break;
    case 2:
      payload.insert(at, spices[random() % std::size(spices)]);
      break;
    case 3:
      payload.insert(at, payload.substr(at, random() % 32));
      break;
    default:
      if (!payload.empty()) payload[at] = static_cast<char>(payload[at] ^ (1 << random() % 8));
  }
}

TEST(NoticeReader, RandomDamageIsAlwaysEitherNamedOrHarmless) {
  const auto goldens = load_goldens(OTARIA_SOURCE_DIR "/contract/golden", "notice");
  std::mt19937 random{20260101};  // a fixed seed: a failure repeats
  std::set<Defect> met;
  for (int round = 0; round < 60000; ++round) {
    std::string payload = goldens[random() % goldens.size()].payload;
    for (std::size_t changes = 1 + random() % 4; changes > 0; --changes) mutate(payload, random);
    SCOPED_TRACE(testing::PrintToString(payload));
    const NoticeReading reading = read_notice(payload);
    expect_sound(reading);
    met.insert(reading.defect);
    if (HasFailure()) return;
  }
  EXPECT_EQ(met.size(), defect_names.size()) << "the damage must reach every defect";
}

}  // namespace
}  // namespace otaria::contract
