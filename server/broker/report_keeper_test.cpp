#include "server/broker/report_keeper.hpp"

#include <gtest/gtest.h>

#include "server/broker/testing/temporary_store.hpp"

namespace otaria::server {
namespace {

using contract::UpdateState;

class Keeping : public ::testing::Test {
 protected:
  void SetUp() override { keep(state(57, 10)); }

  StateReport state(std::uint32_t session, std::uint32_t seq) {
    StateReport report;
    report.id = "sensor_A1B2";
    report.mac = "a4cf12e0a1b2";
    report.online = true;
    report.session = session;
    report.version = "1.3.0";
    report.seq = seq;
    return report;
  }
  StatusReport status(UpdateState update_state, std::uint32_t seq, std::string update = "U1") {
    StatusReport report;
    report.id = "sensor_A1B2";
    report.version = "1.3.0";
    report.update = std::move(update);
    report.state = update_state;
    report.seq = seq;
    return report;
  }
  template <class AnyReport>
  void keep(const AnyReport& report) {
    store_.write([&](StoreTransaction& t) { keeper_.keep(t, report, now_ms_); });
  }
  void offer(const std::string& id) {
    store_.write([&](StoreTransaction& t) {
      for (const Deployment& older : t.open_deployments("sensor_A1B2")) {
        t.put_deployment(supersede(older, 1000).next);
      }
      Deployment deployment;
      deployment.id = id;
      deployment.device = "sensor_A1B2";
      deployment.target = "1.4.0";
      deployment.sha256 = std::string(64, 'b');
      t.put_deployment(deployment);
      restate_notice(t, "sensor_A1B2", now_ms_);
    });
  }
  std::string state_of(const std::string& id) {
    return std::string{state_name(*store_.read([&](StoreView& v) { return v.deployment(id); }))};
  }
  /// `none`, `empty`, or the update that the outbox is to publish.
  std::string outbox() {
    const auto row = store_.read([](StoreView& v) { return v.outbox_row("sensor_A1B2"); });
    return row ? row->update.value_or("empty") : "none";
  }
  void pretend_published() {
    store_.write([&](StoreTransaction& t) {
      if (const auto row = t.outbox_row("sensor_A1B2")) {
        t.outbox_published("sensor_A1B2", row->generation, now_ms_ + 1000);
      }
    });
  }

