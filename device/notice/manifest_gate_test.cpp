#include "device/notice/manifest_gate.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "device/result/figures.hpp"

namespace otaria::device {
namespace {

using contract::Manifest;
using contract::Notice;

constexpr std::string_view release = "01JD8Z6T9K3M5Q7S9V1X3Z5B7D";

/// A device, an offer and its manifest that agree; tests bend one thing.
struct Offer {
  Offer() {
    identity.product.assign("sensor");
    identity.hardware.assign("esp32s3-8mb");
    identity.channel.assign("stable");
    manifest.release.assign(release);
    manifest.product.assign("sensor");
    manifest.chip.assign("esp32s3");
    manifest.version.assign("1.4.0");
    manifest.size = 1000;
    manifest.digest.bytes.fill(0xAB);
    manifest.security_counter = 5;
    manifest.issued = 1790000000;
    manifest.expires = 1800000000;
    manifest.keys = 2;
    notice.version.assign("1.4.0");
    notice.digest.bytes.fill(0xAB);
    notice.size = 1000;
    notice.url.assign("https://fw.example/firmware/x.bin");
    notice.manifest.assign("https://fw.example/manifests/" + std::string{release} + ".jws");
    reading.format = 1;
  }
  [[nodiscard]] GateJudgement judge() const {
    ManifestSituation situation{identity};
    situation.running_version = running;
    situation.max_image = 1000;
    situation.keys_serial = 2;
    situation.security_floor = floor;
    situation.time_floor = time_floor;
    situation.failed_attempts = failed;
    return judge_manifest(reading, manifest, notice, situation);
  }
  Identity identity;
  Manifest manifest;
  Notice notice;
  contract::ManifestReading reading;
  std::string_view running = "1.3.0";
  std::uint32_t floor = 5;
  std::uint32_t time_floor = 1790000000;
  std::uint32_t failed = 0;
};

struct Row {
  const char* what;
  std::function<void(Offer&)> bend;
  Fault fault;
  bool forceable = false;
};

const Row rows[] = {
    {"another version",
     [](Offer& o) { o.notice.version.assign("1.5.0"); },
     Fault::manifest_mismatch},
    {"another digest", [](Offer& o) { o.notice.digest.bytes[31] ^= 1; }, Fault::manifest_mismatch},
    {"another size", [](Offer& o) { o.notice.size = 999; }, Fault::manifest_mismatch},
    {"another release",
     [](Offer& o) {
       o.notice.manifest.assign("https://fw.example/manifests/01JD8Z6T9K3M5Q7S9V1X3Z5B7E.jws");
     },
     Fault::manifest_mismatch},
    {"no release in the URL",
     [](Offer& o) { o.notice.manifest.assign("https://fw.example/m"); },
     Fault::manifest_mismatch},
    {"another product", [](Offer& o) { o.manifest.product.assign("valve"); }, Fault::wrong_product},
    {"other hardware",
     [](Offer& o) {
       o.manifest.hardware[0].assign("esp32s3-4mb");
       o.manifest.hardware_count = 1;
     },
     Fault::wrong_hardware},
    {"another chip", [](Offer& o) { o.manifest.chip.assign("esp32c6"); }, Fault::wrong_chip},
    {"another channel", [](Offer& o) { o.manifest.channel.assign("beta"); }, Fault::wrong_channel},
    {"too large", [](Offer& o) { o.manifest.size = *(o.notice.size = 1001); }, Fault::too_large},
    {"counter below the floor", [](Offer& o) { o.floor = 6; }, Fault::security_counter},
    {"counter too far above",
     [](Offer& o) { o.manifest.security_counter = 5 + 257; },
     Fault::security_counter},
    {"expired", [](Offer& o) { o.time_floor = 1800000001; }, Fault::manifest_expired},
    {"a step between",
     [](Offer& o) { o.manifest.min_version.assign("1.9.0"); },
     Fault::step_required},
    {"not newer", [](Offer& o) { o.running = "1.4.0"; }, Fault::not_newer, true},
    {"attempts used up", [](Offer& o) { o.failed = 3; }, Fault::attempts_exhausted, true},
    {"a newer format", [](Offer& o) { o.reading.too_new = true; }, Fault::bad_notice},
    {"unreadable",
     [](Offer& o) { o.reading.defect = contract::Defect::duplicate_member; },
     Fault::bad_notice},
    {"newer keys", [](Offer& o) { o.manifest.keys = 3; }, Fault::unknown_key},
};

TEST(ManifestGate, LetsPassWhatIsMeantForThisDevice) {
  EXPECT_TRUE(Offer{}.judge().ok());
}

TEST(ManifestGate, RefusesEachSingleThingThatIsWrong) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Offer offer;
    row.bend(offer);
    EXPECT_EQ(offer.judge().error.fault, row.fault);
  }
}

TEST(ManifestGate, ForceSkipsOnlyOrderAndAttempts) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Offer offer;
    row.bend(offer);
    offer.notice.force = true;
    EXPECT_EQ(offer.judge().ok(), row.forceable);
  }
}

