#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/agent/testing/bench_device.hpp"

/// A production device against everybody who is not the operator: reference trust, section 8, a
/// test per refusal, and what must work all the same.
namespace otaria::device::testing {
namespace {

using contract::UpdateState;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* id = R"("update":"first")";
constexpr std::uint32_t year_s = 365U * 86400U;

SigningDesk& desk() {
  static SigningDesk made;  // keys cost a moment each
  return made;
}

std::vector<std::string> urls_asked(const BenchDevice& device) {
  std::vector<std::string> urls;
  for (const auto& request : device.server.asked) urls.push_back(request.url);
  return urls;
}

std::string url_of(const std::string& path) {
  return BenchDevice::origin + path;
}

std::string fault_of_last(const BenchDevice& device) {
  const auto status = device.last_status();
  return status.error ? status.error->code : "";
}

std::string detail_of_last(const BenchDevice& device) {
  const auto status = device.last_status();
  return status.error ? status.error->detail : "";
}

class Production : public ::testing::Test {
 protected:
  void offer(const ManifestWish& wish, const std::string& members = id) {
    const std::string manifest = desk().manifest(wish, image);
    device.broker.offer(device.publish_signed(wish.version, image, manifest, members));
    device.settle();
  }
  /// The update ended before a byte of the image was asked for, and with this code.
  void expect_refused(const std::string& code) {
    ASSERT_TRUE(device.ended());
    EXPECT_EQ(fault_of_last(device), code);
    EXPECT_THAT(device.states("first"), ElementsAre("received", "refused"));
    EXPECT_THAT(urls_asked(device), Not(Contains(HasSubstr("/firmware/"))));
    EXPECT_EQ(device.running(), "1.3.0");
    EXPECT_FALSE(device.slot_boots(1));
  }
  void expect_installed(const std::string& version = "1.4.0") {
    EXPECT_EQ(device.running(), version);
    EXPECT_EQ(device.last_status().state, UpdateState::succeeded) << detail_of_last(device);
  }

