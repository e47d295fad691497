#include "device/journal/ledger.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "device/journal/ledger_records.hpp"
#include "device/journal/testing/ledger_life.hpp"
#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

using testing::content_of;
using testing::facts_of;
using testing::facts_with;
using testing::list_of;
using testing::notice_of;
using testing::sector;
using testing::Start;

TEST(Ledger, RaisesTheSecurityFloorWithTheConfirmationAndNotBefore) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  Ledger& ledger = start.ledger;
  ASSERT_TRUE(ledger.set_slot(1, content_of(2)));
  ASSERT_TRUE(ledger.accept(notice_of(1), facts_with(7)));
  ASSERT_TRUE(ledger.set_phase(Phase::installed));
  EXPECT_EQ(ledger.security_floor(), 0U);
  ASSERT_TRUE(ledger.confirm_slot(1, ledger.current()->manifest));
  EXPECT_EQ(ledger.security_floor(), 7U);
  EXPECT_TRUE(ledger.slot(1).confirmed);
  ASSERT_TRUE(ledger.confirm_slot(1, facts_with(6)));
  EXPECT_EQ(ledger.security_floor(), 7U);
  ASSERT_TRUE(ledger.confirm_slot(1, std::nullopt));  // a three-field notice leaves it alone
  EXPECT_EQ(ledger.security_floor(), 7U);
}

// Confirmation and counter are one record: never one without the other.
TEST(Ledger, AConfirmationThatIsCutIsThereWithItsCounterOrNotAtAll) {
  for (std::uint64_t cut = 0; cut < 4; ++cut) {
    for (std::uint32_t tear = 0; tear < 20; ++tear) {
      SCOPED_TRACE(::testing::Message() << "cut " << cut << ", tear " << tear);
      FakeFlash flash{2 * sector};
      Start start{flash};
      ASSERT_TRUE(start.ledger.set_slot(1, content_of(2)));
      flash.cut_after(cut);
      flash.tear(tear);
      const Status done = start.ledger.confirm_slot(1, facts_with(7));
      flash.power_on();
      Start next{flash};
      ASSERT_TRUE(next.opened);
      EXPECT_EQ(next.ledger.security_floor(), next.ledger.slot(1).confirmed ? 7U : 0U);
      if (done) {
        EXPECT_EQ(next.ledger.security_floor(), 7U);
      }
    }
  }
}

TEST(Ledger, ACounterJudgedBeforeTheRootsResetTheFloorDoesNotBringTheOldOneBack) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  Ledger& ledger = start.ledger;
  ASSERT_TRUE(ledger.set_slot(1, content_of(2)));
  ASSERT_TRUE(ledger.set_key_lists({list_of(1, 5000), {}}));
  ASSERT_TRUE(ledger.accept(notice_of(1), facts_with(5100, 0)));
  ASSERT_TRUE(ledger.set_key_lists({list_of(2, 5, 1), list_of(1, 5000)}));
  ASSERT_TRUE(ledger.confirm_slot(1, ledger.current()->manifest));
  EXPECT_EQ(ledger.security_floor(), 5U);
  EXPECT_EQ(Start(flash).ledger.security_floor(), 5U);
}

TEST(Ledger, NeverLowersTheTimeFloorAndWritesItAtMostOnceADay) {
  FakeFlash flash{8 * sector};
  Start start{flash, 8 * sector};
  Ledger& ledger = start.ledger;
  const auto day = [](std::uint32_t days) { return 1790000000 + days * 86400; };
  ASSERT_TRUE(ledger.note_time(day(0)));
  const std::uint64_t operations = flash.operations();
  for (std::uint32_t s = 0; s < 86400; s += 3600) ASSERT_TRUE(ledger.note_time(day(0) + s));
  EXPECT_EQ(flash.operations(), operations);
  EXPECT_EQ(ledger.time_floor(), day(0) + 82800);
  EXPECT_EQ(Start(flash, 8 * sector).ledger.time_floor(), day(0));
  ASSERT_TRUE(ledger.note_time(day(1)));
  ASSERT_TRUE(ledger.note_time(5));
  EXPECT_EQ(ledger.time_floor(), day(1));
  ASSERT_TRUE(start.journal.compact());
  EXPECT_EQ(Start(flash, 8 * sector).ledger.time_floor(), day(1));
  ASSERT_TRUE(ledger.note_time(0xFFFFFFFF));
  EXPECT_EQ(Start(flash, 8 * sector).ledger.time_floor(), 0xFFFFFFFFU);
}