  std::int64_t now_ms_ = 1'790'000'000'000;
  testing::TemporaryStore store_;
  BrokerCounters counters_;
  LimitedLog log_;
  ReportKeeper keeper_{Deadlines{}, counters_, log_};
};

TEST_F(Keeping, FirstContactRegistersTheDevice) {
  const auto device = store_.read([](StoreView& v) { return v.device("sensor_A1B2"); });
  ASSERT_TRUE(device);
  EXPECT_EQ(device->mac, "a4cf12e0a1b2");
}

TEST_F(Keeping, ASecondMacIsRefusedAndCounted) {
  StateReport intruder = state(99, 9000);
  intruder.mac = "ffffffffa1b2";
  intruder.version = "6.6.6";
  keep(intruder);
  EXPECT_EQ(counters_.id_conflicts, 1u);
  EXPECT_EQ(store_.read([](StoreView& v) { return v.device("sensor_A1B2"); })->version, "1.3.0");
}

TEST_F(Keeping, ANoticeIsDeliveredWhenTheDeviceAnswersNotAtThePuback) {
  offer("U1");
  pretend_published();
  EXPECT_EQ(outbox(), "U1");
  EXPECT_FALSE(store_.read([](StoreView& v) { return v.deployment("U1"); })->delivered());
  keep(status(UpdateState::received, 11));
  EXPECT_EQ(outbox(), "none");
  EXPECT_TRUE(store_.read([](StoreView& v) { return v.deployment("U1"); })->delivered());
}

TEST_F(Keeping, TheNoticeIsEmptiedWhenTheUpdateBecomesFinal) {
  offer("U1");
  keep(status(UpdateState::received, 11));
  keep(status(UpdateState::succeeded, 12));
  EXPECT_EQ(outbox(), "empty");
  pretend_published();
  EXPECT_EQ(outbox(), "none");
}

TEST_F(Keeping, ARepeatedStatusIsRecordedOnceAndDoesNothing) {
  offer("U1");
  keep(status(UpdateState::succeeded, 12));
  pretend_published();
  keep(status(UpdateState::succeeded, 12));
  EXPECT_EQ(outbox(), "none");
  EXPECT_EQ(counters_.repeats, 1u);
  EXPECT_EQ(store_.read([](StoreView& v) { return v.statuses("sensor_A1B2", "U1", {}); }).size(),
            1u);
}

TEST_F(Keeping, AnOvertakenStatusIsRecordedButTurnsNothingBack) {
  offer("U1");
  keep(status(UpdateState::verifying, 15));
  keep(status(UpdateState::downloading, 13));
  EXPECT_EQ(state_of("U1"), "verifying");
  EXPECT_EQ(store_.read([](StoreView& v) { return v.statuses("sensor_A1B2", "U1", {}); }).size(),
            2u);
}

TEST_F(Keeping, WaitingForAClosedUpdateIsAnsweredByAnEmptyPayload) {
  offer("U1");
  keep(status(UpdateState::failed, 11));
  pretend_published();
  ASSERT_EQ(outbox(), "none");
  keep(status(UpdateState::waiting, 12));
  EXPECT_EQ(outbox(), "empty");
}

TEST_F(Keeping, WaitingForAClosedUpdateWhileAnotherIsOfferedIsAnsweredByThatOne) {
  offer("U1");
  keep(status(UpdateState::failed, 11));
  offer("U2");
  keep(status(UpdateState::waiting, 12));
  EXPECT_EQ(outbox(), "U2");  // an empty payload would have withdrawn it
}

TEST_F(Keeping, WaitingForAnUpdateOfSomeoneElseIsLeftAlone) {
  keep(status(UpdateState::waiting, 11, "THEIRS"));
  EXPECT_EQ(outbox(), "none");
  EXPECT_EQ(counters_.unknown_updates, 1u);
}

TEST_F(Keeping, WaitingMakesAnAnsweredNoticeUnanswered) {
  offer("U1");
  keep(status(UpdateState::downloading, 11));
  ASSERT_EQ(outbox(), "none");
  keep(status(UpdateState::waiting, 12));
  EXPECT_EQ(outbox(), "U1");
}

TEST_F(Keeping, ANewSessionInTheMiddleOfAnUpdateMakesItsNoticeUnanswered) {
  offer("U1");
  keep(status(UpdateState::downloading, 11));
  keep(state(57, 12));  // the same session: a change of something else
  EXPECT_EQ(outbox(), "none");
  keep(state(58, 13));
  EXPECT_EQ(outbox(), "U1");
}

TEST_F(Keeping, LastHealsAFinalStatusThatWasLost) {
  offer("U1");
  keep(status(UpdateState::trial, 11));
  StateReport healing = state(58, 13);
  healing.last = LastOutcome{"U1", "1.4.0", UpdateState::succeeded, 12};
  keep(healing);
  EXPECT_EQ(state_of("U1"), "succeeded");
  EXPECT_EQ(outbox(), "empty");
}

TEST_F(Keeping, TheImageAloneIsNoSuccess) {
  offer("U1");
  keep(status(UpdateState::trial, 11));
  StateReport running = state(58, 13);
  running.image = std::string(64, 'b');
  running.confirmed = true;
  keep(running);
  EXPECT_EQ(state_of("U1"), "trial");
}

TEST_F(Keeping, ASuccessThatTheDevicesOwnStateBeliesIsCountedAsAContradictionToo) {
  offer("U1");
  StateReport running = state(57, 11);
  running.image = std::string(64, 'a');
  keep(running);
  keep(status(UpdateState::received, 12));
  EXPECT_EQ(counters_.contradictions, 0u);
  keep(status(UpdateState::succeeded, 13));
  EXPECT_EQ(state_of("U1"), "succeeded");
  EXPECT_EQ(counters_.contradictions, 1u);
}

TEST_F(Keeping, ASuccessThatTheDevicesStateBearsOutIsNoContradiction) {
  offer("U1");
  StateReport running = state(57, 11);
  running.image = std::string(64, 'b');
  keep(running);
  keep(status(UpdateState::succeeded, 12));
  EXPECT_EQ(state_of("U1"), "succeeded");
  EXPECT_EQ(counters_.contradictions, 0u);
}

TEST_F(Keeping, OnlyOneUpdateIsOfferedAndTheDeviceEndsTheOlder) {
  offer("U1");
  keep(status(UpdateState::downloading, 11));
  offer("U2");
  EXPECT_EQ(outbox(), "U2");
  EXPECT_EQ(state_of("U1"), "downloading");
  StatusReport ended = status(UpdateState::failed, 12);
  ended.error = UpdateError{"superseded", "", ""};
  keep(ended);
  EXPECT_EQ(state_of("U1"), "failed");
  EXPECT_EQ(outbox(), "U2");  // the newer notice still stands
  keep(status(UpdateState::received, 13, "U2"));
  EXPECT_EQ(outbox(), "none");
}

TEST_F(Keeping, AnOlderOneThatTheDeviceNeverAnsweredEndsWhenItBeginsTheNewer) {
  offer("U1");
  offer("U2");
  EXPECT_EQ(state_of("U1"), "offered");
  keep(status(UpdateState::received, 11, "U2"));
  EXPECT_EQ(state_of("U1"), "refused");
}

TEST_F(Keeping, ALowerNumberCountsOncePerSessionAfterALostJournal) {
  offer("U1");
  StateReport reset = state(3, 1);
  reset.seq_reset = true;
  keep(reset);
  keep(status(UpdateState::received, 2));
  EXPECT_EQ(state_of("U1"), "received");
  reset.version = "0.0.1";
  keep(reset);  // a copy, or an attacker's replay
  EXPECT_EQ(store_.read([](StoreView& v) { return v.device("sensor_A1B2"); })->version, "1.3.0");
}

TEST_F(Keeping, AStatusOfAnUnknownDeviceRegistersItWithoutAMac) {
  StatusReport report = status(UpdateState::received, 1, "");
  report.id = "sensor_NEW";
  keep(report);
  const auto device = store_.read([](StoreView& v) { return v.device("sensor_NEW"); });
  ASSERT_TRUE(device);
  EXPECT_FALSE(device->mac.has_value());
}

TEST_F(Keeping, AnOfferThatNobodySignedEndsWhenItsDeviceIsInProduction) {
  offer("U1");
  StateReport production = state(58, 11);
  production.mode = "production";
  keep(production);
  const auto ended = store_.read([](StoreView& v) { return v.deployment("U1"); });
  EXPECT_TRUE(ended->final());
  EXPECT_EQ(ended->error->code, "manifest_required");
  EXPECT_EQ(outbox(), "empty");
}

TEST_F(Keeping, ASignedOfferToADeviceInProductionStands) {
  store_.write([](StoreTransaction& t) {
    Release release;
    release.id = "R1";
    t.add_release(release);
    t.add_manifest({.said = {.id = "M1"}, .release = "R1"});
    Deployment deployment;
    deployment.id = "U1";
    deployment.device = "sensor_A1B2";
    deployment.release = "R1";
    deployment.manifest = "M1";
    t.put_deployment(deployment);
  });
  StateReport production = state(58, 11);
  production.mode = "production";
  keep(production);
  EXPECT_EQ(state_of("U1"), "offered");
}

}  // namespace
}  // namespace otaria::server