  BenchDevice device{production(desk().key_list({}))};
  std::vector<std::uint8_t> image = BenchDevice::image("1.4.0");
};

// --- the good way
// ------------------------------------------------------------------------------------------------

TEST_F(Production, SignedReleaseIsInstalledAndEveryFileIsFetchedOnce) {
  offer({});
  EXPECT_THAT(
      device.states("first"),
      ElementsAre(
          "received", "downloading", "verifying", "installed", "rebooting", "trial", "succeeded"));
  expect_installed();
  EXPECT_THAT(urls_asked(device), ElementsAre(HasSubstr("/manifests/"), HasSubstr("/firmware/")));
  EXPECT_FALSE(device.flash.rule_broken());
}

TEST_F(Production, StateSaysModeKeysAndCounterFloor) {
  device.settle();
  auto state = device.last_state();
  EXPECT_EQ(state.mode, "production");
  EXPECT_EQ(state.keys, 1U);
  EXPECT_EQ(state.keys_expired, false);
  EXPECT_EQ(state.security_counter, 0U);
  EXPECT_EQ(state.clock, "ok");
  offer({.security_counter = 7});
  state = device.last_state();
  EXPECT_EQ(state.security_counter, 7U);
  EXPECT_EQ(state.fallback_below_floor, true);  // the factory image has no counter
}

TEST_F(Production, ReceivedIsSentOnceAndBeforeAnythingIsFetched) {
  device.server.stalls = true;
  offer({});
  EXPECT_THAT(device.states("first"), ElementsAre("received"));
  EXPECT_EQ(device.agent->step(), Step::fetching_manifest);
  device.server.stalls = false;
  device.settle();
  expect_installed();
  EXPECT_EQ(std::ranges::count(device.states("first"), "received"), 1);
}

TEST_F(Production, CounterRisesWhenTheTrialIsConfirmedAndNotBefore) {
  device.crashes_on_boot.insert("1.4.0");
  offer({.security_counter = 9});
  EXPECT_EQ(device.last_status().state, UpdateState::rolled_back);
  EXPECT_EQ(device.last_state().security_counter, 0U);
  device.crashes_on_boot.clear();
  offer({.security_counter = 9}, R"("update":"second")");
  expect_installed();
  EXPECT_EQ(device.last_state().security_counter, 9U);
}

TEST_F(Production, DigestThatRunsAlreadyNeedsNoManifestToBeFetched) {
  const auto running = BenchDevice::image("1.3.0");
  device.broker.offer(device.publish_signed("1.3.0", running, "", id));
  device.settle();
  EXPECT_THAT(device.states("first"), ElementsAre("received", "succeeded"));
  EXPECT_THAT(device.server.asked, IsEmpty());
}

TEST_F(Production, RepeatWhileTheManifestIsFetchedIsIgnored) {
  device.server.stalls = true;
  offer({});
  device.broker.deliver(*device.broker.retained);
  device.server.stalls = false;
  device.settle();
  expect_installed();
  EXPECT_EQ(std::ranges::count(device.states("first"), "received"), 1);
}

TEST_F(Production, WithdrawalWhileTheManifestIsFetchedRefusesIt) {
  device.server.stalls = true;
  offer({});
  device.broker.offer("");
  device.settle();
  expect_refused("withdrawn");
}

TEST_F(Production, AnotherNoticeWhileTheManifestIsFetchedSupersedesIt) {
  device.server.stalls = true;
  offer({});
  device.server.stalls = false;
  image = BenchDevice::image("1.5.0");
  offer({.version = "1.5.0"}, R"("update":"second")");
  expect_installed("1.5.0");
  EXPECT_THAT(device.states("first"), ElementsAre("received", "refused"));
}

// --- steps 1 and 2: the notice
// -----------------------------------------------------------------------------------

TEST_F(Production, NoticeWithoutManifestIsRefusedAndNothingIsFetched) {
  device.broker.offer(device.publish("1.4.0", image, id));
  device.settle();
  expect_refused("manifest_required");
  EXPECT_THAT(device.server.asked, IsEmpty());
}

TEST_F(Production, PlainHttpIsRefusedInImageAndManifestUrl) {
  const std::string digest = hex(sha256_of(image));
  const std::string https = url_of("/x");
  const std::string http = "http://fw.example/x";
  int attempt = 0;
  for (const auto& [image_url, manifest_url] : {std::pair{http, https}, std::pair{https, http}}) {
    const std::string update = "plain-" + std::to_string(++attempt);
    device.broker.offer(
        BenchDevice::notice("1.4.0",
                            image_url,
                            digest,
                            R"("update":")" + update + R"(","manifest":")" + manifest_url + "\""));
    device.settle();
    EXPECT_THAT(device.states(update), ElementsAre("received", "refused"));
    EXPECT_EQ(fault_of_last(device), "bad_notice");
    EXPECT_THAT(detail_of_last(device), HasSubstr("https"));
  }
  EXPECT_THAT(device.server.asked, IsEmpty());
}

TEST_F(Production, PlainHttpIsTakenWhenItWasProvisioned) {
  device.identity.plain_http = true;
  device.boot();
  const std::string manifest = desk().manifest({}, image);
  std::string notice = device.publish_signed("1.4.0", image, manifest, id);
  const auto plain = [](const std::string& text) {
    std::string changed = text;
    for (std::size_t at; (at = changed.find("https:")) != std::string::npos;)
      changed.replace(at, 6, "http:");
    return changed;
  };
  auto files = device.server.files;
  for (const auto& [url, file] : files) device.server.files[plain(url)] = file;
  device.broker.offer(plain(notice));
  device.settle();
  expect_installed();
}

// --- step 4: the file
// --------------------------------------------------------------------------------------------

TEST_F(Production, ManifestThatIsNotFoundEndsTheUpdateBeforeTheImageIsTouched) {
  const std::string notice = device.publish_signed("1.4.0", image, "x", id);
  std::erase_if(device.server.files,
                [](const auto& entry) { return entry.first.ends_with(".jws"); });
  device.broker.offer(notice);
  device.settle();
  expect_refused("download_failed");
  EXPECT_THAT(detail_of_last(device), HasSubstr("404"));
  EXPECT_THAT(device.server.asked, SizeIs(1));
}

TEST_F(Production, GarbageInPlaceOfAManifestIsABadSignature) {
  const std::string good = desk().manifest({}, image);
  const std::string files[] = {std::string(4096, 'x'),
                               "<!DOCTYPE html><html></html>",
                               good + "trailing",
                               good + "\n",
                               good.substr(0, good.size() / 2),
                               "..",
                               "\n" + good,
                               good + good};
  int attempt = 0;
  for (const std::string& text : files) {
    SCOPED_TRACE(text.substr(0, 40));
    const std::string update = "garbage-" + std::to_string(++attempt);
    device.broker.offer(
        device.publish_signed("1.4.0", image, text, R"("update":")" + update + "\""));
    device.settle();
    EXPECT_THAT(device.states(update), ElementsAre("received", "refused"));
    EXPECT_EQ(fault_of_last(device), "bad_signature");
  }
  EXPECT_THAT(urls_asked(device), Not(Contains(HasSubstr("/firmware/"))));
}

TEST_F(Production, EmptyManifestIsRefused) {
  device.broker.offer(device.publish_signed("1.4.0", image, "", id));
  device.settle();
  ASSERT_TRUE(device.ended());
  EXPECT_THAT(device.states("first"), ElementsAre("received", "refused"));
}

TEST_F(Production, EndlessManifestIsBrokenOffOneByteBeyondItsLimit) {
  for (const bool tells_its_length : {true, false}) {
    BenchDevice other{production(desk().key_list({}))};
    other.server.no_length = !tells_its_length;
    other.broker.offer(other.publish_signed("1.4.0", image, std::string(1000000, 'x'), id));
    other.settle();
    EXPECT_EQ(fault_of_last(other), "bad_signature") << tells_its_length;
    EXPECT_LE(other.server.served, contract::manifest_kind.file_bytes + other.server.piece);
    EXPECT_THAT(other.server.asked, SizeIs(1));
  }
}

TEST_F(Production, ManifestThatTricklesIsAskedForAgainAndGivenUpInTheEnd) {
  device.policy.retries_without_progress = 2;
  device.boot();
  device.server.stalls = true;
  offer({});
  ASSERT_TRUE(device.run_until([&] { return device.ended(); }));
  expect_refused("download_failed");
  EXPECT_THAT(device.server.asked, SizeIs(3));
}

TEST_F(Production, BusyServerIsAskedForTheManifestAgainWhenItSays) {
  device.server.answers = {{503, "30"}, {429, ""}};
  offer({});
  expect_installed();
  EXPECT_GE(device.server.asked[1].at_ms, device.server.asked[0].at_ms + 30000);
}

TEST_F(Production, BrokenConnectionIsTriedAgainFromTheStart) {
  device.server.break_after = 300;
  offer({});
  expect_installed();
  EXPECT_EQ(device.server.asked[1].offset, 0U);
  EXPECT_THAT(device.server.asked[1].url, HasSubstr("/manifests/"));
}

