#include "device/keys/key_store.hpp"

#include <gtest/gtest.h>

#include "device/keys/testing/key_bench.hpp"

namespace otaria::device {
namespace {

using contract::KeyListRefusal;
using testing::fetch;
using testing::KeyStart;
using testing::ManifestText;
using testing::provision;
using testing::signed_file;

class KeyStoreTest : public ::testing::Test {
 protected:
  KeyStoreTest() {
    EXPECT_TRUE(init_crypto());
    restart();
  }
  void restart() { start = std::make_unique<KeyStart>(flash); }
  KeyStore& store() { return start->store; }
  KeyListRefusal offer(const std::string& list, std::uint32_t time_floor = 0) {
    EXPECT_TRUE(fetch(store(), Fetched::key_list, list));
    const auto verdict = store().accept(time_floor);
    EXPECT_TRUE(verdict);
    return verdict.value().refusal;
  }
  /// Flips a bit of a list as it lies in flash.
  void damage(const KeyListRecord& list, std::uint32_t at = 50) {
    const std::uint32_t address = testing::key_region.base + list.area * KeyStore::area_bytes;
    flash.cells()[address + at] ^= 1;
  }
  contract::SignatureVerdict judge_manifest() {
    AreaFile file = store().manifest_file();
    contract::PayloadPlace payload;
    return judge_manifest_signatures(
        file, *store().ring(), start->hasher, start->verifier, payload);
  }

  FakeFlash flash{testing::flash_bytes};
  testing::Operator op;
  std::unique_ptr<KeyStart> start;
};

TEST_F(KeyStoreTest, ANewDeviceHasNoKeysAndTakesNoneFromTheNetwork) {
  EXPECT_EQ(store().standing(), ListStanding::none);
  EXPECT_EQ(store().ring(), nullptr);
  EXPECT_EQ(offer(op.list(1)), KeyListRefusal::new_threshold);
  EXPECT_EQ(store().standing(), ListStanding::none);
}

TEST_F(KeyStoreTest, WithoutAPartitionThereAreNoKeysAndNothingIsFetched) {
  for (const Region region : {Region{}, Region{0x2000, KeyStore::partition_bytes - 0x1000}}) {
    store().open(region, "sensor");
    EXPECT_FALSE(provision(store(), op.list(1)));
    EXPECT_FALSE(store().begin(Fetched::manifest));
    EXPECT_FALSE(store().has_keys());
  }
}

TEST_F(KeyStoreTest, AProvisionedListIsInForceAtOnceAndAfterEachStart) {
  op.text.floor = R"("sensor":7,"other":99)";
  ASSERT_TRUE(provision(store(), op.list(3)));
  for (int starts = 0; starts < 3; ++starts) {
    EXPECT_EQ(store().standing(), ListStanding::active);
    EXPECT_EQ(store().serial(), 3U);
    EXPECT_EQ(start->ledger.security_floor(), 7U);
    EXPECT_EQ(start->ledger.time_floor(), op.text.issued);
    restart();
  }
}

TEST_F(KeyStoreTest, OfProvisionedAndJournaledListTheHigherSerialCounts) {
  ASSERT_TRUE(provision(store(), op.list(3)));
  EXPECT_FALSE(provision(store(), op.list(2)));
  const std::uint64_t erases = flash.erases();
  EXPECT_FALSE(provision(store(), op.list(3)));
  EXPECT_EQ(flash.erases(), erases);  // the common case of a start wears nothing
  EXPECT_TRUE(provision(store(), op.list(5)));
  restart();
  EXPECT_EQ(store().serial(), 5U);
}

TEST_F(KeyStoreTest, AProvisionedListThatIsBadIsPassedOver) {
  const std::string good = op.list(1);
  EXPECT_FALSE(provision(store(), op.list(1, {&op.root_a})));
  EXPECT_FALSE(provision(store(), op.list(1, {&op.stranger, &op.release_a})));
  EXPECT_FALSE(provision(store(), ""));
  EXPECT_FALSE(provision(store(), good.substr(0, good.size() / 2)));
  EXPECT_FALSE(provision(store(), std::string(9000, 'a')));
  EXPECT_FALSE(store().has_keys());
}

TEST_F(KeyStoreTest, ANewerListBySufficientRootsFollows) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  EXPECT_EQ(offer(op.list(2)), KeyListRefusal::none);
  EXPECT_EQ(store().serial(), 2U);
  restart();
  EXPECT_EQ(store().serial(), 2U);
}

TEST_F(KeyStoreTest, RefusesWhatMayNotFollowAndKeepsItsList) {
  const std::string other_roots = [] {
    testing::Operator thief;
    return thief.list(11);
  }();
  ASSERT_TRUE(provision(store(), op.list(10)));
  EXPECT_EQ(offer(op.list(9)), KeyListRefusal::not_newer);
  EXPECT_EQ(offer(op.list(10)), KeyListRefusal::not_newer);
  EXPECT_EQ(offer(op.list(1011)), KeyListRefusal::too_far);
  EXPECT_EQ(offer(op.list(11, {&op.root_a})), KeyListRefusal::old_threshold);
  EXPECT_EQ(offer(op.list(11, {&op.root_a, &op.root_a})), KeyListRefusal::old_threshold);
  EXPECT_EQ(offer(op.list(11, {&op.root_a, &op.release_a})), KeyListRefusal::old_threshold);
  EXPECT_EQ(offer(other_roots), KeyListRefusal::old_threshold);
  EXPECT_EQ(offer(op.list(11), op.text.expires + 1), KeyListRefusal::expired);
  op.text.issued += 1;
  EXPECT_EQ(offer(op.list(10)), KeyListRefusal::same_serial);
  EXPECT_EQ(store().serial(), 10U);
  EXPECT_EQ(offer(op.list(1010)), KeyListRefusal::none);
}

TEST_F(KeyStoreTest, RefusesAListCutAtAnyByteOrWithAFlippedBit) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  const std::string list = op.list(2);
  for (std::size_t length = 0; length + 1 < list.size(); length += length < 300 ? 13 : 37) {
    EXPECT_NE(offer(list.substr(0, length)), KeyListRefusal::none) << length;
  }
  for (std::size_t at = 0; at < list.size(); at += 29) {
    std::string flipped = list;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    EXPECT_NE(offer(flipped), KeyListRefusal::none) << at;
  }
  EXPECT_EQ(store().serial(), 1U);
  EXPECT_EQ(offer(list), KeyListRefusal::none);
}

