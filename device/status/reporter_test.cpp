#include "device/status/reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "contract/host/codec.hpp"
#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

using contract::UpdateState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FakeClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms; }
  [[nodiscard]] std::optional<std::uint32_t> unix_s() const override { return unix; }
  std::uint64_t ms = 100000;
  std::optional<std::uint32_t> unix;
};

class FakeLink final : public BrokerLink {
 public:
  void connect(const Login&, std::string_view text) override { will = text; }
  void subscribe_to_notices() override {}
  void publish(Topic topic, std::string_view payload) override {
    sent.emplace_back(payload);
    is_state.push_back(topic == Topic::state);
  }
  void disconnect() override { ++disconnects; }
  std::string will;
  std::vector<std::string> sent;
  std::vector<bool> is_state;
  int disconnects = 0;
};

/// A reporter with all it needs; the broker acknowledges when told to.
struct Desk {
  Desk() {
    identity.id.assign("sensor_A1B2");
    identity.mac.assign("a4cf12e0a1b2");
    facts.version.assign("1.3.0");
    EXPECT_TRUE(ledger.open(5));
  }
  void connect() {
    EXPECT_TRUE(reporter.connect({}));
    reporter.on_connected();
  }
  /// Runs until nothing is owed, every message acknowledged.
  void settle() {
    for (int i = 0; i < 100 && !reporter.idle(); ++i) {
      EXPECT_TRUE(reporter.run());
      EXPECT_TRUE(reporter.on_published());
    }
  }
  /// What was published so far, as short words, forgetting it.
  std::vector<std::string> said() {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < link.sent.size(); ++i) {
      if (link.is_state[i]) {
        words.emplace_back(link.sent[i] == link.will ? "farewell" : "state");
        continue;
      }
      const auto status = contract::decode_status(link.sent[i]);
      EXPECT_TRUE(status) << link.sent[i];
      if (!status) continue;
      std::string word{contract::name_of(status.value->state)};
      if (status.value->progress) word += " " + std::to_string(status.value->progress->percent);
      words.push_back(word);
    }
    link.sent.clear();
    link.is_state.clear();
    return words;
  }
  void accept(const char* update) {
    contract::Notice notice;
    notice.version.assign("1.4.0");
    notice.url.assign("http://fw.example/x.bin");
    notice.update.assign(update);
    EXPECT_TRUE(ledger.accept(notice));
  }

  FakeFlash flash{4 * Flash::sector_bytes};
  std::array<char, contract::max_packet_bytes> message{};
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal{flash, 0, 4 * Flash::sector_bytes, work};
  Ledger ledger{journal};
  FakeLink link;
  FakeClock clock;
  Identity identity;
  Facts facts;
  Reporter reporter{ledger, link, clock, identity, facts, message};
};

TEST(Reporter, SaysItsStateFirstInEverySession) {
  Desk desk;
  desk.accept("u1");
  desk.connect();
  desk.settle();
  EXPECT_THAT(desk.said(), ElementsAre("state", "received"));
  ASSERT_TRUE(desk.reporter.on_lost());
  desk.connect();
  desk.settle();
  EXPECT_THAT(desk.said(), ElementsAre("state"));
}

TEST(Reporter, TakesANewSessionForEveryConnectionAndPutsItIntoTheWill) {
  Desk desk;
  desk.connect();
  EXPECT_EQ(desk.link.will, R"({"id":"sensor_A1B2","version":"1.3.0","online":false,"session":6})");
  ASSERT_TRUE(desk.reporter.on_lost());
  desk.connect();
  EXPECT_EQ(desk.link.will, R"({"id":"sensor_A1B2","version":"1.3.0","online":false,"session":7})");
}

TEST(Reporter, HasOneMessageUnderWayAtATime) {
  Desk desk;
  desk.accept("u1");
  desk.connect();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(desk.reporter.run());
  EXPECT_EQ(desk.link.sent.size(), 1U);
}

