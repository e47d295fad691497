// What every implementation of the Store port must do. A new one joins by a row in the list at the
// end.
#include "server/store/store.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "server/store/sqlite_store.hpp"
#include "server/store/testing/store_fixture.hpp"

namespace otaria::server {
namespace {

using contract::UpdateState;

class StoreContract : public StoreFixture {};

Release some_release(std::string id, std::string version, std::vector<std::string> hardware = {}) {
  Release release;
  release.id = std::move(id);
  release.product = "sensor";
  release.version = std::move(version);
  release.hardware = std::move(hardware);
  release.channel = "stable";
  release.chip = "esp32s3";
  release.size = 922809;
  release.sha256 = std::string(64, 'c');
  release.notes = "quotes ' and \" and\nlines";
  release.created_at = 1000;
  return release;
}

Device some_device(std::string id) {
  Device device;
  device.id = std::move(id);
  device.mac = "a4cf12e0a1b2";
  device.version = "1.3.0";
  device.confirmed = false;
  device.max_image = 3342336;
  device.online = true;
  device.session = 4294967295u;
  device.marks = {.newest = {2, 4294967295u}, .newest_state = {2, 17}};
  device.first_seen = 1000;
  device.last_seen = 1001;
  return device;
}

Deployment some_deployment(std::string id, std::string device) {
  Deployment deployment;
  deployment.id = std::move(id);
  deployment.device = std::move(device);
  deployment.target = "1.4.0";
  deployment.sha256 = std::string(64, 'c');
  deployment.created_at = 1000;
  deployment.updated_at = 1000;
  deployment.due_at = 5000;
  return deployment;
}

StatusRecord some_status(std::uint32_t seq, UpdateState state = UpdateState::downloading) {
  StatusRecord record;
  record.device = "sensor_A1B2";
  record.update = "U1";
  record.version = "1.3.0";
  record.target = "1.4.0";
  record.state = state;
  record.progress = contract::Progress{42, 420, 1000};
  record.place = {0, seq};
  record.received_at = 2000;
  return record;
}

TEST_P(StoreContract, KeepsAReleaseAcrossARestart) {
  write([](StoreTransaction& t) {
    EXPECT_TRUE(t.add_release(some_release("R1", "1.4.0", {"a", "b"})));
  });
  reopen();
  const auto release = read([](StoreView& v) { return v.release("R1"); });
  ASSERT_TRUE(release);
  EXPECT_EQ(release->hardware, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(release->notes, "quotes ' and \" and\nlines");
  EXPECT_EQ(release->size, 922809u);
  EXPECT_FALSE(read([](StoreView& v) { return v.release("R2"); }));
}

TEST_P(StoreContract, HoldsOneReleasePerProductVersionAndHardware) {
  write([](StoreTransaction& t) {
    EXPECT_TRUE(t.add_release(some_release("R1", "1.4.0")));
    EXPECT_FALSE(t.add_release(some_release("R2", "1.4.0")));
    EXPECT_TRUE(t.add_release(some_release("R3", "1.4.0", {"a"})));
    EXPECT_EQ(t.release_named("sensor", "1.4.0", {"a"})->id, "R3");
    EXPECT_FALSE(t.release_named("sensor", "1.4.0", {"b"}));
  });
}

TEST_P(StoreContract, ListsReleasesNewestFirstSliceBySlice) {
  write([](StoreTransaction& t) {
    for (int i = 1; i <= 5; ++i) {
      t.add_release(some_release("R" + std::to_string(i), "1." + std::to_string(i) + ".0"));
    }
  });
  const auto first = read([](StoreView& v) { return v.releases({}, {.after = "", .limit = 2}); });
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].id, "R5");
  const auto second =
      read([&](StoreView& v) { return v.releases({}, {.after = first[1].id, .limit = 10}); });
  ASSERT_EQ(second.size(), 3u);
  EXPECT_EQ(second[0].id, "R3");
  const auto one =
      read([](StoreView& v) { return v.releases({.product = "sensor", .version = "1.2.0"}, {}); });
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].id, "R2");
}

TEST_P(StoreContract, KeepsEveryMemberOfADeviceAndWhatIsAbsent) {
  write([](StoreTransaction& t) { t.put_device(some_device("sensor_A1B2")); });
  reopen();
  const auto device = read([](StoreView& v) { return v.device("sensor_A1B2"); });
  ASSERT_TRUE(device);
  EXPECT_EQ(device->confirmed, false);
  EXPECT_EQ(device->session, 4294967295u);
  EXPECT_EQ(device->marks.newest, (Sequence{2, 4294967295u}));
  EXPECT_EQ(device->marks.newest_state.seq, 17u);
  EXPECT_FALSE(device->product.has_value());
  EXPECT_FALSE(device->update.has_value());
}

