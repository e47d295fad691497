#include "server/registry/deployment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace otaria::server {
namespace {

using contract::UpdateState;

constexpr Deadlines deadlines;

Deployment offered() {
  Deployment deployment;
  deployment.id = "01JD0000000000000000000001";
  deployment.device = "sensor_A1B2";
  deployment.target = "1.4.0";
  deployment.sha256 = std::string(64, 'b');
  deployment.created_at = 1000;
  deployment.updated_at = 1000;
  start_deadline(deployment, deadlines, 1000);
  return deployment;
}

StatusReport status(UpdateState state, std::uint32_t seq) {
  StatusReport report;
  report.state = state;
  report.seq = seq;
  if (state != UpdateState::succeeded && contract::is_final(state)) {
    report.error = UpdateError{"digest_mismatch", "the image has another digest", "publish again"};
  }
  if (state == UpdateState::downloading) report.progress = contract::Progress{42, 42, 100};
  return report;
}

Decision after(const Deployment& current, UpdateState state, std::uint32_t seq) {
  return apply(current, status(state, seq), {0, seq}, deadlines, 2000);
}

Deployment at(UpdateState state, std::uint32_t seq = 10) {
  return after(offered(), state, seq).next;
}

TEST(Deployment, IsOfferedUntilTheDeviceAnswers) {
  EXPECT_EQ(state_name(offered()), "offered");
  EXPECT_FALSE(offered().delivered());
}

TEST(Deployment, IsDeliveredOnceTheDeviceReportsReceivedOrLater) {
  const Decision decision = after(offered(), UpdateState::received, 1);
  EXPECT_TRUE(decision.next.delivered());
  EXPECT_EQ(decision.notice, NoticeEffect::answered);
}

TEST(Deployment, FollowsTheDeviceThroughEveryStateToOneFinal) {
  Deployment deployment = offered();
  std::uint32_t seq = 1;
  for (const UpdateState state : {UpdateState::received,
                                  UpdateState::downloading,
                                  UpdateState::verifying,
                                  UpdateState::installed,
                                  UpdateState::rebooting,
                                  UpdateState::trial}) {
    deployment = after(deployment, state, seq++).next;
    EXPECT_EQ(state_name(deployment), contract::name_of(state));
    EXPECT_FALSE(deployment.final());
  }
  const Decision done = after(deployment, UpdateState::succeeded, seq);
  EXPECT_TRUE(done.next.final());
  EXPECT_EQ(done.notice, NoticeEffect::restate);  // the retained notice is emptied
}

TEST(Deployment, ARepeatedStatusChangesNothing) {
  const Deployment downloading = at(UpdateState::downloading);
  const Decision decision = after(downloading, UpdateState::downloading, 10);
  EXPECT_FALSE(decision.changed);
  EXPECT_EQ(decision.notice, NoticeEffect::none);
}

TEST(Deployment, AnOvertakenStatusDoesNotTurnItBack) {
  const Decision decision = after(at(UpdateState::verifying, 20), UpdateState::downloading, 19);
  EXPECT_FALSE(decision.changed);
  EXPECT_EQ(state_name(decision.next), "verifying");
}

TEST(Deployment, TheNumberOrdersNotTheState) {
  // After a restart `waiting` follows `downloading`: the one step back the contract permits.
  const Decision decision = after(at(UpdateState::downloading, 10), UpdateState::waiting, 11);
  EXPECT_EQ(state_name(decision.next), "waiting");
}

TEST(Deployment, InWhateverOrderReportsComeTheOutcomeIsTheSame) {
  std::vector<std::uint32_t> order{1, 2, 3, 4};
  const UpdateState states[] = {
      UpdateState::received, UpdateState::downloading, UpdateState::verifying, UpdateState::failed};
  do {
    Deployment deployment = offered();
    for (int pass = 0; pass < 2; ++pass) {  // each twice: repeats are harmless
      for (const std::uint32_t seq : order) {
        deployment = after(deployment, states[seq - 1], seq).next;
      }
    }
    EXPECT_EQ(state_name(deployment), "failed");
    EXPECT_EQ(deployment.error->code, "digest_mismatch");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Deployment, AFinalStateIsFinal) {
  for (const UpdateState final_state : {UpdateState::succeeded,
                                        UpdateState::rolled_back,
                                        UpdateState::failed,
                                        UpdateState::refused}) {
    const Deployment done = at(final_state);
    for (const UpdateState later : {UpdateState::received,
                                    UpdateState::downloading,
                                    UpdateState::trial,
                                    UpdateState::succeeded,
                                    UpdateState::failed}) {
      if (later == final_state) continue;
      const Decision decision = after(done, later, 99);
      EXPECT_EQ(decision.next.reported, final_state);
      EXPECT_FALSE(decision.changed);
      EXPECT_TRUE(decision.contradiction);
    }
  }
}

TEST(Deployment, AFinalStatusSentAgainWithANewNumberIsNoContradiction) {
  const Decision decision = after(at(UpdateState::failed), UpdateState::failed, 99);
  EXPECT_FALSE(decision.changed);
  EXPECT_FALSE(decision.contradiction);
  EXPECT_EQ(decision.notice, NoticeEffect::none);
}

TEST(Deployment, WaitingForAClosedOneIsAnswered) {
  const Decision decision = after(at(UpdateState::succeeded), UpdateState::waiting, 99);
  EXPECT_EQ(decision.notice, NoticeEffect::restate);
  EXPECT_FALSE(decision.changed);
  EXPECT_EQ(state_name(decision.next), "succeeded");
}

TEST(Deployment, WaitingMakesTheNoticeUnanswered) {
  EXPECT_EQ(after(at(UpdateState::downloading), UpdateState::waiting, 11).notice,
            NoticeEffect::restate);
}

TEST(Deployment, ANewSessionMakesTheNoticeOfAnUnfinishedOneUnanswered) {
  for (const UpdateState state : {UpdateState::waiting,
                                  UpdateState::downloading,
                                  UpdateState::installed,
                                  UpdateState::trial}) {
    EXPECT_EQ(apply_new_session(at(state)).notice, NoticeEffect::restate);
  }
  EXPECT_EQ(apply_new_session(at(UpdateState::succeeded)).notice, NoticeEffect::none);
  EXPECT_EQ(apply_new_session(offered()).notice, NoticeEffect::none);  // it is unanswered already
}

TEST(Deployment, SilenceBeyondTheDeadlineOfItsStateMakesItStale) {
  const Deployment downloading = at(UpdateState::downloading);
  EXPECT_EQ(downloading.due_at, 2000 + deadlines.of(UpdateState::downloading));
  EXPECT_FALSE(apply_silence(downloading, downloading.due_at - 1).changed);
  const Decision late = apply_silence(downloading, downloading.due_at);
  EXPECT_TRUE(late.changed);
  EXPECT_EQ(state_name(late.next), "stale");
  EXPECT_FALSE(apply_silence(late.next, downloading.due_at + 9).changed);
}

TEST(Deployment, EveryStateThatIsNotFinalHasADeadline) {
  EXPECT_GT(offered().due_at, 0);
  for (std::size_t i = 0; i <= static_cast<std::size_t>(UpdateState::trial); ++i) {
    EXPECT_GT(at(static_cast<UpdateState>(i)).due_at, 2000) << i;
  }
  EXPECT_EQ(at(UpdateState::succeeded).due_at, 0);
}

TEST(Deployment, TheDeadlineOfAnOfferBeginsWhenItMayStart) {
  Deployment later = offered();
  later.not_before = 50000;
  start_deadline(later, deadlines, 1000);
  EXPECT_EQ(later.due_at, 50000 + deadlines.offered);
}

TEST(Deployment, AReportHealsAStaleOne) {
  const Deployment stale = apply_silence(at(UpdateState::trial), 999999).next;
  const Decision decision = after(stale, UpdateState::succeeded, 11);
  EXPECT_EQ(state_name(decision.next), "succeeded");
}

TEST(Deployment, AFinalOneNeverBecomesStale) {
  EXPECT_FALSE(apply_silence(at(UpdateState::failed), 999999).changed);
}

TEST(Deployment, LastHealsAFinalStatusThatWasLost) {
  const LastOutcome last{
      .update = offered().id, .target = "1.4.0", .state = UpdateState::rolled_back, .seq = 31};
  const Decision decision = apply_last(at(UpdateState::trial), last, {0, 31}, deadlines, 3000);
  EXPECT_EQ(state_name(decision.next), "rolled_back");
  EXPECT_EQ(decision.notice, NoticeEffect::restate);
  EXPECT_FALSE(apply_last(decision.next, last, {0, 31}, deadlines, 3001).changed);
}

TEST(Deployment, LastHealsEvenAnOfferThatSeemedUnanswered) {
  const LastOutcome last{
      .update = offered().id, .target = "1.4.0", .state = UpdateState::succeeded, .seq = 31};
  EXPECT_TRUE(apply_last(offered(), last, {0, 31}, deadlines, 3000).next.delivered());
}

TEST(Deployment, ACauseThatComesAfterTheHealingIsKept) {
  const LastOutcome last{
      .update = offered().id, .target = "1.4.0", .state = UpdateState::failed, .seq = 31};
  const Deployment healed = apply_last(at(UpdateState::trial), last, {0, 31}, deadlines, 3000).next;
  EXPECT_FALSE(healed.error.has_value());
  const Decision decision = after(healed, UpdateState::failed, 31);
  EXPECT_TRUE(decision.changed);
  EXPECT_EQ(decision.next.error->code, "digest_mismatch");
}

TEST(Deployment, LastThatIsNotFinalSaysNothing) {
  const LastOutcome last{
      .update = offered().id, .target = "1.4.0", .state = UpdateState::trial, .seq = 31};
  EXPECT_FALSE(apply_last(offered(), last, {0, 31}, deadlines, 3000).changed);
}

TEST(Deployment, NumbersOfANewEpochAreNewer) {
  const Deployment before = at(UpdateState::downloading, 5000);
  const Decision decision = apply(before, status(UpdateState::waiting, 2), {1, 2}, deadlines, 2001);
  EXPECT_EQ(state_name(decision.next), "waiting");
}

TEST(Withdrawal, OfAnOfferNobodyAnsweredClosesItAtOnce) {
  const Decision decision = withdraw(offered(), "withdrawn", 3000);
  EXPECT_TRUE(decision.next.final());
  EXPECT_EQ(state_name(decision.next), "refused");
  EXPECT_EQ(decision.next.error->code, "withdrawn");
  EXPECT_FALSE(decision.next.delivered());
  EXPECT_EQ(decision.notice, NoticeEffect::restate);
}

TEST(Withdrawal, OfARunningUpdateLeavesTheOutcomeToTheDevice) {
  const Decision decision = withdraw(at(UpdateState::downloading), "withdrawn", 3000);
  EXPECT_FALSE(decision.next.final());
  EXPECT_FALSE(decision.next.offered());
  EXPECT_EQ(decision.notice, NoticeEffect::restate);
  // Too late: the slot was selected already.
  const Deployment installed = after(decision.next, UpdateState::installed, 11).next;
  EXPECT_EQ(state_name(after(installed, UpdateState::succeeded, 12).next), "succeeded");
}

TEST(Withdrawal, OfAFinalUpdateChangesNothing) {
  EXPECT_FALSE(withdraw(at(UpdateState::failed), "withdrawn", 3000).changed);
}

TEST(Withdrawal, ADeviceThatBeginsAllTheSameIsBelievedAndTold) {
  const Deployment closed = withdraw(offered(), "withdrawn", 3000).next;
  const Decision decision = after(closed, UpdateState::received, 5);
  EXPECT_FALSE(decision.next.final());
  EXPECT_EQ(state_name(decision.next), "received");
  EXPECT_EQ(decision.notice, NoticeEffect::restate);
  EXPECT_EQ(state_name(after(decision.next, UpdateState::failed, 6).next), "failed");
}

TEST(Withdrawal, ADeviceThatWaitsForAWithdrawnOneIsTold) {
  EXPECT_EQ(
      after(
          withdraw(at(UpdateState::downloading), "withdrawn", 3000).next, UpdateState::waiting, 11)
          .notice,
      NoticeEffect::restate);
  const Decision closed =
      after(withdraw(offered(), "withdrawn", 3000).next, UpdateState::waiting, 11);
  EXPECT_EQ(closed.notice, NoticeEffect::restate);
  EXPECT_TRUE(closed.next.final());
}

TEST(Supersession, TheOlderOneIsOfferedNoMoreButStaysOpenUntilTheDeviceSpeaks) {
  const Deployment older = supersede(at(UpdateState::downloading), 3000).next;
  EXPECT_FALSE(older.offered());
  EXPECT_FALSE(older.final());
  StatusReport report = status(UpdateState::failed, 11);
  report.error->code = "superseded";
  const Decision decision = apply(older, report, {0, 11}, deadlines, 3001);
  EXPECT_EQ(decision.next.error->code, "superseded");
}

TEST(Supersession, OnceTheDeviceHasBegunTheNewerOneTheOlderIsOver) {
  const Decision unanswered = apply_newer_begun(supersede(offered(), 3000).next, 3001);
  EXPECT_EQ(state_name(unanswered.next), "refused");
  EXPECT_EQ(unanswered.next.error->code, "superseded");
  const Decision fetched = apply_newer_begun(at(UpdateState::downloading), 3001);
  EXPECT_EQ(state_name(fetched.next), "failed");
  // The device's own word, late as it is, stands above ours.
  EXPECT_EQ(state_name(after(fetched.next, UpdateState::refused, 11).next), "refused");
}

TEST(Supersession, AnInstalledOneIsFinishedFirst) {
  EXPECT_FALSE(apply_newer_begun(at(UpdateState::installed), 3001).changed);
  EXPECT_FALSE(apply_newer_begun(at(UpdateState::trial), 3001).changed);
}

}  // namespace
}  // namespace otaria::server
