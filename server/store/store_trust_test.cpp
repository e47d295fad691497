// What every implementation of the Store port must do with key lists and manifests. A new one joins
// by a row in the list at the end.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "server/store/sqlite_store.hpp"
#include "server/store/testing/store_fixture.hpp"

namespace otaria::server {
namespace {

class TrustContract : public StoreFixture {};

StoredKeyList some_list(std::uint32_t serial, std::uint32_t epoch = 0) {
  return {.serial = serial,
          .epoch = epoch,
          .issued = 1'790'000'000,
          .expires = 4'294'967'295,
          .payload_sha256 = std::string(64, 'e'),
          .file = "header.payload.signature\nheader..signature\n",
          .created_at = 1'800'000'000};
}

Release some_release(std::string id, std::string version = "1.4.0") {
  Release release;
  release.id = std::move(id);
  release.product = "sensor";
  release.version = std::move(version);
  release.channel = "stable";
  release.chip = "esp32s3";
  release.size = 922'809;
  release.sha256 = std::string(64, 'c');
  return release;
}

StoredManifest some_manifest(std::string id,
                             std::string release,
                             std::uint32_t counter = 3,
                             std::uint32_t epoch = 0) {
  return {.said = {.id = std::move(id),
                   .channel = "beta",
                   .min_version = "1.2.0",
                   .security_counter = counter,
                   .keys = 2,
                   .issued = 1'790'000'000,
                   .expires = 4'294'967'295,
                   .signed_by = {"7bc16e6af083f055", "0123456789abcdef"}},
          .release = std::move(release),
          .product = "sensor",
          .epoch = epoch,
          .payload_sha256 = std::string(64, 'f'),
          .file = "header.payload.signature\n",
          .created_at = 1'800'000'000};
}

TEST_P(TrustContract, KeepsEveryKeyListAndKnowsTheNewest) {
  EXPECT_FALSE(read([](StoreView& v) { return v.newest_key_list(); }));
  write([](StoreTransaction& t) {
    EXPECT_TRUE(t.add_key_list(some_list(9)));
    EXPECT_TRUE(t.add_key_list(some_list(10, 1)));
  });
  reopen();
  const auto newest = read([](StoreView& v) { return v.newest_key_list(); });
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->serial, 10u);
  EXPECT_EQ(newest->epoch, 1u);
  EXPECT_EQ(newest->expires, 4'294'967'295u);
  EXPECT_EQ(newest->file, some_list(10).file);
  EXPECT_EQ(newest->payload_sha256, some_list(10).payload_sha256);
  EXPECT_EQ(newest->created_at, 1'800'000'000);
  EXPECT_EQ(read([](StoreView& v) { return v.key_list(9); })->serial, 9u);
  EXPECT_FALSE(read([](StoreView& v) { return v.key_list(8); }));
}

TEST_P(TrustContract, NeverChangesAPublishedKeyList) {
  StoredKeyList other = some_list(9);
  other.file = "other";
  write([&](StoreTransaction& t) {
    EXPECT_TRUE(t.add_key_list(some_list(9)));
    EXPECT_FALSE(t.add_key_list(other));
  });
  EXPECT_EQ(read([](StoreView& v) { return v.key_list(9); })->file, some_list(9).file);
}

TEST_P(TrustContract, KnowsWhereAnEpochBegan) {
  write([](StoreTransaction& t) {
    for (const std::uint32_t serial : {1u, 2u}) t.add_key_list(some_list(serial));
    for (const std::uint32_t serial : {3u, 4u}) t.add_key_list(some_list(serial, 1));
  });
  EXPECT_EQ(read([](StoreView& v) { return v.first_serial_of_epoch(0); }), 1u);
  EXPECT_EQ(read([](StoreView& v) { return v.first_serial_of_epoch(1); }), 3u);
  EXPECT_EQ(read([](StoreView& v) { return v.first_serial_of_epoch(2); }), std::nullopt);
}

TEST_P(TrustContract, AReleaseCarriesItsManifest) {
  write([](StoreTransaction& t) {
    t.add_release(some_release("R1"));
    EXPECT_TRUE(t.add_manifest(some_manifest("M1", "R1")));
  });
  reopen();
  const auto release = read([](StoreView& v) { return v.release("R1"); });
  ASSERT_TRUE(release && release->manifest);
  EXPECT_EQ(release->channel, "beta");
  EXPECT_EQ(release->manifest->id, "M1");
  EXPECT_EQ(release->manifest->min_version, "1.2.0");
  EXPECT_EQ(release->manifest->security_counter, 3u);
  EXPECT_EQ(release->manifest->keys, 2u);
  EXPECT_EQ(release->manifest->expires, 4'294'967'295u);
  EXPECT_EQ(release->manifest->signed_by, some_manifest("M1", "R1").said.signed_by);
  EXPECT_EQ(read([](StoreView& v) { return v.releases({}, {}); })[0].manifest->id, "M1");
  const auto manifest = read([](StoreView& v) { return v.manifest("M1"); });
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->release, "R1");
  EXPECT_EQ(manifest->product, "sensor");
  EXPECT_EQ(manifest->file, "header.payload.signature\n");
  EXPECT_EQ(manifest->payload_sha256, std::string(64, 'f'));
}

TEST_P(TrustContract, AReleaseSignedAgainHasTheNewManifestAndTheOldOneStays) {
  write([](StoreTransaction& t) {
    t.add_release(some_release("R1"));
    t.add_manifest(some_manifest("M1", "R1"));
    EXPECT_TRUE(t.add_manifest(some_manifest("M2", "R1", 4)));
    EXPECT_FALSE(t.add_manifest(some_manifest("M1", "R1", 5)));
  });
  EXPECT_EQ(read([](StoreView& v) { return v.release("R1"); })->manifest->id, "M2");
  EXPECT_EQ(read([](StoreView& v) { return v.manifest("M1"); })->said.security_counter, 3u);
}

TEST_P(TrustContract, KnowsTheHighestCounterOfAProductInAnEpoch) {
  write([](StoreTransaction& t) {
    t.add_release(some_release("R1"));
    t.add_manifest(some_manifest("M1", "R1", 250));
    t.add_manifest(some_manifest("M2", "R1", 7, 1));
    t.add_manifest(some_manifest("M3", "R1", 6, 1));
  });
  EXPECT_EQ(read([](StoreView& v) { return v.highest_counter("sensor", 0); }), 250u);
  EXPECT_EQ(read([](StoreView& v) { return v.highest_counter("sensor", 1); }), 7u);
  EXPECT_EQ(read([](StoreView& v) { return v.highest_counter("gateway", 0); }), std::nullopt);
}

TEST_P(TrustContract, AnUpdateRemembersTheManifestItWasOfferedWith) {
  write([](StoreTransaction& t) {
    t.add_release(some_release("R1"));
    t.add_manifest(some_manifest("M1", "R1"));
    Device device;
    device.id = "sensor_A1B2";
    t.put_device(device);
    Deployment deployment;
    deployment.id = "U1";
    deployment.device = device.id;
    deployment.release = "R1";
    deployment.manifest = "M1";
    t.put_deployment(deployment);
    deployment.manifest.reset();  // as everything that was decided, it is not changed later
    t.put_deployment(deployment);
  });
  EXPECT_EQ(read([](StoreView& v) { return v.deployment("U1"); })->manifest, "M1");
}

class UrlContract : public TrustContract {
 protected:
  /// An update whose URL ends at 2000, in that state.
  void offer(const std::string& device, std::optional<contract::UpdateState> reported) {
    write([&](StoreTransaction& t) {
      Device known;
      known.id = device;
      t.put_device(known);
      Deployment deployment;
      deployment.id = "U-" + device;
      deployment.device = device;
      deployment.reported = reported;
      t.put_deployment(deployment);
      t.set_url_until(deployment.id, 2000);
    });
  }
  std::vector<std::string> ending(std::int64_t before, std::int64_t now_ms = 1'000'000) {
    return read([&](StoreView& v) { return v.ending_urls(before, now_ms, 10); });
  }
};

TEST_P(UrlContract, KnowsWhoseUrlsEndSoon) {
  using contract::UpdateState;
  offer("a", std::nullopt);
  offer("b", UpdateState::downloading);
  offer("c", UpdateState::verifying);  // it needs no URL any more
  offer("d", UpdateState::failed);
  EXPECT_TRUE(ending(2000).empty());
  EXPECT_EQ(ending(2001), (std::vector<std::string>{"a", "b"}));
  reopen();
  EXPECT_EQ(ending(2001).size(), 2u);
  write([](StoreTransaction& t) { t.set_url_until("U-a", 3000); });
  EXPECT_EQ(ending(2001), std::vector<std::string>{"b"});
}

TEST_P(UrlContract, LeavesToTheOutboxWhatIsDueThere) {
  offer("a", std::nullopt);
  write([](StoreTransaction& t) { t.put_outbox("a", "U-a", 1'000'000); });
  EXPECT_TRUE(ending(2001, 1'000'000).empty());
  EXPECT_EQ(ending(2001, 999'999).size(), 1u) << "due only later";
}

INSTANTIATE_TEST_SUITE_P(Stores,
                         UrlContract,
                         testing::Values(StoreMaker{
                             "SQLite",
                             [](const std::filesystem::path& directory) -> std::unique_ptr<Store> {
                               return std::make_unique<SqliteStore>(directory / "otaria.db");
                             }}),
                         [](const auto& maker) { return maker.param.name; });

INSTANTIATE_TEST_SUITE_P(Stores,
                         TrustContract,
                         testing::Values(StoreMaker{
                             "SQLite",
                             [](const std::filesystem::path& directory) -> std::unique_ptr<Store> {
                               return std::make_unique<SqliteStore>(directory / "otaria.db");
                             }}),
                         [](const auto& maker) { return maker.param.name; });

}  // namespace
}  // namespace otaria::server