TEST_P(StoreContract, ReplacesADeviceButNotItsFirstContact) {
  write([](StoreTransaction& t) {
    Device device = some_device("sensor_A1B2");
    t.put_device(device);
    device.first_seen = 9;
    device.version = "1.4.0";
    t.put_device(device);
    EXPECT_EQ(t.device("sensor_A1B2")->first_seen, 1000);
    EXPECT_EQ(t.device("sensor_A1B2")->version, "1.4.0");
  });
}

TEST_P(StoreContract, FindsDevicesByASubstringTakenLiterally) {
  write([](StoreTransaction& t) {
    t.put_device(some_device("sensor_A1B2"));
    t.put_device(some_device("sensor-C3D4"));
    t.put_device(some_device("gateway"));
  });
  const auto found = [&](std::string text) {
    return read([&](StoreView& v) { return v.devices({.text = text}, {}); }).size();
  };
  EXPECT_EQ(found(""), 3u);
  EXPECT_EQ(found("sensor"), 2u);
  EXPECT_EQ(found("sensor_"), 1u);  // not any character
  EXPECT_EQ(found("a1b2"), 3u);     // the MAC of all of them
  EXPECT_EQ(found("%"), 0u);
  EXPECT_EQ(found("1.3"), 3u);
  EXPECT_EQ(found("' OR 1=1 --"), 0u);
}

TEST_P(StoreContract, NamesTheNewestOpenUpdateOfADevice) {
  write([](StoreTransaction& t) {
    t.put_device(some_device("sensor_A1B2"));
    t.put_deployment(some_deployment("U1", "sensor_A1B2"));
    t.put_deployment(some_deployment("U2", "sensor_A1B2"));
    EXPECT_EQ(t.device("sensor_A1B2")->update, "U2");
    Deployment done = some_deployment("U2", "sensor_A1B2");
    done.reported = UpdateState::succeeded;
    t.put_deployment(done);
    EXPECT_EQ(t.device("sensor_A1B2")->update, "U1");
    EXPECT_EQ(t.open_deployments("sensor_A1B2").size(), 1u);
  });
}

TEST_P(StoreContract, KeepsADeploymentAcrossARestart) {
  Deployment deployment = some_deployment("U1", "sensor_A1B2");
  deployment.reported = UpdateState::failed;
  deployment.progress = contract::Progress{42, 420, 1000};
  deployment.error = UpdateError{"digest_mismatch", "detail", "hint"};
  deployment.place = {1, 77};
  deployment.force = true;
  deployment.deadline = 4000000000u;
  deployment.closed_by_server = true;
  write([&](StoreTransaction& t) {
    t.put_device(some_device("sensor_A1B2"));
    t.put_deployment(deployment);
  });
  reopen();
  const auto kept = read([](StoreView& v) { return v.deployment("U1"); });
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->reported, UpdateState::failed);
  EXPECT_EQ(kept->error, deployment.error);
  EXPECT_EQ(kept->progress->bytes, 420u);
  EXPECT_EQ(kept->place, (Sequence{1, 77}));
  EXPECT_EQ(kept->deadline, 4000000000u);
  EXPECT_TRUE(kept->force);
  EXPECT_TRUE(kept->closed_by_server);
}

TEST_P(StoreContract, FiltersDeploymentsByDeviceStateAndOpenness) {
  write([](StoreTransaction& t) {
    t.put_device(some_device("a"));
    t.put_device(some_device("b"));
    t.put_deployment(some_deployment("U1", "a"));
    Deployment stale = some_deployment("U2", "b");
    stale.stale = true;
    t.put_deployment(stale);
    Deployment done = some_deployment("U3", "b");
    done.reported = UpdateState::succeeded;
    t.put_deployment(done);
    EXPECT_EQ(t.deployments({}, {}).size(), 3u);
    EXPECT_EQ(t.deployments({.device = "b"}, {}).size(), 2u);
    EXPECT_EQ(t.deployments({.state = "stale"}, {}).at(0).id, "U2");
    EXPECT_EQ(t.deployments({.device = "b", .open_only = true}, {}).at(0).id, "U2");
    EXPECT_EQ(t.deployments({.open_only = true}, {.after = "U2"}).at(0).id, "U1");
  });
}