TEST_F(KeyStoreTest, WalksTheListsBetweenWhenTheRootsChanged) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  op.text.roots = {&op.root_a, &op.root_b, &op.root_d};
  const std::string second = op.list(2, {&op.root_a, &op.root_b});
  op.text.roots = {&op.root_b, &op.root_d, &op.root_e};
  const std::string third = op.list(3, {&op.root_b, &op.root_d});
  op.text.roots = {&op.root_d, &op.root_e};
  const std::string newest = op.list(4, {&op.root_d, &op.root_e});
  EXPECT_EQ(offer(newest), KeyListRefusal::old_threshold);
  EXPECT_EQ(offer(second), KeyListRefusal::none);
  EXPECT_EQ(offer(third), KeyListRefusal::none);
  EXPECT_EQ(offer(newest), KeyListRefusal::none);
  EXPECT_EQ(store().serial(), 4U);
  // None of those between has proven itself: the first one is kept.
  EXPECT_EQ(start->ledger.key_lists().previous.serial, 1U);
}

TEST_F(KeyStoreTest, KeepsThePreviousListUntilSomethingWasVerified) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  ASSERT_EQ(offer(op.list(2)), KeyListRefusal::none);
  EXPECT_EQ(start->ledger.key_lists().previous.serial, 1U);
  ASSERT_TRUE(store().note_verified());
  EXPECT_FALSE(start->ledger.key_lists().previous);
  const std::uint64_t operations = flash.operations();
  ASSERT_TRUE(store().note_verified());
  EXPECT_EQ(flash.operations(), operations);
}

TEST_F(KeyStoreTest, FallsBackToThePreviousListAndFindsItsWayForwardAgain) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  const std::string second = op.list(2);
  ASSERT_EQ(offer(second), KeyListRefusal::none);
  damage(start->ledger.key_lists().active);
  restart();
  EXPECT_EQ(store().standing(), ListStanding::previous);
  EXPECT_EQ(store().serial(), 1U);
  ASSERT_TRUE(store().note_verified());  // that list is all there is
  EXPECT_TRUE(start->ledger.key_lists().previous);
  EXPECT_EQ(offer(second), KeyListRefusal::none);
  EXPECT_EQ(store().standing(), ListStanding::active);
  restart();
  EXPECT_EQ(store().serial(), 2U);
}

TEST_F(KeyStoreTest, WithBothListsDamagedOnlyAProvisionedOneHelps) {
  const std::string first = op.list(1);
  ASSERT_TRUE(provision(store(), first));
  ASSERT_EQ(offer(op.list(2)), KeyListRefusal::none);
  damage(start->ledger.key_lists().active);
  damage(start->ledger.key_lists().previous);
  restart();
  EXPECT_EQ(store().standing(), ListStanding::none);
  EXPECT_EQ(offer(op.list(3)), KeyListRefusal::new_threshold);
  EXPECT_TRUE(provision(store(), first));
  EXPECT_EQ(store().standing(), ListStanding::active);
}