// --- step 5: signatures
// ------------------------------------------------------------------------------------------

TEST_F(Production, EveryFlippedBitOfAManifestIsRefused) {
  const std::string good = desk().manifest({}, image);
  for (std::size_t at = 3; at < good.size(); at += 41) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    const std::string update = "bit-" + std::to_string(at);
    device.broker.offer(
        device.publish_signed("1.4.0", image, bad, R"("update":")" + update + "\""));
    device.settle();
    EXPECT_THAT(device.states(update), ElementsAre("received", "refused")) << at;
  }
  EXPECT_EQ(device.running(), "1.3.0");
  EXPECT_THAT(urls_asked(device), Not(Contains(HasSubstr("/firmware/"))));
}

TEST_F(Production, KeyThatNoListNamesIsRefusedAfterTheNewestListWasLookedAtOnce) {
  device.put_file("/keys.jws", desk().key_list({}));
  offer({.signed_by = {1}});
  expect_refused("unknown_key");
  EXPECT_THAT(urls_asked(device), ElementsAre(HasSubstr("/manifests/"), url_of("/keys.jws")));
  EXPECT_THAT(detail_of_last(device), HasSubstr(desk().release[1].public_key().key_id()));
}

TEST_F(Production, RootKeySignsNoRelease) {
  device.put_file("/keys.jws", desk().key_list({}));
  const std::string manifest = desk().manifest({}, image);
  const std::size_t from = manifest.find('.') + 1;
  const std::string payload =
      *crypto::from_base64url(manifest.substr(from, manifest.find('.', from) - from));
  const std::string forged =
      SigningDesk::sign(contract::manifest_kind.type, payload, {&desk().root[0]});
  device.broker.offer(device.publish_signed("1.4.0", image, forged, id));
  device.settle();
  expect_refused("unknown_key");
}

TEST_F(Production, ReleaseKeyInAnotherKindOfFileIsABadSignature) {
  const std::string manifest = desk().manifest({}, image);
  const std::size_t from = manifest.find('.') + 1;
  const std::string payload =
      *crypto::from_base64url(manifest.substr(from, manifest.find('.', from) - from));
  const std::string forged =
      SigningDesk::sign(contract::audit_kind.type, payload, {&desk().release[0]});
  device.broker.offer(device.publish_signed("1.4.0", image, forged, id));
  device.settle();
  expect_refused("bad_signature");
}

TEST_F(Production, NewReleaseKeyIsLearntFromTheNewestListAndTheManifestIsNotFetchedAgain) {
  device.put_file("/keys.jws", desk().key_list({.serial = 2, .releases = {0, 1}}));
  offer({.keys = 2, .signed_by = {1}});
  expect_installed();
  EXPECT_THAT(urls_asked(device),
              ElementsAre(HasSubstr("/manifests/"), url_of("/keys.jws"), HasSubstr("/firmware/")));
  EXPECT_EQ(device.last_state().keys, 2U);
}

TEST_F(Production, ManifestThatWantsANewerListBringsItEvenWhenItsKeyIsKnown) {
  device.put_file("/keys.jws", desk().key_list({.serial = 2, .releases = {0, 1}}));
  offer({.keys = 2});
  expect_installed();
  EXPECT_EQ(device.last_state().keys, 2U);
}

TEST_F(Production, ManifestThatWantsAListNobodyHasIsRefused) {
  device.put_file("/keys.jws", desk().key_list({}));
  offer({.keys = 3});
  ASSERT_TRUE(device.ended());
  expect_refused(fault_of_last(device));
  EXPECT_THAT(fault_of_last(device), ::testing::AnyOf("unknown_key", "bad_notice"));
  EXPECT_THAT(detail_of_last(device), HasSubstr("3"));
}

TEST_F(Production, StolenKeyIsRevokedByANewerList) {
  device.put_file(
      "/keys.jws",
      desk().key_list({.serial = 2, .releases = {1}, .revoked = {0}, .floor = {{"sensor", 5}}}));
  image = BenchDevice::image("1.4.0");
  offer({.security_counter = 5, .keys = 2, .signed_by = {1}});
  expect_installed();
  image = BenchDevice::image("1.5.0");
  offer({.version = "1.5.0", .security_counter = 6, .signed_by = {0}}, R"("update":"thief")");
  EXPECT_THAT(device.states("thief"), ElementsAre("received", "refused"));
  EXPECT_EQ(fault_of_last(device), "revoked_key");
  EXPECT_THAT(detail_of_last(device), HasSubstr(desk().release[0].public_key().key_id()));
  EXPECT_EQ(device.running(), "1.4.0");
}

TEST(ProductionThreshold, TwoKeysMustSignWhenTheListSaysSo) {
  const auto image = BenchDevice::image("1.4.0");
  BenchDevice device{production(desk().key_list({.release_threshold = 2, .releases = {0, 1, 2}}))};
  const std::vector<std::size_t> too_few[] = {{0}, {0, 0}};
  int attempt = 0;
  for (const auto& signers : too_few) {
    const std::string update = "few-" + std::to_string(++attempt);
    device.broker.offer(device.publish_signed("1.4.0",
                                              image,
                                              desk().manifest({.signed_by = signers}, image),
                                              R"("update":")" + update + "\""));
    device.settle();
    EXPECT_THAT(device.states(update), ElementsAre("received", "refused"));
    EXPECT_EQ(fault_of_last(device), "bad_signature");
    EXPECT_THAT(detail_of_last(device), AllOf(HasSubstr("1"), HasSubstr("2")));
  }
  device.broker.offer(device.publish_signed(
      "1.4.0", image, desk().manifest({.signed_by = {0, 2}}, image), R"("update":"both")"));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
}