TEST_P(StoreContract, RecordsEachStatusOnce) {
  write([](StoreTransaction& t) {
    t.put_device(some_device("sensor_A1B2"));
    EXPECT_TRUE(t.add_status(some_status(1)));
    EXPECT_FALSE(t.add_status(some_status(1)));
    EXPECT_TRUE(t.add_status(some_status(2, UpdateState::succeeded)));
    StatusRecord next_epoch = some_status(1);
    next_epoch.place.epoch = 1;
    EXPECT_TRUE(t.add_status(next_epoch));
  });
  const auto all = read([](StoreView& v) { return v.statuses("sensor_A1B2", "", {}); });
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].state, UpdateState::succeeded);  // oldest first
  const auto rest = read([&](StoreView& v) {
    return v.statuses("sensor_A1B2", "U1", {.after = std::to_string(all[1].ordinal)});
  });
  EXPECT_EQ(rest.size(), 1u);
}

TEST_P(StoreContract, RemembersWhichSessionsBeganAnEpoch) {
  write([](StoreTransaction& t) { t.add_session_restart("a4cf12e0a1b2", 4000000000u); });
  reopen();
  EXPECT_TRUE(read([](StoreView& v) { return v.session_restarted("a4cf12e0a1b2", 4000000000u); }));
  EXPECT_FALSE(read([](StoreView& v) { return v.session_restarted("a4cf12e0a1b2", 1); }));
  EXPECT_FALSE(read([](StoreView& v) { return v.session_restarted("ffffffffffff", 4000000000u); }));
}

class Outbox : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    write([](StoreTransaction& t) {
      t.put_device(some_device("a"));
      t.put_device(some_device("b"));
      t.put_deployment(some_deployment("U1", "a"));
      t.put_deployment(some_deployment("U2", "a"));
    });
  }
  std::vector<OutboxRow> due(std::int64_t now_ms) {
    return read([&](StoreView& v) { return v.due_notices(now_ms, 100); });
  }
};

TEST_P(Outbox, KeepsADecisionUntilItIsDue) {
  write([](StoreTransaction& t) { t.put_outbox("a", "U1", 5000); });
  reopen();
  EXPECT_TRUE(due(4999).empty());
  ASSERT_EQ(due(5000).size(), 1u);
  EXPECT_EQ(due(5000)[0].update, "U1");
}

TEST_P(Outbox, RepeatsANoticeUntilTheDeviceAnswers) {
  write([](StoreTransaction& t) { t.put_outbox("a", "U1", 5000); });
  const OutboxRow row = due(5000).at(0);
  write([&](StoreTransaction& t) { t.outbox_published("a", row.generation, 9000); });
  EXPECT_TRUE(due(8999).empty());
  EXPECT_EQ(due(9000).at(0).attempts, 1u);
  write([](StoreTransaction& t) { t.outbox_answered("a", "U2"); });  // another one's answer
  EXPECT_EQ(due(9000).size(), 1u);
  write([](StoreTransaction& t) { t.outbox_answered("a", "U1"); });
  EXPECT_TRUE(due(1'000'000).empty());
}

TEST_P(Outbox, AnEmptyPayloadIsDoneOnceTheBrokerHasIt) {
  write([](StoreTransaction& t) { t.put_outbox("a", std::nullopt, 0); });
  const OutboxRow row = due(0).at(0);
  EXPECT_FALSE(row.update.has_value());
  write([&](StoreTransaction& t) { t.outbox_published("a", row.generation, 9000); });
  EXPECT_TRUE(due(1'000'000).empty());
}

TEST_P(Outbox, APublishOfWhatWasDecidedBeforeDoesNotSettleWhatWasDecidedSince) {
  write([](StoreTransaction& t) { t.put_outbox("a", "U1", 0); });
  const OutboxRow before = due(0).at(0);
  write([](StoreTransaction& t) { t.put_outbox("a", std::nullopt, 0); });
  write([&](StoreTransaction& t) { t.outbox_published("a", before.generation, 9000); });
  ASSERT_EQ(due(0).size(), 1u);
  EXPECT_FALSE(due(0)[0].update.has_value());
}