TEST_F(KeyStoreTest, AFloorIsNeverLoweredWithinAnEpochAndSetByTheNext) {
  op.text.floor = R"("sensor":7)";
  ASSERT_TRUE(provision(store(), op.list(1)));
  op.text.floor = R"("sensor":3)";
  ASSERT_EQ(offer(op.list(2)), KeyListRefusal::none);
  EXPECT_EQ(start->ledger.security_floor(), 7U);
  op.text.epoch = 1;
  ASSERT_EQ(offer(op.list(3)), KeyListRefusal::none);
  EXPECT_EQ(start->ledger.security_floor(), 3U);
  ASSERT_TRUE(start->journal.compact());
  restart();
  EXPECT_EQ(start->ledger.security_floor(), 3U);
  EXPECT_EQ(start->ledger.epoch(), 1U);
}

TEST_F(KeyStoreTest, AManifestStaysStagedWhileKeyListsAreFetchedAndAccepted) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  const std::string manifest =
      signed_file(contract::manifest_kind.type, ManifestText{}.json(), {&op.stranger});
  ASSERT_TRUE(fetch(store(), Fetched::manifest, manifest));
  EXPECT_EQ(judge_manifest().fault, Fault::unknown_key);
  op.text.releases = {&op.stranger};
  for (std::uint32_t serial = 2; serial < 7; ++serial) {  // with a list still kept, too
    ASSERT_EQ(offer(op.list(serial)), KeyListRefusal::none);
    EXPECT_TRUE(judge_manifest().ok());
  }
  ASSERT_EQ(store().manifest_file().size(), manifest.size());
}

TEST_F(KeyStoreTest, JudgesManifestsByTheListInForce) {
  op.text.release_threshold = 2;
  op.text.revoked = {op.stranger.public_key().key_id()};
  ASSERT_TRUE(provision(store(), op.list(1)));
  const auto judged = [this](const std::vector<testing::PrivateKey*>& signers) {
    const std::string text =
        signed_file(contract::manifest_kind.type, ManifestText{}.json(), signers);
    EXPECT_TRUE(fetch(store(), Fetched::manifest, text));
    return judge_manifest().fault;
  };
  EXPECT_EQ(judged({&op.release_a, &op.release_b}), Fault::none);
  EXPECT_EQ(judged({&op.release_a, &op.release_a}), Fault::bad_signature);
  EXPECT_EQ(judged({&op.release_a, &op.stranger}), Fault::revoked_key);
  EXPECT_EQ(judged({&op.root_a, &op.root_b}), Fault::unknown_key);
  EXPECT_EQ(judged({&op.release_a, &op.release_b, &op.root_a, &op.stranger, &op.root_b}),
            Fault::bad_signature);  // five lines
}

TEST_F(KeyStoreTest, AFileThatIsTooLargeIsNotStaged) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  EXPECT_FALSE(fetch(store(), Fetched::manifest, std::string(4097, 'a')));
  EXPECT_EQ(store().manifest_file().size(), 0U);
  EXPECT_FALSE(fetch(store(), Fetched::key_list, std::string(8193, 'a')));
  EXPECT_TRUE(fetch(store(), Fetched::manifest, std::string(4096, 'a')));
  EXPECT_EQ(store().manifest_file().size(), 4096U);
  store().forget(Fetched::manifest);
  EXPECT_EQ(store().manifest_file().size(), 0U);
}

TEST_F(KeyStoreTest, SaysWhenItsListHasCertainlyExpired) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  EXPECT_FALSE(store().expired(0));
  EXPECT_FALSE(store().expired(op.text.expires));
  EXPECT_TRUE(store().expired(op.text.expires + 1));
  EXPECT_TRUE(store().has_keys());
}

// A journal that names areas outside the partition, or lists longer than one.
TEST_F(KeyStoreTest, DoesNotFollowARecordThatMakesNoSense) {
  KeyListsRecord lists;
  lists.active = {200, 5, 100, 1, 0, 0, 0};
  lists.previous = {1, 4, 0xFFFFFFFF, 1, 0, 0, 0};
  ASSERT_TRUE(start->ledger.set_key_lists(lists));
  restart();
  EXPECT_EQ(store().standing(), ListStanding::none);
  EXPECT_TRUE(provision(store(), op.list(1)));
}

TEST_F(KeyStoreTest, NeverWritesWhereTheJournalsListsLie) {
  ASSERT_TRUE(provision(store(), op.list(1)));
  ASSERT_EQ(offer(op.list(2)), KeyListRefusal::none);
  const KeyListsRecord lists = start->ledger.key_lists();
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(fetch(store(), Fetched::manifest, std::string(4096, '\0')));
    ASSERT_TRUE(fetch(store(), Fetched::key_list, std::string(8192, '\0')));
    EXPECT_FALSE(store().accept(0).value().ok());
  }
  restart();
  EXPECT_EQ(start->ledger.key_lists(), lists);
  EXPECT_EQ(store().standing(), ListStanding::active);
}

}  // namespace
}  // namespace otaria::device