// --- steps 6 and 7: what it says
// ---------------------------------------------------------------------------------

TEST_F(Production, SignedPayloadThatIsNoManifestIsABadNotice) {
  const std::string not_json =
      SigningDesk::sign(contract::manifest_kind.type, "{", {&desk().release[0]});
  device.broker.offer(device.publish_signed("1.4.0", image, not_json, id));
  device.settle();
  expect_refused("bad_notice");
}

TEST_F(Production, ManifestOfAFutureFormatIsABadNotice) {
  offer({.format = 2});
  expect_refused("bad_notice");
  EXPECT_THAT(detail_of_last(device), HasSubstr("2"));
}

TEST_F(Production, ManifestWithACriticalMemberThatIsNotKnownIsABadNotice) {
  offer({.more = R"("crit":["enc"],"enc":"x",)"});
  expect_refused("bad_notice");
}

TEST_F(Production, NoticeAndManifestMustAgree) {
  const auto other = BenchDevice::image("1.4.0", 50000);
  struct Row {
    const char* what;
    ManifestWish wish;
    const std::vector<std::uint8_t>* signed_image;
    std::string members;
  };
  const Row rows[] = {
      {"version", {.version = "1.4.1"}, &image, ""},
      {"digest: an image that was never signed", {}, &other, ""},
      {"size", {}, &image, R"(,"size":)" + std::to_string(image.size() + 1)},
      {"release: another manifest under this one's URL",
       {.release = "01JD8Z6T9K3M5Q7S9V1X3Z5B7E"},
       &image,
       ""},
  };
  int attempt = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const std::string update = "row-" + std::to_string(++attempt);
    device.broker.offer(device.publish_signed("1.4.0",
                                              image,
                                              desk().manifest(row.wish, *row.signed_image),
                                              R"("update":")" + update + "\"" + row.members));
    device.settle();
    EXPECT_THAT(device.states(update), ElementsAre("received", "refused"));
    EXPECT_EQ(fault_of_last(device), "manifest_mismatch");
  }
}

// --- step 8: policy
// ----------------------------------------------------------------------------------------------

TEST_F(Production, PolicyRefusesWithTheCodeOfEachRule) {
  struct Row {
    const char* code;
    ManifestWish wish;
    const char* shown;  ///< in the detail
  };
  const Row rows[] = {
      {"wrong_product", {.product = "boiler"}, "boiler"},
      {"wrong_hardware", {.hardware = {"esp32s3-4mb"}}, "esp32s3-4mb"},
      {"wrong_chip", {.chip = "esp32c3"}, "esp32c3"},
      {"wrong_channel", {.channel = "beta"}, "beta"},
      {"step_required", {.min_version = "1.3.5"}, "1.3.5"},
      {"not_newer", {.version = "1.2.9"}, "1.2.9"},
      {"security_counter", {.security_counter = 257}, "257"},
      {"too_large", {.size = 0x20001}, "131073"},
  };
  int attempt = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.code);
    const std::string update = "row-" + std::to_string(++attempt);
    offer(row.wish, R"("update":")" + update + "\"");
    EXPECT_THAT(device.states(update), ElementsAre("received", "refused"));
    EXPECT_EQ(fault_of_last(device), row.code);
    EXPECT_THAT(detail_of_last(device), HasSubstr(row.shown));
  }
  EXPECT_THAT(urls_asked(device), Not(Contains(HasSubstr("/firmware/"))));
}

TEST_F(Production, CounterMayRiseBy256AtOnce) {
  offer({.security_counter = 256});
  expect_installed();
  EXPECT_EQ(device.last_state().security_counter, 256U);
}

TEST_F(Production, ForceSkipsOnlyTheOrderOfVersions) {
  const std::string forced = std::string{id} + R"(,"force":true)";
  image = BenchDevice::image("1.2.0");
  offer({.version = "1.2.0"}, forced);
  expect_installed("1.2.0");

  image = BenchDevice::image("1.1.0");
  offer({.version = "1.1.0", .security_counter = 0}, R"("update":"second","force":true)");
  EXPECT_EQ(fault_of_last(device), "security_counter");
  offer({.product = "boiler", .version = "1.1.0"}, R"("update":"third","force":true)");
  EXPECT_EQ(fault_of_last(device), "wrong_product");
  EXPECT_EQ(device.running(), "1.2.0");
}

TEST_F(Production, FloorOfTheKeyListCountsTooForcedOrNot) {
  device.put_file("/keys.jws", desk().key_list({.serial = 2, .floor = {{"sensor", 4}, {"x", 99}}}));
  offer({.security_counter = 3, .keys = 2}, std::string{id} + R"(,"force":true)");
  expect_refused("security_counter");
  EXPECT_EQ(device.last_state().security_counter, 4U);
}

TEST_F(Production, EpochOfTheRootsBringsAPoisonedCounterDown) {
  offer({.security_counter = 200});
  expect_installed();
  device.put_file("/keys.jws",
                  desk().key_list({.serial = 2, .epoch = 1, .floor = {{"sensor", 2}}}));
  image = BenchDevice::image("1.5.0");
  offer({.version = "1.5.0", .security_counter = 2, .keys = 2}, R"("update":"second")");
  expect_installed("1.5.0");
  EXPECT_EQ(device.last_state().security_counter, 2U);
}

