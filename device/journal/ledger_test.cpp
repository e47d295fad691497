#include "device/journal/ledger.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "device/journal/ledger_records.hpp"
#include "device/journal/testing/ledger_life.hpp"
#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

using contract::UpdateState;
using testing::attempts_after;
using testing::digest_of;
using testing::end_update;
using testing::facts_of;
using testing::first_session;
using testing::id_of;
using testing::notice_of;
using testing::sector;
using testing::Start;

// --- numbers

TEST(Ledger, CountsFromOneWithinABlockWithoutWriting) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  EXPECT_EQ(start.ledger.take_seq().value(), 1U);
  const auto operations = flash.operations();
  for (std::uint32_t i = 2; i <= Ledger::seq_block; ++i)
    EXPECT_EQ(start.ledger.take_seq().value(), i);
  EXPECT_EQ(flash.operations(), operations);
  EXPECT_EQ(start.ledger.take_seq().value(), Ledger::seq_block + 1);
  EXPECT_EQ(flash.operations(), operations + 1);
}

TEST(Ledger, NeverHandsOutASeqOrASessionTwiceWhateverIsCut) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937 random{seed};
    FakeFlash flash{2 * sector};
    std::uint32_t last_seq = 0;
    std::uint32_t last_session = 0;
    auto start = std::make_unique<Start>(flash);
    for (int step = 0; step < 400; ++step) {
      if (random() % 20 == 0) {
        flash.cut_after(random() % 3);
        flash.tear(static_cast<std::uint32_t>(random()));
      }
      for (auto i = random() % 40; i > 0; --i) {
        const auto seq = start->ledger.take_seq();
        if (!seq) break;
        ASSERT_GT(seq.value(), last_seq);
        last_seq = seq.value();
      }
      if (const auto session = start->ledger.take_session()) {
        ASSERT_GT(session.value(), last_session);
        last_session = session.value();
      }
      if (random() % 6 == 0) (void)start->journal.compact();
      if (flash.powered() && random() % 15 != 0) continue;
      flash.power_on();
      start = std::make_unique<Start>(flash);
      ASSERT_TRUE(start->opened);
    }
    EXPECT_GT(last_seq, 1000U);
  }
}

TEST(Ledger, GivesNoNumberThatItCouldNotReserve) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  flash.cut_after(0);
  EXPECT_EQ(start.ledger.take_seq().error().fault, Fault::flash_failed);
  EXPECT_EQ(start.ledger.take_session().error().fault, Fault::flash_failed);
}

TEST(Ledger, AfterALostJournalSessionsStartAtTheRandomNumberAndSeqResetIsAnnounced) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  EXPECT_TRUE(start.ledger.seq_reset());
  EXPECT_EQ(start.ledger.take_session().value(), first_session + 1);
}

TEST(Ledger, SessionsStartBelowTwoToThe31WhateverTheRandomNumber) {
  FakeFlash flash{2 * sector};
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal{flash, 0, 2 * sector, work};
  Ledger ledger{journal};
  ASSERT_TRUE(ledger.open(0xFFFFFFFF));
  EXPECT_LE(ledger.take_session().value(), 1U << 31);
}

TEST(Ledger, SeqResetLastsUntilTheFirstAcknowledgedSessionHasEndedAcrossRestarts) {
  FakeFlash flash{2 * sector};
  {
    Start start{flash};
    ASSERT_TRUE(start.ledger.session_ended());  // it had no PUBACK
    EXPECT_TRUE(start.ledger.seq_reset());
  }
  {
    Start start{flash};
    EXPECT_TRUE(start.ledger.seq_reset());
    ASSERT_TRUE(start.ledger.seq_reset_acknowledged());
    EXPECT_TRUE(start.ledger.seq_reset());
  }
  Start start{flash};
  EXPECT_TRUE(start.ledger.seq_reset());
  ASSERT_TRUE(start.ledger.session_ended());
  EXPECT_FALSE(start.ledger.seq_reset());
  EXPECT_FALSE(Start(flash).ledger.seq_reset());
}

TEST(Ledger, AnAssignedIdIsWrittenOnceForAsLongAsItStays) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  EXPECT_TRUE(start.ledger.assigned_id().empty());
  ASSERT_TRUE(start.ledger.assign_id(id_of("sensor_a4cf12e0a1b2")));
  const std::uint64_t operations = flash.operations();
  ASSERT_TRUE(start.ledger.assign_id(id_of("sensor_a4cf12e0a1b2")));
  EXPECT_EQ(flash.operations(), operations);
}