TEST(Reporter, SaysNothingWithoutAConnection) {
  Desk desk;
  desk.accept("u1");
  ASSERT_TRUE(desk.reporter.run());
  EXPECT_THAT(desk.link.sent, IsEmpty());
  EXPECT_FALSE(desk.reporter.broker_reached());
}

TEST(Reporter, TheBrokerIsReachedOnlyWhenItTookTheState) {
  Desk desk;
  desk.connect();
  ASSERT_TRUE(desk.reporter.run());
  EXPECT_FALSE(desk.reporter.broker_reached());
  ASSERT_TRUE(desk.reporter.on_published());
  EXPECT_TRUE(desk.reporter.broker_reached());
  ASSERT_TRUE(desk.reporter.on_lost());
  EXPECT_FALSE(desk.reporter.broker_reached());
}

TEST(Reporter, TellsStatesPassedOfflineInTheirOrderWhateverTheOrderOfMarking) {
  Desk desk;
  desk.accept("u1");
  desk.ledger.note_download(1000);
  for (Mark mark : {Mark::verifying, Mark::download_done, Mark::download_begun, Mark::installed}) {
    ASSERT_TRUE(desk.ledger.mark(mark, false));
  }
  ASSERT_TRUE(desk.ledger.finish(UpdateState::failed, {Fault::power_lost, 1}, 1000));
  desk.accept("u2");
  desk.connect();
  desk.settle();
  EXPECT_THAT(desk.said(),
              ElementsAre("state",
                          "received",
                          "downloading 0",
                          "downloading 100",
                          "verifying",
                          "installed",
                          "failed 100",
                          "received",
                          "state"));
}

TEST(Reporter, SaysAgainWhatWasNotAcknowledgedWithAHigherSeq) {
  Desk desk;
  desk.accept("u1");
  desk.connect();
  ASSERT_TRUE(desk.reporter.run());
  ASSERT_TRUE(desk.reporter.on_published());
  ASSERT_TRUE(desk.reporter.run());  // received, and the connection breaks
  ASSERT_TRUE(desk.reporter.on_lost());
  desk.connect();
  desk.settle();
  ASSERT_EQ(desk.link.sent.size(), 4U);
  const auto first = contract::decode_status(desk.link.sent[1]);
  const auto second = contract::decode_status(desk.link.sent[3]);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first.value->update, second.value->update);
  EXPECT_GT(second.value->seq, first.value->seq);
}

TEST(Reporter, PutsTheFinalStatusIntoTheNextState) {
  Desk desk;
  desk.accept("u1");
  ASSERT_TRUE(desk.ledger.finish(UpdateState::refused, {Fault::withdrawn}, 0));
  desk.connect();
  desk.settle();
  ASSERT_EQ(desk.link.sent.size(), 4U);
  const auto before = contract::decode_state(desk.link.sent[0]);
  const auto final_status = contract::decode_status(desk.link.sent[2]);
  const auto after = contract::decode_state(desk.link.sent[3]);
  ASSERT_TRUE(before && final_status && after);
  EXPECT_FALSE(before.value->last);
  ASSERT_TRUE(after.value->last);
  EXPECT_EQ(after.value->last->seq, final_status.value->seq);
}

TEST(Reporter, KeepsProgressWithinItsLimits) {
  Desk desk;
  desk.accept("u1");
  desk.connect();
  desk.settle();
  ASSERT_TRUE(desk.ledger.mark(Mark::download_begun, false));
  desk.ledger.note_download(1000);
  desk.settle();
  desk.said();
  struct Row {
    std::uint32_t after_ms;
    std::uint32_t percent;
    bool is_sent;
  };
  const Row rows[] = {
      {999, 50, false},   // never two within one second, however far it came
      {1, 50, true},      //
      {5000, 54, false},  // less than 5 points, less than 10 s
      {1, 55, true},      // 5 points
      {9999, 56, false},
      {1, 56, true},      // 10 s
      {10000, 56, true},  // 10 s without a byte: still alive
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(::testing::Message() << row.percent << " % after " << row.after_ms << " ms");
    desk.clock.ms += row.after_ms;
    desk.reporter.progress({row.percent, row.percent * 10, 1000});
    EXPECT_EQ(desk.reporter.milliseconds_to_next() == 0, row.is_sent);
    desk.settle();
    EXPECT_EQ(desk.said().size(), row.is_sent ? 1U : 0U);
  }
}