TEST_F(Production, ManifestThatHasCertainlyExpiredIsRefusedWhateverTheClockSays) {
  const ManifestWish old{.issued = 1789000000, .expires = 1789000000 + year_s};
  device.put_file(
      "/keys.jws",
      desk().key_list(
          {.serial = 2, .issued = 1789000000 + 2 * year_s, .expires = 1789000000 + 3 * year_s}));
  device.clock.unix_at_zero = 1789000001;  // a clock that somebody set back
  ManifestWish wish = old;
  wish.keys = 2;
  offer(wish);
  expect_refused("manifest_expired");
  EXPECT_EQ(device.last_state().clock, "suspect");
}

TEST_F(Production, ClockAloneExpiresNothing) {
  device.clock.unix_at_zero = 4000000000;
  offer({});
  expect_installed();
}

TEST_F(Production, ExhaustedAttemptsAreRefusedUntilForced) {
  device.crashes_on_boot.insert("1.4.0");
  for (int attempt = 1; attempt <= 3; ++attempt)
    offer({}, R"("update":"attempt-)" + std::to_string(attempt) + "\"");
  offer({}, R"("update":"attempt-4")");
  EXPECT_EQ(fault_of_last(device), "attempts_exhausted");
  device.crashes_on_boot.clear();
  offer({}, R"("update":"attempt-5","force":true)");
  expect_installed();
}

// --- step 9: the image
// --------------------------------------------------------------------------------------------

TEST_F(Production, BuildOfAnotherImageFailsBeforeAnythingIsErased) {
  const auto before = device.flash.cells();
  offer({.build = "0123456789abcdef"});
  EXPECT_THAT(device.states("first"), ElementsAre("received", "downloading", "failed"));
  EXPECT_EQ(fault_of_last(device), "manifest_mismatch");
  EXPECT_THAT(detail_of_last(device), HasSubstr("0123456789abcd"));
  const auto passive = BenchDevice::slot_address[1];
  EXPECT_TRUE(std::equal(before.begin() + passive,
                         before.begin() + passive + BenchDevice::slot_bytes,
                         device.flash.cells().begin() + passive));
}

TEST_F(Production, ImageThatIsNotTheSignedOneNeverBoots) {
  const std::string manifest = desk().manifest({}, image);
  const std::string notice = device.publish_signed("1.4.0", image, manifest, id);
  for (auto& [url, file] : device.server.files) {
    if (url.ends_with(".bin")) file.bytes[30000] ^= 1;
  }
  device.broker.offer(notice);
  device.settle();
  EXPECT_EQ(fault_of_last(device), "digest_mismatch");
  EXPECT_FALSE(device.slot_boots(1));
}

TEST_F(Production, SizeOfTheManifestBindsTheDownload) {
  const std::string manifest = desk().manifest({}, image);
  const std::string notice = device.publish_signed("1.4.0", image, manifest, id);
  for (auto& [url, file] : device.server.files) {
    if (url.ends_with(".bin")) file.bytes.resize(file.bytes.size() + 16, 0xFF);
  }
  device.broker.offer(notice);
  device.settle();
  EXPECT_EQ(fault_of_last(device), "too_large");
}

// --- resets
// -------------------------------------------------------------------------------------------------------

TEST_F(Production, ResetWhileTheManifestIsFetchedTrustsNothingAndFetchesItAgain) {
  device.server.stalls = true;
  const std::string notice = device.publish_signed("1.4.0", image, desk().manifest({}, image), id);
  device.broker.offer(notice);
  device.run_for(2000);
  ASSERT_EQ(device.agent->step(), Step::fetching_manifest);
  device.server.stalls = false;
  device.broker.retained.reset();
  device.cut_power();
  device.run_for(20000);
  EXPECT_THAT(device.states("first"), ElementsAre("received", "waiting"));
  EXPECT_THAT(device.server.asked, SizeIs(1));
  device.broker.offer(notice);
  device.settle();
  expect_installed();
  EXPECT_EQ(std::ranges::count(device.states("first"), "received"), 1);
}

TEST_F(Production, AcceptedUpdateGoesOnAfterAResetWithoutItsManifestBeingFetchedAgain) {
  device.broker.offer(
      device.publish_signed("1.4.0", image, desk().manifest({.security_counter = 3}, image), id));
  ASSERT_TRUE(device.run_until([&] { return device.server.served > 45000; }));
  device.put_file("/manifests/" + ManifestWish{}.release + ".jws", "gone");
  device.cut_power();
  device.settle();
  expect_installed();
  EXPECT_EQ(std::ranges::count_if(urls_asked(device),
                                  [](const std::string& url) { return url.ends_with(".jws"); }),
            1);
  EXPECT_EQ(device.last_state().security_counter, 3U);
}

// --- key lists
// ----------------------------------------------------------------------------------------------------

TEST_F(Production, OlderListIsNoReplacement) {
  device.put_file("/keys.jws", desk().key_list({.serial = 2, .releases = {1}, .revoked = {0}}));
  offer({.keys = 2, .signed_by = {1}});
  expect_installed();
  device.put_file("/keys.jws", desk().key_list({.serial = 1, .releases = {0}}));
  image = BenchDevice::image("1.5.0");
  offer({.version = "1.5.0", .signed_by = {0}}, R"("update":"thief")");
  EXPECT_EQ(fault_of_last(device), "revoked_key");
  EXPECT_EQ(device.last_state().keys, 2U);
}