TEST(Ledger, ALostJournalIsAnnouncedAlsoWhenThePowerFailsWhileItIsMadeNew) {
  for (std::uint64_t cut = 0;; ++cut) {
    SCOPED_TRACE(::testing::Message() << "cut at operation " << cut);
    FakeFlash flash{2 * sector};
    flash.cut_after(cut);
    flash.tear(static_cast<std::uint32_t>(cut) + 1);
    const bool got_through = static_cast<bool>(Start(flash).opened);
    flash.power_on();
    Start start{flash};
    ASSERT_TRUE(start.opened);
    EXPECT_TRUE(start.ledger.seq_reset());
    EXPECT_GT(start.ledger.take_session().value(), first_session);
    if (got_through) break;
    ASSERT_LT(cut, 20U);
  }
}

TEST(Ledger, StartsAboveTheSeqAServerKnows) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  ASSERT_TRUE(start.ledger.raise_seq(5000));
  EXPECT_EQ(start.ledger.take_seq().value(), 5001U);
  ASSERT_TRUE(start.ledger.raise_seq(17));  // never down
  EXPECT_EQ(start.ledger.take_seq().value(), 5002U);
  EXPECT_GT(Start(flash).ledger.take_seq().value(), 5002U);
}

TEST(Ledger, DoesNotLetAServerUseUpTheNumbers) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  for (const std::uint32_t hostile : {0xFFFFFFFFU, 0xFFFFFFFEU, 0xFFFF0000U + 1}) {
    EXPECT_FALSE(start.ledger.raise_seq(hostile));
  }
  EXPECT_EQ(start.ledger.take_seq().value(), 1U);
  ASSERT_TRUE(start.ledger.raise_seq(0xFFFF0000U));
  EXPECT_EQ(start.ledger.take_seq().value(), 0xFFFF0001U);
}

TEST(Ledger, StopsRatherThanBeginAgainWhenTheNumbersAreUsedUp) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  ASSERT_TRUE(start.ledger.raise_seq(0xFFFF0000U));
  std::uint32_t last = 0xFFFF0000U;
  while (const auto seq = start.ledger.take_seq()) {
    ASSERT_EQ(seq.value(), last + 1);
    last = seq.value();
  }
  EXPECT_GT(last, 0xFFFFFF00U);
  EXPECT_FALSE(start.ledger.take_seq());
}

// --- outcomes and attempts

TEST(Ledger, HasNoNumberLeftWhereFlashNamesTheLastOneAsReserved) {
  FakeFlash flash{2 * sector};
  {
    Start first{flash};
    const std::array<std::uint8_t, 4> last{0xFF, 0xFF, 0xFF, 0xFF};
    ASSERT_TRUE(first.journal.append(ledger_records::seq_reserved, last));
  }
  Start start{flash};
  ASSERT_TRUE(start.opened);
  const auto seq = start.ledger.take_seq();
  ASSERT_FALSE(seq);
  EXPECT_EQ(seq.error().found, Ledger::code_seq_exhausted);
}

TEST(Ledger, KeepsTheLastEightNamedOutcomes) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  for (std::uint32_t i = 1; i <= 11; ++i) end_update(start.ledger, i, UpdateState::failed);
  EXPECT_EQ(start.ledger.outcome_count(), Ledger::named_outcomes_kept);
  EXPECT_EQ(start.ledger.find_outcome("update-3"), nullptr);
  ASSERT_NE(start.ledger.find_outcome("update-4"), nullptr);
  EXPECT_EQ(start.ledger.latest_outcome()->update.view(), "update-11");
}

TEST(Ledger, AnUnnamedOutcomeDrivesOutNoNamedOne) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  for (std::uint32_t i = 1; i <= 8; ++i) end_update(start.ledger, i, UpdateState::failed);
  for (std::uint32_t i = 0; i < 5; ++i) {
    Outcome outcome;
    outcome.state = UpdateState::refused;
    outcome.error = {Fault::not_newer, i, 0};
    ASSERT_TRUE(start.ledger.finish_unaccepted(outcome, digest_of(30 + i)));
  }
  EXPECT_EQ(start.ledger.outcome_count(), Ledger::outcomes_kept);
  for (std::uint32_t i = 1; i <= 8; ++i) {
    EXPECT_NE(start.ledger.find_outcome("update-" + std::to_string(i)), nullptr) << i;
  }
  EXPECT_EQ(start.ledger.latest_outcome()->error.found, 4);
}