TEST(Reporter, KnowsWhenTheNextProgressIsDue) {
  Desk desk;
  desk.accept("u1");
  desk.connect();
  desk.settle();
  ASSERT_TRUE(desk.ledger.mark(Mark::download_begun, false));
  desk.settle();
  desk.clock.ms += 400;
  desk.reporter.progress({1, 10, 1000});
  EXPECT_EQ(desk.reporter.milliseconds_to_next(), 9600U);
  desk.reporter.progress({5, 50, 1000});
  EXPECT_EQ(desk.reporter.milliseconds_to_next(), 600U);
  desk.reporter.progress_ended();
  EXPECT_EQ(desk.reporter.milliseconds_to_next(), 60000U);
}

TEST(Reporter, AnswersEachUnreadableNoticeOnce) {
  Desk desk;
  desk.connect();
  desk.settle();
  desk.said();
  for (int again = 0; again < 3; ++again)
    desk.reporter.answer_unreadable(contract::Defect::not_json, 10, 0xABCD);
  desk.reporter.answer_unreadable(contract::Defect::not_json, 11, 0xABCD);
  desk.settle();
  EXPECT_THAT(desk.said(), ElementsAre("received", "refused", "received", "refused"));
  desk.reporter.answer_unreadable(contract::Defect::not_json, 10, 0xABCD);
  EXPECT_TRUE(desk.reporter.idle());
}

TEST(Reporter, AFloodOfUnreadableNoticesLosesNoPubackAndEnds) {
  Desk desk;
  desk.connect();
  desk.settle();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    desk.reporter.answer_unreadable(contract::Defect::not_json, i, i);
    ASSERT_TRUE(desk.reporter.run());
    if (i % 3 == 0) {
      ASSERT_TRUE(desk.reporter.on_published());
    }
  }
  ASSERT_TRUE(desk.reporter.on_published());
  desk.settle();
  EXPECT_TRUE(desk.reporter.idle());
}

TEST(Reporter, LeavesWithTheTextOfItsWillOnceEverythingIsSaid) {
  Desk desk;
  desk.connect();
  desk.accept("u1");
  desk.reporter.leave();
  EXPECT_FALSE(desk.reporter.left());
  desk.settle();
  EXPECT_TRUE(desk.reporter.left());
  EXPECT_THAT(desk.said(), ElementsAre("state", "received", "farewell"));
  EXPECT_EQ(desk.link.disconnects, 1);
}

TEST(Reporter, HasLeftAtOnceWhenThereIsNoConnection) {
  Desk desk;
  desk.reporter.leave();
  EXPECT_TRUE(desk.reporter.left());
}

TEST(Reporter, SaysWhenAFlashThatFailsLeavesItWithoutANumber) {
  Desk desk;
  desk.connect();
  desk.flash.cut_after(0);
  EXPECT_EQ(desk.reporter.run().error().fault, Fault::flash_failed);
  EXPECT_THAT(desk.link.sent, IsEmpty());
}

TEST(Reporter, TellsTheTimeOnlyWhileTheClockIsSet) {
  Desk desk;
  desk.accept("u1");
  desk.connect();
  desk.settle();
  EXPECT_EQ(desk.link.sent[1].find("\"at\""), std::string::npos);
  desk.clock.unix = 1790000000;
  ASSERT_TRUE(desk.ledger.finish(UpdateState::failed, {Fault::busy, 3}, 0));
  desk.settle();
  EXPECT_NE(desk.link.sent[2].find("\"at\":1790000000"), std::string::npos);
}

}  // namespace
}  // namespace otaria::device