TEST_F(Production, ListThatTheRootsDidNotSignIsNoReplacement) {
  struct Row {
    const char* what;
    std::string list;
  };
  SigningDesk thief;
  const Row rows[] = {
      {"another's roots", thief.key_list({.serial = 2})},
      {"a release key's signature",
       SigningDesk::sign(contract::key_list_kind.type, R"({"serial":2})", {&desk().release[0]})},
      {"too far ahead", desk().key_list({.serial = 1002, .releases = {1}})},
      {"no list", "<html>"},
      {"endless", std::string(100000, 'x')},
  };
  int attempt = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    device.put_file("/keys.jws", row.list);
    offer({.signed_by = {1}}, R"("update":"row-)" + std::to_string(++attempt) + "\"");
    EXPECT_EQ(fault_of_last(device), "unknown_key");
    EXPECT_EQ(device.last_state().keys, 1U);
  }
}

TEST_F(Production, ListsBetweenLeadToTheNewestWhenItsRootsAreNew) {
  // 1: roots 0,1,2. 2 hands over to root 3 and is signed by both; 3 knows nothing of the old roots.
  device.put_file("/keys.jws",
                  desk().key_list({.serial = 3, .roots = {3}, .releases = {1}, .signed_by = {3}}));
  device.put_file(
      "/keys/2.jws",
      desk().key_list({.serial = 2, .roots = {3}, .releases = {0}, .signed_by = {0, 3}}));
  device.put_file("/keys/3.jws",
                  desk().key_list({.serial = 3, .roots = {3}, .releases = {1}, .signed_by = {3}}));
  offer({.keys = 3, .signed_by = {1}});
  expect_installed();
  EXPECT_THAT(urls_asked(device),
              ElementsAre(HasSubstr("/manifests/"),
                          url_of("/keys.jws"),
                          url_of("/keys/2.jws"),
                          url_of("/keys/3.jws"),
                          HasSubstr("/firmware/")));
  EXPECT_EQ(device.last_state().keys, 3U);
}

TEST_F(Production, AtMost32ListsBetweenAreFetchedInOneSession) {
  // Each list has another root than the one before, and the newest none that the first one knows.
  constexpr std::uint32_t newest = 42;
  const auto list = [](std::uint32_t serial) {
    const std::size_t own = serial % 3;
    const std::size_t before = (serial - 1) % 3;
    return desk().key_list(
        {.serial = serial, .roots = {own}, .releases = {1}, .signed_by = {own, before}});
  };
  BenchDevice far{production(desk().key_list({.serial = 1, .roots = {1}, .signed_by = {1}}))};
  for (std::uint32_t serial = 2; serial <= newest; ++serial)
    far.put_file("/keys/" + std::to_string(serial) + ".jws", list(serial));
  far.put_file("/keys.jws", list(newest));
  far.broker.offer(far.publish_signed(
      "1.4.0", image, desk().manifest({.keys = newest, .signed_by = {1}}, image), id));
  far.settle();
  EXPECT_EQ(far.last_state().keys, 33U);
  EXPECT_EQ(far.last_status().state, UpdateState::refused);
  far.broker.cut();
  far.broker.offer(far.publish_signed("1.4.0",
                                      image,
                                      desk().manifest({.keys = newest, .signed_by = {1}}, image),
                                      R"("update":"second")"));
  far.settle();
  EXPECT_EQ(far.last_state().keys, newest);
  EXPECT_EQ(far.running(), "1.4.0");
}

TEST_F(Production, KeyListThatCannotBeFetchedLeavesTheOneInForceToJudge) {
  device.policy.retries_without_progress = 2;
  device.boot();
  device.server.unreachable_urls = {url_of("/keys.jws")};
  offer({.signed_by = {1}});
  ASSERT_TRUE(device.run_until([&] { return device.ended(); }));
  expect_refused("unknown_key");
  EXPECT_EQ(std::ranges::count(urls_asked(device), url_of("/keys.jws")), 3);
  device.server.unreachable_urls.clear();
  device.broker.retained.reset();
  offer({}, R"("update":"second")");
  expect_installed();
}

TEST_F(Production, ExpiredListStillJudgesAndANewerOneIsAskedFor) {
  BenchDevice old{production(desk().key_list({.issued = 1700000000, .expires = 1700000001}))};
  // A newer list, expired as well but later, moved the floor: the first one is certainly over.
  old.put_file("/keys.jws",
               desk().key_list({.serial = 2, .issued = 1700000010, .expires = 1700000020}));
  old.broker.offer(old.publish_signed(
      "1.4.0",
      image,
      desk().manifest({.issued = 1700000000, .expires = 1900000000, .keys = 2}, image),
      id));
  old.settle();
  EXPECT_EQ(old.running(), "1.4.0");
  old.server.asked.clear();
  const auto next = BenchDevice::image("1.5.0");
  old.broker.offer(old.publish_signed(
      "1.5.0",
      next,
      desk().manifest({.version = "1.5.0", .issued = 1700000030, .expires = 1900000000, .keys = 2},
                      next),
      R"("update":"second")"));
  old.settle();
  EXPECT_EQ(old.running(), "1.5.0");
  EXPECT_EQ(old.last_state().keys_expired, true);
}

TEST_F(Production, ListMentionedByTheServerIsFetchedWhenNoUpdateIsInHand) {
  device.settle();
  device.put_file("/keys.jws", desk().key_list({.serial = 2}));
  device.agent->on_keys_mentioned(1, url_of("/api/v1/device/token"));
  device.settle();
  EXPECT_THAT(device.server.asked, IsEmpty());
  device.agent->on_keys_mentioned(2, url_of("/api/v1/device/token"));
  device.settle();
  EXPECT_THAT(urls_asked(device), ElementsAre(url_of("/keys.jws")));
  EXPECT_EQ(device.last_state().keys, 2U);
  EXPECT_EQ(device.agent->step(), Step::idle);
}