TEST(Ledger, AnEndedUpdateKeepsItsSerialSoThatAPubackStillFindsIt) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  ASSERT_TRUE(start.ledger.accept(notice_of(1)));
  const std::uint32_t serial = start.ledger.current()->serial;
  ASSERT_TRUE(start.ledger.finish(UpdateState::failed, {Fault::withdrawn}, 0));
  ASSERT_TRUE(start.ledger.acknowledge(serial, Mark::received));
  EXPECT_FALSE(start.ledger.outcome(0).unsent.any());
}

TEST(Ledger, AnAcknowledgementOfNothingKnownChangesNothing) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  end_update(start.ledger, 1, UpdateState::failed);
  const std::string before = facts_of(start.ledger);
  const auto operations = flash.operations();
  EXPECT_TRUE(start.ledger.acknowledge(999, Mark::received));
  EXPECT_TRUE(start.ledger.acknowledge_outcome(999));
  EXPECT_EQ(facts_of(start.ledger), before);
  EXPECT_EQ(flash.operations(), operations);
}

TEST(Ledger, WaitingTakesBackWhatWillBePassedAgain) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  ASSERT_TRUE(start.ledger.accept(notice_of(1)));
  for (Mark mark : {Mark::download_begun, Mark::download_done, Mark::verifying}) {
    ASSERT_TRUE(start.ledger.mark(mark, false));
  }
  ASSERT_TRUE(start.ledger.mark(Mark::waiting, true));
  const Marks unsent = start.ledger.current()->unsent;
  EXPECT_TRUE(unsent.has(Mark::received));
  EXPECT_TRUE(unsent.has(Mark::waiting));
  EXPECT_FALSE(unsent.has(Mark::download_begun) || unsent.has(Mark::download_done) ||
               unsent.has(Mark::verifying));
}

TEST(Ledger, CountsAsAttemptsOnlyWhatTheImageIsToBlameFor) {
  EXPECT_EQ(attempts_after(UpdateState::failed, Fault::digest_mismatch), 1U);
  EXPECT_EQ(attempts_after(UpdateState::rolled_back, Fault::boot_failed), 1U);
  EXPECT_EQ(attempts_after(UpdateState::failed, Fault::superseded), 0U);
  EXPECT_EQ(attempts_after(UpdateState::failed, Fault::withdrawn), 0U);
  EXPECT_EQ(attempts_after(UpdateState::refused, Fault::not_newer), 0U);
  EXPECT_EQ(attempts_after(UpdateState::succeeded, Fault::none), 0U);
}

TEST(Ledger, ASuccessClearsTheAttemptsOfItsImageOnly) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  for (int i = 0; i < 2; ++i) end_update(start.ledger, 1, UpdateState::failed);
  end_update(start.ledger, 2, UpdateState::failed);
  end_update(start.ledger, 1, UpdateState::succeeded, Fault::none);
  EXPECT_EQ(start.ledger.failed_attempts(digest_of(1)), 0U);
  EXPECT_EQ(start.ledger.failed_attempts(digest_of(2)), 1U);
}

TEST(Ledger, ForgetsTheAttemptsOfTheImageTriedLongestAgo) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  for (std::uint32_t i = 1; i <= 8; ++i) end_update(start.ledger, i, UpdateState::failed);
  end_update(start.ledger, 1, UpdateState::failed);  // tried again: now the youngest
  end_update(start.ledger, 9, UpdateState::failed);
  EXPECT_EQ(start.ledger.failed_attempts(digest_of(1)), 2U);
  EXPECT_EQ(start.ledger.failed_attempts(digest_of(2)), 0U);
  EXPECT_EQ(start.ledger.failed_attempts(digest_of(9)), 1U);
}

TEST(Ledger, AnEtagThatIsTooLongIsForgottenRatherThanCutShort) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  ASSERT_TRUE(start.ledger.accept(notice_of(1)));
  ASSERT_TRUE(start.ledger.begin_download({}, 1, std::string(73, 'e')));
  EXPECT_TRUE(start.ledger.current()->etag.empty());
}

TEST(Ledger, ForgettingAnEmptySlotWritesNothing) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  const auto operations = flash.operations();
  ASSERT_TRUE(start.ledger.forget_slot(1));
  EXPECT_EQ(flash.operations(), operations);
}

}  // namespace
}  // namespace otaria::device