TEST(Ledger, TheIssueOfAKeyListIsATimeThatHasPassed) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  ASSERT_TRUE(start.ledger.set_key_lists({list_of(1, 0), {}}));
  EXPECT_EQ(start.ledger.time_floor(), 1790000000U);
  KeyListRecord backdated = list_of(2, 0);
  backdated.issued = 1000;
  ASSERT_TRUE(start.ledger.set_key_lists({backdated, {}}));
  ASSERT_TRUE(start.journal.compact());
  EXPECT_EQ(Start(flash).ledger.time_floor(), 1790000000U);
}

// What an agent before this one wrote: a deployment that ends with its unsent marks.
TEST(Ledger, ReadsADeploymentOfAnAgentThatKnewNoManifests) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  RecordWriter record;
  ledger_records::write_notice(record, notice_of(1));
  record.u8(0);
  record.u16(1);
  ASSERT_TRUE(start.journal.append(ledger_records::deployment, record.payload()));
  Start next{flash};
  ASSERT_TRUE(next.ledger.current());
  EXPECT_FALSE(next.ledger.current()->manifest);
  EXPECT_EQ(next.ledger.current()->notice.version.view(), "2.0.1");
}

TEST(Ledger, AcceptingAManifestLeavesWhatIsOwedOfTheUpdateAlone) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  ASSERT_TRUE(start.ledger.accept(notice_of(1)));
  const std::uint32_t serial = start.ledger.current()->serial;
  ASSERT_TRUE(start.ledger.acknowledge(serial, Mark::received));
  ASSERT_TRUE(start.ledger.accept_manifest(facts_with(4)));
  EXPECT_EQ(start.ledger.current()->serial, serial);
  EXPECT_FALSE(start.ledger.current()->unsent.any());
  EXPECT_EQ(start.ledger.current()->manifest->security_counter, 4U);
}

// What an agent before this one wrote: a slot that ends with the appended hash.
TEST(Ledger, ReadsASlotOfAnAgentThatKnewNoCounters) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  RecordWriter record;
  ledger_records::write_slot(record, 1, content_of(3));
  ASSERT_TRUE(start.journal.append(ledger_records::slot_content,
                                   record.payload().first(record.payload().size() - 4)));
  Start next{flash};
  EXPECT_EQ(next.ledger.slot(1).digest, content_of(3).digest);
  EXPECT_EQ(next.ledger.slot(1).security_counter, 0U);
}

TEST(Ledger, SurvivesRecordsThatMakeNoSense) {
  FakeFlash flash{2 * sector};
  std::mt19937 random{1};
  Start start{flash};
  ASSERT_TRUE(start.ledger.set_slot(1, content_of(3)));
  const std::string before = facts_of(start.ledger);
  // Whole records by their CRC, of kinds and lengths that only another version could have written.
  for (int kind = 22; kind < 256; ++kind) {
    std::vector<std::uint8_t> noise(random() % 100);
    for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(random());
    ASSERT_TRUE(start.journal.append(static_cast<std::uint8_t>(kind), noise));
  }
  EXPECT_EQ(facts_of(Start(flash).ledger), before);
  for (int kind = 4; kind < 22; ++kind) {
    ASSERT_TRUE(start.journal.append(static_cast<std::uint8_t>(kind), {}));
  }
  Start next{flash};
  ASSERT_TRUE(next.opened);
  EXPECT_FALSE(next.ledger.current());
}

}  // namespace
}  // namespace otaria::device