TEST_F(Production, OfferComesBeforeAListThatWasMentioned) {
  device.settle();
  device.put_file("/keys.jws", desk().key_list({.serial = 2}));
  device.server.stalls = true;
  device.agent->on_keys_mentioned(2, url_of("/"));
  device.run_for(2000);
  ASSERT_EQ(device.agent->step(), Step::fetching_keys);
  device.server.stalls = false;
  offer({});
  expect_installed();
}

TEST_F(Production, MentionThatNamesNoServerIsIgnored) {
  device.settle();
  for (const char* url : {"", "/keys.jws", "ftp://fw.example/", "https://", "file:///etc/passwd"})
    device.agent->on_keys_mentioned(2, url);
  device.settle();
  EXPECT_THAT(device.server.asked, IsEmpty());
}

TEST_F(Production, WrongPinIsHealedByTheNewestListFetchedPastThePins) {
  const std::string list = desk().key_list({.serial = 2});
  device.put_file("/keys.jws", list);
  device.server.wrong_pin = true;
  device.broker.offer(device.publish_signed("1.4.0", image, desk().manifest({}, image), id));
  ASSERT_TRUE(device.run_until([&] { return device.agent->facts().keys == 2; }));
  ASSERT_THAT(device.server.asked, SizeIs(2));
  EXPECT_FALSE(device.server.asked[0].without_pins);
  EXPECT_TRUE(device.server.asked[1].without_pins);
  device.server.wrong_pin = false;
  device.settle();
  expect_installed();
}

TEST_F(Production, WrongPinInMidDownloadIsHealedAndTheDownloadResumes) {
  device.put_file("/keys.jws", desk().key_list({.serial = 2}));
  device.broker.offer(device.publish_signed("1.4.0", image, desk().manifest({}, image), id));
  device.server.break_after = 40000;
  device.server.break_always = true;
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::backing_off; }));
  device.server.break_after.reset();
  device.server.break_always = false;
  device.server.wrong_pin = true;
  ASSERT_TRUE(device.run_until([&] { return device.agent->facts().keys == 2; }));
  device.server.wrong_pin = false;
  device.settle();
  expect_installed();
  EXPECT_GT(device.server.asked.back().offset, 0U);
}

TEST_F(Production, PinFailureElsewhereIsHealedToo) {
  device.settle();
  device.put_file("/keys.jws", desk().key_list({.serial = 2}));
  device.agent->on_pin_failed(url_of("/"));
  device.settle();
  EXPECT_EQ(device.last_state().keys, 2U);
}

/// A device that waits, and whose broker has got a key that only list 2 pins.
class WrongBrokerPin : public Production {
 protected:
  /// Without tokens, as with a password from elsewhere. Else only an update in hand tells where
  /// there are key lists.
  void name_a_server() {
    device.token_server = BenchDevice::origin;
    device.boot();
    device.settle();
  }
  void rotate_the_brokers_key() {
    device.put_file("/keys.jws", desk().key_list({.serial = 2}));
    device.broker.wrong_pin = true;
    device.broker.cut();
  }
  bool is_healed() {
    const bool held = device.run_until([&] { return device.agent->facts().keys == 2; });
    device.broker.wrong_pin = false;
    return held && device.run_until([&] { return device.broker.online; }, 2000);
  }
};

TEST_F(WrongBrokerPin, LeadsToTheNewestListAndBackToTheBrokerAtOnce) {
  name_a_server();
  rotate_the_brokers_key();
  EXPECT_TRUE(is_healed());
  EXPECT_TRUE(device.server.asked.back().without_pins);
  EXPECT_EQ(device.server.asked.back().url, url_of("/keys.jws"));
  EXPECT_EQ(device.agent->step(), Step::idle);
}

TEST_F(WrongBrokerPin, IsHealedWhileAnUpdateWaitsForItsNotice) {
  device.broker.offer(device.publish_signed("1.4.0", image, desk().manifest({}, image), id));
  ASSERT_TRUE(device.run_until([&] { return device.server.served > 45000; }));
  rotate_the_brokers_key();
  device.cut_power();
  ASSERT_TRUE(is_healed());
  device.settle();
  expect_installed();
  EXPECT_THAT(device.states("first"), Contains("waiting"));
}

TEST_F(WrongBrokerPin, IsHealedInATrialWhichIsThenConfirmed) {
  device.broker.offer(device.publish_signed("1.4.0", image, desk().manifest({}, image), id));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::rebooting; }));
  rotate_the_brokers_key();
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::on_trial; }));
  ASSERT_TRUE(is_healed());
  device.settle();
  expect_installed();
}

TEST_F(WrongBrokerPin, TimeOfTheTrialGoesOnWhileAListIsFetched) {
  device.broker.offer(device.publish_signed("1.4.0", image, desk().manifest({}, image), id));
  ASSERT_TRUE(device.run_until([&] { return device.agent->step() == Step::on_trial; }));
  const std::uint64_t begun = device.clock.ms;
  device.server.stalls = true;
  rotate_the_brokers_key();
  ASSERT_TRUE(device.run_until([&] { return device.booted.back() == "1.3.0"; }));
  // One list that never comes may be under way when the time is over.
  EXPECT_LE(device.clock.ms - begun,
            device.policy.trial_timeout_s * 1000 + device.policy.stall_window_ms + 10000);
}

