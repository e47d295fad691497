#include "server/registry/sequence.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

constexpr SequenceMarks known{.newest = {0, 100}, .newest_state = {0, 90}};

TEST(Sequence, AHigherNumberIsFreshWhateverTheGap) {
  EXPECT_EQ(judge_status(known, 101), Freshness::fresh);
  EXPECT_EQ(judge_status(known, 4294967295u), Freshness::fresh);
  EXPECT_EQ(judge_state(known, 5000, false, false), Freshness::fresh);
}

TEST(Sequence, ARepeatedOrLowerNumberIsLate) {
  EXPECT_EQ(judge_status(known, 100), Freshness::late);
  EXPECT_EQ(judge_status(known, 0), Freshness::late);
  EXPECT_EQ(judge_state(known, 90, false, false), Freshness::late);
  EXPECT_EQ(judge_state(known, 3, false, false), Freshness::late);
}

TEST(Sequence, AStateOvertakenByAStatusIsStillTheNewestState) {
  EXPECT_EQ(judge_state(known, 95, false, false), Freshness::fresh);
  const SequenceMarks after = advanced_by_state(known, 95, Freshness::fresh);
  EXPECT_EQ(after.newest.seq, 100u);
  EXPECT_EQ(after.newest_state.seq, 95u);
}

TEST(Sequence, ALowerNumberIsAcceptedOncePerSessionThatLostItsJournal) {
  EXPECT_EQ(judge_state(known, 1, true, false), Freshness::restart);
  EXPECT_EQ(judge_state(known, 1, true, true), Freshness::late);
}

TEST(Sequence, AfterARestartTheSmallNumbersCountAndTheOldOnesAreAnotherEpoch) {
  const SequenceMarks after = advanced_by_state(known, 1, Freshness::restart);
  EXPECT_EQ(after.newest, (Sequence{1, 1}));
  EXPECT_EQ(judge_status(after, 2), Freshness::fresh);
  EXPECT_EQ(judge_state(after, 1, true, true), Freshness::late);
  EXPECT_GT((Sequence{1, 1}), (Sequence{0, 4294967295u}));
}

TEST(Sequence, SeqResetOnAHigherNumberIsAnOrdinaryState) {
  EXPECT_EQ(judge_state(known, 101, true, false), Freshness::fresh);
}

TEST(Sequence, ALateMessageMovesNoMark) {
  EXPECT_EQ(advanced_by_status(known, 4).newest, known.newest);
  EXPECT_EQ(advanced_by_state(known, 4, Freshness::late).newest_state, known.newest_state);
}

}  // namespace
}  // namespace otaria::server