// Rows stand in the order of the judgement, but for the last three, which come before all.
TEST(ManifestGate, TheFirstObjectionWins) {
  constexpr std::size_t ordered = 16;
  for (std::size_t first = 0; first < ordered; ++first) {
    for (std::size_t second = first + 1; second < ordered; ++second) {
      SCOPED_TRACE(::testing::Message() << rows[first].what << " and " << rows[second].what);
      Offer offer;
      rows[second].bend(offer);
      rows[first].bend(offer);
      if (rows[first].fault == rows[second].fault) continue;
      EXPECT_EQ(offer.judge().error.fault, rows[first].fault);
    }
  }
}

TEST(ManifestGate, AsksForANewerKeyListWithBothSerials) {
  Offer offer;
  offer.manifest.keys = 9;
  const GateJudgement judgement = offer.judge();
  EXPECT_TRUE(judgement.key_list_needed);
  EXPECT_EQ(judgement.error.found, 2);
  EXPECT_EQ(judgement.error.expected, 9);
  EXPECT_FALSE(Offer{}.judge().key_list_needed);
}

TEST(ManifestGate, TheCounterMayStayAndRiseByAtMost256WithoutOverflow) {
  Offer offer;
  for (const std::uint32_t counter : {5U, 6U, 261U}) {
    offer.manifest.security_counter = counter;
    EXPECT_TRUE(offer.judge().ok()) << counter;
  }
  for (const std::uint32_t counter : {0U, 4U, 262U, 0xFFFFFFFFU}) {
    offer.manifest.security_counter = counter;
    const Error error = offer.judge().error;
    EXPECT_EQ(error.fault, Fault::security_counter) << counter;
    EXPECT_EQ(error.found, counter);
    EXPECT_EQ(error.expected, counter < 5 ? 5 : 261);
  }
  offer.floor = 0xFFFFFFFF;
  offer.manifest.security_counter = 0xFFFFFFFF;
  EXPECT_TRUE(offer.judge().ok());
  offer.manifest.security_counter = 10;
  EXPECT_FALSE(offer.judge().ok());
}

TEST(ManifestGate, OnlyWhatIsCertainlyExpiredIsExpired) {
  Offer offer;
  offer.time_floor = offer.manifest.expires;
  EXPECT_TRUE(offer.judge().ok());
  offer.time_floor = 0;
  EXPECT_TRUE(offer.judge().ok());
  offer.time_floor = offer.manifest.expires + 1;
  EXPECT_EQ(offer.judge().error.found, offer.time_floor);
  EXPECT_EQ(offer.judge().error.expected, offer.manifest.expires);
}

TEST(ManifestGate, ASteppingStoneIsReachedByItsVersionAndNotByAPrerelease) {
  Offer offer;
  offer.manifest.min_version.assign("1.3.0");
  EXPECT_TRUE(offer.judge().ok());
  offer.running = "1.3.0-rc.1";
  EXPECT_EQ(offer.judge().error.fault, Fault::step_required);
}

TEST(ManifestGate, AManifestWithoutHardwareOrChannelIsForAllOfTheProduct) {
  Offer offer;
  offer.identity.hardware.assign("anything");
  offer.identity.channel.clear();
  EXPECT_TRUE(offer.judge().ok());
  offer.manifest.channel.assign("stable");
  EXPECT_EQ(offer.judge().error.fault, Fault::wrong_channel);
  offer.notice.size.reset();
  offer.identity.channel.assign("stable");
  EXPECT_TRUE(offer.judge().ok());
}

TEST(ManifestGate, FindsTheReleaseInAUrl) {
  EXPECT_EQ(release_of("https://h/manifests/ABC.jws"), "ABC");
  EXPECT_EQ(release_of("https://h/manifests/ABC.jws?x=/y.jws#z"), "ABC");
  EXPECT_EQ(release_of("https://h/manifests/ABC"), "");
  EXPECT_EQ(release_of("https://h/manifests/"), "");
  EXPECT_EQ(release_of("ABC.jws"), "ABC");
  EXPECT_EQ(release_of(""), "");
}

TEST(CountedIssue, ReachesTwoYearsBeyondTheKeyListAndNotFurther) {
  EXPECT_EQ(counted_issue(1000, 2000), 1000U);
  EXPECT_EQ(counted_issue(2000 + 63072000, 2000), 63074000U);
  EXPECT_EQ(counted_issue(0xFFFFFFFF, 2000), 63074000U);
  EXPECT_EQ(counted_issue(0xFFFFFFFF, 0xFFFFFFF0), 0xFFFFFFFFU);
}

TEST(ErrorOfAVerdict, CarriesWhatThePersonNeeds) {
  contract::SignatureVerdict verdict;
  EXPECT_EQ(error_of(verdict).fault, Fault::none);
  verdict.fault = Fault::bad_signature;
  verdict.valid = 1;
  verdict.needed = 2;
  EXPECT_EQ(error_of(verdict).expected, 2);
  verdict.key.assign("fedcba9876543210");
  EXPECT_EQ(error_of(verdict).expected, by_one_key);
  EXPECT_EQ(static_cast<std::uint64_t>(error_of(verdict).found), 0xFEDCBA9876543210U);
  verdict.defect = contract::SignedDefect::wrong_type;
  EXPECT_EQ(error_of(verdict).expected, not_a_signed_file);
  verdict.fault = Fault::revoked_key;
  EXPECT_EQ(error_of(verdict).fault, Fault::revoked_key);
}

}  // namespace
}  // namespace otaria::device