TEST_P(Outbox, ANewConnectionMakesEveryPublishedNoticeDueButNotTheHeldBack) {
  write([](StoreTransaction& t) {
    t.put_outbox("a", "U1", 0);
    t.put_outbox("b", std::nullopt, 50'000);
    t.outbox_published("a", 1, 60'000);
    t.renew_outbox(100);
  });
  ASSERT_EQ(due(100).size(), 1u);
  EXPECT_EQ(due(100)[0].device, "a");
}

TEST_P(StoreContract, FindsWhatIsOverdueAndWhatHasExpired) {
  write([](StoreTransaction& t) {
    t.put_device(some_device("a"));
    t.put_deployment(some_deployment("U1", "a"));  // due at 5000
    Deployment expiring = some_deployment("U2", "a");
    expiring.due_at = 0;
    expiring.deadline = 4000;
    t.put_deployment(expiring);
    Deployment stale = some_deployment("U3", "a");
    stale.stale = true;
    t.put_deployment(stale);
    EXPECT_TRUE(t.overdue(4999, 10).empty());
    ASSERT_EQ(t.overdue(5000, 10).size(), 1u);
    EXPECT_EQ(t.overdue(5000, 10)[0].id, "U1");
    EXPECT_TRUE(t.expired(3999, 10).empty());
    EXPECT_EQ(t.expired(4000, 10).at(0).id, "U2");
    expiring.withdrawn = true;
    t.put_deployment(expiring);
    EXPECT_TRUE(t.expired(4000, 10).empty());
  });
}

TEST_P(StoreContract, CountsWhatIsThere) {
  write([](StoreTransaction& t) {
    t.put_device(some_device("a"));
    Device silent = some_device("b");
    silent.last_seen = 10;
    t.put_device(silent);
    t.add_release(some_release("R1", "1.0.0"));
    t.put_deployment(some_deployment("U1", "a"));
  });
  const StoreCounts counts = read([](StoreView& v) { return v.counts(500); });
  EXPECT_EQ(counts.devices, 2);
  EXPECT_EQ(counts.online, 1);
  EXPECT_EQ(counts.releases, 1);
  EXPECT_EQ(counts.open_updates, 1);
  EXPECT_EQ(counts.updates_by_state.at("offered"), 1);
}

TEST_P(StoreContract, UndoesAllOfATransactionThatThrows) {
  EXPECT_THROW(write([](StoreTransaction& t) {
                 t.put_device(some_device("a"));
                 t.put_deployment(some_deployment("U1", "a"));
                 throw std::runtime_error{"half way"};
               }),
               std::runtime_error);
  EXPECT_FALSE(read([](StoreView& v) { return v.device("a"); }));
  write([](StoreTransaction& t) { t.put_device(some_device("a")); });  // and goes on working
  EXPECT_TRUE(read([](StoreView& v) { return v.device("a"); }));
}

TEST_P(StoreContract, RefusesADeploymentOfADeviceThatDoesNotExist) {
  EXPECT_THROW(
      write([](StoreTransaction& t) { t.put_deployment(some_deployment("U1", "nobody")); }),
      DatabaseError);
}

TEST_P(StoreContract, TellsWhatEachCommitChanged) {
  std::vector<Changes> seen;
  store_->on_commit([&](const Changes& changes) { seen.push_back(changes); });
  write([](StoreTransaction& t) {
    t.put_device(some_device("a"));
    t.put_deployment(some_deployment("U1", "a"));
    t.put_outbox("a", "U1", 0);
  });
  write([](StoreTransaction& t) { t.device("a"); });
  EXPECT_THROW(write([](StoreTransaction& t) {
                 t.put_device(some_device("b"));
                 throw std::runtime_error{"half way"};
               }),
               std::runtime_error);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].devices.contains("a"));
  EXPECT_TRUE(seen[0].deployments.contains("U1"));
  EXPECT_TRUE(seen[0].outbox);
}

TEST_P(StoreContract, ForgetsOldStatusesButNotOfOpenUpdates) {
  write([](StoreTransaction& t) {
    t.put_device(some_device("sensor_A1B2"));
    t.put_deployment(some_deployment("U1", "sensor_A1B2"));
    t.add_status(some_status(1));
    StatusRecord orphan = some_status(2);
    orphan.update = "";
    t.add_status(orphan);
    EXPECT_EQ(t.forget_statuses(2000, 100), 0u);
    EXPECT_EQ(t.forget_statuses(2001, 100), 1u);
    EXPECT_EQ(t.statuses("sensor_A1B2", "", {}).size(), 1u);
  });
}

TEST_P(StoreContract, ReadsBesideAWriteSeeTheStateBefore) {
  write([](StoreTransaction& t) { t.put_device(some_device("a")); });
  write([&](StoreTransaction& t) {
    t.put_device(some_device("b"));
    EXPECT_FALSE(read([](StoreView& v) { return v.device("b"); }));
  });
  EXPECT_TRUE(read([](StoreView& v) { return v.device("b"); }));
}

const StoreMaker implementations[] = {
    {"Sqlite",
     [](const std::filesystem::path& directory) {
       return std::make_unique<SqliteStore>(directory / "otaria.db");
     }},
};
std::string name_of_maker(const testing::TestParamInfo<StoreMaker>& maker) {
  return maker.param.name;
}
INSTANTIATE_TEST_SUITE_P(All, StoreContract, testing::ValuesIn(implementations), name_of_maker);
INSTANTIATE_TEST_SUITE_P(All, Outbox, testing::ValuesIn(implementations), name_of_maker);

}  // namespace
}  // namespace otaria::server