TEST_F(WrongBrokerPin, ListsAreAskedForAtIntervalsOnlyWhileNoneHelps) {
  name_a_server();
  device.put_file("/keys.jws", desk().key_list({.serial = 1}));
  device.server.asked.clear();
  device.broker.wrong_pin = true;
  device.broker.cut();
  device.run_for(std::uint64_t{10} * device.policy.keys_pause_ms);
  EXPECT_GE(device.server.asked.size(), 5U);
  EXPECT_LE(device.server.asked.size(), 11U);
  EXPECT_GT(device.broker.connects, static_cast<int>(device.server.asked.size()));
}

// The server of a pinned host says what time it is: later than the end of list 1.
TEST(ExpiredKeyList, IsAskedForAtEachConnectButNotMoreOftenThanThePause) {
  const std::string server = "https://ota.example";
  KeyListWish wish{.expires = 1800000000, .pins = {{"ota.example", {std::string(43, 'A')}}}};
  BenchOptions options = production(desk().key_list(wish));
  options.server = server;
  BenchDevice device{options};
  device.server.posts = [](const std::string& url) -> std::pair<int, std::string> {
    if (url.ends_with("/nonce")) return {200, R"({"nonce":"bm9uY2U"})"};
    return {200, R"({"token":"t.o.k","expires_in":86400,"time":1800000001,"keys":1})"};
  };
  const auto lists_asked = [&] {
    return std::ranges::count(urls_asked(device), server + "/keys.jws");
  };
  device.boot();
  device.settle();
  EXPECT_EQ(device.last_state().keys_expired, true);
  EXPECT_EQ(lists_asked(), 1);
  for (int connect = 0; connect < 5; ++connect) {
    device.broker.cut();
    device.run_for(1000);
  }
  device.run_for(device.policy.keys_pause_ms);
  EXPECT_EQ(lists_asked(), 3);  // at the first of them, and once for all the others
  wish.serial = 2;
  wish.expires = 1900000000;
  const std::string next = desk().key_list(wish);
  device.server.files[server + "/keys.jws"] = {{next.begin(), next.end()}};
  device.broker.cut();
  device.settle();
  EXPECT_EQ(device.last_state().keys, 2U);
  EXPECT_EQ(device.last_state().keys_expired, false);
  device.broker.cut();
  device.settle();
  EXPECT_EQ(lists_asked(), 4);
}

TEST(ProductionWithoutKeys, NothingCanBeProvenGenuine) {
  BenchDevice device{{.development = false}};
  const auto image = BenchDevice::image("1.4.0");
  device.put_file("/keys.jws", desk().key_list({}));
  device.broker.offer(device.publish_signed("1.4.0", image, desk().manifest({}, image), id));
  device.settle();
  EXPECT_THAT(device.states("first"), ElementsAre("received", "refused"));
  EXPECT_EQ(fault_of_last(device), "unknown_key");
  EXPECT_EQ(device.last_state().keys, 0U);
  EXPECT_FALSE(device.last_state().keys_expired.has_value());
}

TEST(ProductionFirmware, BringsAKeyListThatCountsWhenItIsNewer) {
  BenchDevice device{production(desk().key_list({}))};
  device.settle();
  EXPECT_EQ(device.last_state().keys, 1U);
  device.key_list = desk().key_list({.serial = 4});
  device.boot();
  device.settle();
  EXPECT_EQ(device.last_state().keys, 4U);
  device.key_list = desk().key_list({.serial = 3});
  device.boot();
  device.settle();
  EXPECT_EQ(device.last_state().keys, 4U);
}

// --- development
// --------------------------------------------------------------------------------------------------

TEST(Development, WithAKeyListAManifestIsVerifiedAsInProduction) {
  BenchDevice device{{.development = true, .key_list = desk().key_list({})}};
  device.put_file("/keys.jws", desk().key_list({}));
  const auto image = BenchDevice::image("1.4.0");
  device.broker.offer(
      device.publish_signed("1.4.0", image, desk().manifest({.signed_by = {1}}, image), id));
  device.settle();
  EXPECT_EQ(fault_of_last(device), "unknown_key");
  device.broker.offer(device.publish_signed(
      "1.4.0", image, desk().manifest({.security_counter = 3}, image), R"("update":"second")"));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_EQ(device.last_state().mode, "development");
  EXPECT_EQ(device.last_state().security_counter, 3U);
}

TEST(Development, ThreeFieldNoticeInstallsAndLeavesTheCounterAlone) {
  BenchDevice device{{.development = true, .key_list = desk().key_list({})}};
  const auto image = BenchDevice::image("1.4.0");
  device.broker.offer(
      device.publish_signed("1.4.0", image, desk().manifest({.security_counter = 3}, image), id));
  device.settle();
  ASSERT_EQ(device.last_state().security_counter, 3U);
  device.broker.offer(device.publish("1.5.0", BenchDevice::image("1.5.0")));
  device.settle();
  EXPECT_EQ(device.running(), "1.5.0");
  EXPECT_EQ(device.last_state().security_counter, 3U);
}

TEST(Development, WithoutKeyListAManifestIsNotLookedAt) {
  BenchDevice device;
  const auto image = BenchDevice::image("1.4.0");
  device.broker.offer(device.publish_signed("1.4.0", image, "nonsense", id));
  device.settle();
  EXPECT_EQ(device.running(), "1.4.0");
  EXPECT_THAT(device.server.asked, SizeIs(1));
}

}  // namespace
}  // namespace otaria::device::testing
