#include "operator/cli/watch_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otaria::cli {
namespace {

using std::chrono::seconds;
using terminal::Traits;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const WatchModel::TimePoint start{};

UpdateView update_of(const std::string& id,
                     const std::string& state,
                     std::int64_t at,
                     std::uint64_t bytes = 0,
                     std::uint64_t total = 0) {
  UpdateView update;
  update.id = id;
  update.device = "sensor_" + id;
  update.from = "1.3.0";
  update.target = "1.4.0";
  update.state = state;
  update.updated_at = at;
  update.bytes = bytes;
  update.total = total;
  update.percent = total == 0 ? 0 : static_cast<unsigned>(bytes * 100 / total);
  update.is_final =
      state == "succeeded" || state == "failed" || state == "refused" || state == "rolled_back";
  return update;
}

WatchModel watching(std::size_t devices) {
  WatchModel model;
  for (std::size_t i = 0; i < devices; ++i)
    model.expect(update_of(std::to_string(i), "offered", 1), start);
  model.take_lines();
  return model;
}

TEST(WatchModel, APipeGetsOneLinePerChangeOfState) {
  WatchModel model = watching(1);
  model.apply(update_of("0", "received", 2), start);
  model.apply(update_of("0", "received", 3), start);
  model.apply(update_of("0", "succeeded", 4), start);
  EXPECT_THAT(model.take_lines(),
              ElementsAre("sensor_0: received", "sensor_0: succeeded, runs 1.4.0"));
  EXPECT_THAT(model.take_lines(), IsEmpty());
}

TEST(WatchModel, APipeGetsProgressAtMostEveryTenPoints) {
  WatchModel model = watching(1);
  for (std::uint64_t percent = 0; percent <= 100; ++percent)
    model.apply(update_of("0", "downloading", 2, percent * 10, 1000), start);
  const auto lines = model.take_lines();
  ASSERT_EQ(lines.size(), 11U);
  EXPECT_EQ(lines[1], "sensor_0: downloading 10 % (100 of 1,000 bytes)");
  EXPECT_EQ(lines[10], "sensor_0: downloading 100 % (1,000 of 1,000 bytes)");
}

TEST(WatchModel, OldNewsDoesNotUndoNewer) {
  WatchModel model = watching(1);
  EXPECT_TRUE(model.apply(update_of("0", "downloading", 5, 500, 1000), start));
  EXPECT_FALSE(model.apply(update_of("0", "downloading", 4, 900, 1000), start));
  EXPECT_FALSE(model.apply(update_of("0", "received", 5), start));
  EXPECT_FALSE(model.apply(update_of("0", "downloading", 5, 400, 1000), start));
  // A device may step back to waiting, later.
  EXPECT_TRUE(model.apply(update_of("0", "waiting", 6), start));
}

TEST(WatchModel, WhatIsFinalStaysAndWhatIsUnknownIsIgnored) {
  WatchModel model = watching(1);
  EXPECT_TRUE(model.apply(update_of("0", "failed", 5), start));
  EXPECT_FALSE(model.apply(update_of("0", "succeeded", 6), start));
  EXPECT_FALSE(model.apply(update_of("7", "succeeded", 6), start));
  EXPECT_EQ(model.succeeded(), 0U);
}

TEST(WatchModel, AStaleUpdateHasEndedButIsAskedForAndMayHeal) {
  WatchModel model = watching(1);
  model.apply(update_of("0", "stale", 5), start);
  EXPECT_TRUE(model.all_ended());
  EXPECT_THAT(model.open_ids(), ElementsAre("0"));
  EXPECT_TRUE(model.apply(update_of("0", "succeeded", 6), start));
  EXPECT_EQ(model.succeeded(), 1U);
}

TEST(WatchModel, ABarShowsStatePercentBytesRateAndTime) {
  WatchModel model = watching(1);
  model.apply(update_of("0", "downloading", 2, 0, 1024000), start + seconds(1));
  model.apply(update_of("0", "downloading", 3, 409600, 1024000), start + seconds(3));
  const auto bars = model.bars(Traits{true, false, false, 120, 24}, start + seconds(65));
  ASSERT_EQ(bars.size(), 1U);
  EXPECT_THAT(bars[0], HasSubstr("sensor_0  downloading  [###"));
  EXPECT_THAT(bars[0], HasSubstr(" 40 %"));
  EXPECT_THAT(bars[0], HasSubstr("400.0 KiB / 1000.0 KiB"));
  EXPECT_THAT(bars[0], HasSubstr("200.0 KiB/s"));
  EXPECT_THAT(bars[0], HasSubstr("1:05"));
}

TEST(WatchModel, BarsFitEveryWidthThatHoldsIdAndState) {
  WatchModel model = watching(3);
  model.apply(update_of("0", "downloading", 2, 1000, 1024000), start);
  UpdateView failed = update_of("1", "failed", 3);
  failed.error_code = std::string(60, 'e');
  model.apply(failed, start);
  for (std::size_t width = 30; width < 200; ++width) {
    for (const auto& line : model.bars(Traits{true, true, true, width, 24}, start)) {
      EXPECT_LE(terminal::columns_of(line), width) << line;
    }
  }
}

TEST(WatchModel, WithoutColourNoEscapeIsWritten) {
  WatchModel model = watching(2);
  model.apply(update_of("0", "succeeded", 2), start);
  model.apply(update_of("1", "failed", 2), start);
  for (const auto& line : model.bars(Traits{true, false, true, 100, 24}, start))
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_THAT(model.bars(Traits{true, true, true, 100, 24}, start)[0], HasSubstr("\x1b[32m"));
}

TEST(WatchModel, MoreDevicesThanRowsShowThoseUnderWayAndCountTheRest) {
  WatchModel model = watching(1000);
  model.apply(update_of("998", "downloading", 2, 1, 100), start);
  model.apply(update_of("997", "failed", 2), start);
  model.apply(update_of("996", "succeeded", 2), start);
  const auto bars = model.bars(Traits{true, false, false, 100, 12}, start);
  ASSERT_EQ(bars.size(), 10U);
  EXPECT_THAT(bars[0], HasSubstr("sensor_998"));
  EXPECT_THAT(bars[1], HasSubstr("sensor_997"));
  EXPECT_EQ(bars[9], "and 991 more; of 1000 devices 1 succeeded, 1 did not, 998 under way");
}

TEST(WatchModel, TheSummaryNamesEveryDeviceAndItsFault) {
  WatchModel model = watching(2);
  model.apply(update_of("0", "succeeded", 2), start + seconds(42));
  UpdateView failed = update_of("1", "rolled_back", 3);
  failed.error_code = "self_test_failed";
  failed.error_detail = "2 of 3 sensors answered\x1b[2J";
  failed.error_hint = "Check the wiring.";
  model.apply(failed, start + seconds(50));
  const std::string summary = model.summary(Traits{}, start + seconds(60));
  EXPECT_THAT(summary, HasSubstr("sensor_0  1.3.0  1.4.0  succeeded"));
  EXPECT_THAT(summary, HasSubstr("0:42"));
  EXPECT_THAT(summary,
              HasSubstr("self_test_failed: 2 of 3 sensors answered?[2J; Check the wiring."));
  EXPECT_THAT(summary, HasSubstr("1 of 2 succeeded.\n"));
}

}  // namespace
}  // namespace otaria::cli
