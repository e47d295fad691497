#include "device/journal/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "device/journal/ledger_records.hpp"
#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

using contract::UpdateState;

constexpr std::uint32_t sector = Flash::sector_bytes;
constexpr std::uint32_t first_session = 1234567;

/// One start of the device. The smallest partition there may be: banks of one sector.
struct Start {
  explicit Start(Flash& flash, std::uint32_t bytes = 2 * sector)
      : journal{flash, 0, bytes, work}, ledger{journal}, opened{ledger.open(first_session)} {}
  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal;
  Ledger ledger;
  Status opened;
};

contract::Digest digest_of(std::uint32_t number) {
  contract::Digest digest;
  digest.bytes.fill(0xD0);
  for (std::size_t i = 0; i < 4; ++i)
    digest.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return digest;
}

contract::Notice notice_of(std::uint32_t number) {
  contract::Notice notice;
  notice.version.assign("2.0." + std::to_string(number));
  notice.url.assign("http://fw.example/" + std::to_string(number) + ".bin");
  notice.digest = digest_of(number);
  notice.update.assign("update-" + std::to_string(number));
  return notice;
}

/// Every member at its longest.
contract::Notice longest_notice() {
  contract::Notice notice;
  notice.version.assign("1.0.0-" + std::string(contract::max_version_bytes - 6, 'v'));
  notice.url.assign("http://" + std::string(contract::max_url_bytes - 7, 'u'));
  notice.manifest.assign("http://" + std::string(contract::max_url_bytes - 7, 'm'));
  notice.update.assign(std::string(contract::max_update_id_bytes, 'i'));
  notice.digest.bytes.fill(0xFF);
  notice.size = notice.not_before = notice.deadline = 0xFFFFFFFF;
  notice.spread_s = 0xFFFFFFFF;
  notice.force = true;
  return notice;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text(bytes.size() * 2, ' ');
  contract::write_hex(bytes, text.data());
  return text;
}

void tell(std::ostream& out, const std::optional<std::uint32_t>& value) {
  out << (value ? std::to_string(*value) : "-");
}

void tell(std::ostream& out, const contract::Notice& n) {
  out << n.version.view() << ' ' << n.url.view() << ' ' << hex(n.digest.bytes) << ' ' << n.force
      << ' ' << n.update.view() << ' ' << n.manifest.view() << ' ' << n.spread_s << ' ';
  tell(out, n.size);
  tell(out, n.not_before);
  tell(out, n.deadline);
}

void tell(std::ostream& out, const Error& error) {
  out << contract::name_of(error.fault) << ',' << error.found << ',' << error.expected;
}

/// Every public fact that is durable, as text: two ledgers that say the same remember the same.
std::string facts_of(const Ledger& ledger) {
  std::ostringstream out;
  if (const auto& current = ledger.current()) {
    out << "current ";
    tell(out, current->notice);
    out << " phase " << static_cast<int>(current->phase) << " unsent " << current->unsent.bits()
        << " total " << current->total << " prefix " << current->prefix << ' '
        << hex(current->prefix_hash) << " head " << hex(current->head) << " etag "
        << current->etag.view() << " fetched " << current->bytes_fetched << " resumed at "
        << current->resumed_at << " reselected " << current->reselected << " starts "
        << int{current->trial_starts} << " failure ";
    tell(out, current->trial_failure);
    if (const auto& manifest = current->manifest) {
      out << " manifest " << manifest->security_counter << ' ' << manifest->issued << ' '
          << manifest->epoch << ' ' << hex(manifest->build) << ' ' << manifest->size;
    }
    out << '\n';
  }
  for (std::size_t i = 0; i < ledger.outcome_count(); ++i) {
    const Outcome& o = ledger.outcome(i);
    out << "outcome " << o.update.view() << ' ' << o.target.view() << ' '
        << contract::name_of(o.state) << ' ';
    tell(out, o.error);
    out << ' ' << o.unsent.bits() << ' ' << o.bytes << ' ' << o.total << ' ' << o.resumed_at << ' '
        << o.acknowledged << ' ' << o.seq << '\n';
  }
  for (std::uint32_t number = 0; number < 40; ++number)
    out << ledger.failed_attempts(digest_of(number)) << ' ';
  for (std::uint32_t slot = 0; slot < Ledger::slots; ++slot) {
    const SlotContent& c = ledger.slot(slot);
    out << "\nslot " << c.known << c.confirmed << ' ' << hex(c.digest.bytes) << ' '
        << c.version.view() << ' ' << c.bytes << ' ' << hex(c.appended_hash) << ' '
        << c.security_counter;
  }
  for (const KeyListRecord& list : {ledger.key_lists().active, ledger.key_lists().previous}) {
    out << "\nkeys " << int{list.area} << ' ' << list.serial << ' ' << list.bytes << ' ' << list.crc
        << ' ' << list.epoch << ' ' << list.issued << ' ' << list.floor;
  }
  out << "\nfloor " << ledger.security_floor() << " epoch " << ledger.epoch();
  out << "\nreset " << ledger.seq_reset();
  return out.str();
}

SlotContent content_of(std::uint32_t number) {
  SlotContent content;
  content.known = true;
  content.confirmed = number % 2 == 1;
  content.digest = digest_of(number);
  content.version.assign("1.0." + std::to_string(number));
  content.bytes = 1000 + number;
  content.security_counter = 70 + number;
  content.appended_hash.fill(static_cast<std::uint8_t>(number));
  return content;
}

ManifestFacts facts_with(std::uint32_t counter, std::uint32_t epoch = 0) {
  return {counter, 1790000000 + counter, epoch, {1, 2, 3, 4, 5, 6, 7, 8}, 922809};
}

KeyListRecord list_of(std::uint32_t serial, std::uint32_t floor, std::uint32_t epoch = 0) {
  return {static_cast<std::uint8_t>(serial % 4),
          serial,
          1700 + serial,
          0xC0FFEE,
          epoch,
          1790000000,
          floor};
}

/// An update accepted and ended.
void end_update(Ledger& ledger,
                std::uint32_t number,
                UpdateState state,
                Fault fault = Fault::digest_mismatch) {
  ASSERT_TRUE(ledger.accept(notice_of(number)));
  ASSERT_TRUE(ledger.finish(state, {fault, 1, 2}, 100));
}

std::uint32_t attempts_after(UpdateState state, Fault fault) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  end_update(start.ledger, 5, state, fault);
  return start.ledger.failed_attempts(digest_of(5));
}

// --- the same after a restart, and after a compaction
// ------------------------------------------------------------------

struct Scene {
  const char* name;
  std::function<void(Ledger&)> play;
};

const Scene scenes[] = {
    {"nothing", [](Ledger&) {}},
    {"accepted", [](Ledger& l) { ASSERT_TRUE(l.accept(notice_of(1))); }},
    {"the longest notice", [](Ledger& l) { ASSERT_TRUE(l.accept(longest_notice())); }},
    {"a renewed url",
     [](Ledger& l) {
       ASSERT_TRUE(l.accept(notice_of(1)));
       contract::Url url;
       url.assign("https://elsewhere.example/x");
       ASSERT_TRUE(l.replace_url(url));
     }},
    {"waiting",
     [](Ledger& l) {
       ASSERT_TRUE(l.accept(notice_of(1)));
       ASSERT_TRUE(l.mark(Mark::waiting, true));
     }},
    {"downloading",
     [](Ledger& l) {
       std::array<std::uint8_t, 32> head{};
       head.fill(0xE9);
       ASSERT_TRUE(l.accept(notice_of(1)));
       ASSERT_TRUE(l.mark(Mark::download_begun, false));
       ASSERT_TRUE(l.begin_download(head, 922809, "\"" + std::string(70, 'e') + "\""));
       ASSERT_TRUE(l.set_prefix(16384, std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8}));
       ASSERT_TRUE(l.set_prefix(32768, std::array<std::uint8_t, 8>{8, 7, 6, 5, 4, 3, 2, 1}));
     }},
    {"resumed, and at its end",
     [](Ledger& l) {
       ASSERT_TRUE(l.accept(notice_of(1)));
       ASSERT_TRUE(l.begin_download({}, 922809, "\"e\""));
       ASSERT_TRUE(l.set_prefix(16384, std::array<std::uint8_t, 8>{1}));
       l.note_resumed_at(16384);
       ASSERT_TRUE(l.mark(Mark::download_begun, false));
       ASSERT_TRUE(l.mark(Mark::download_done, false));
       ASSERT_TRUE(l.set_phase(Phase::writing_head));
     }},
    {"installed and selected twice",
     [](Ledger& l) {
       ASSERT_TRUE(l.accept(notice_of(1)));
       ASSERT_TRUE(l.begin_download({}, 4711, ""));
       ASSERT_TRUE(l.set_phase(Phase::verified));
       ASSERT_TRUE(l.mark(Mark::installed, false));
       ASSERT_TRUE(l.set_phase(Phase::installed));
       ASSERT_TRUE(l.set_reselected());
     }},
    {"on trial, and given up",
     [](Ledger& l) {
       ASSERT_TRUE(l.accept(notice_of(1)));
       ASSERT_TRUE(l.begin_download({}, 4711, ""));
       ASSERT_TRUE(l.set_phase(Phase::installed));
       ASSERT_TRUE(l.start_trial());
       ASSERT_TRUE(l.start_trial());
       ASSERT_TRUE(l.set_trial_failure({Fault::self_test_failed, -7, 1LL << 40}));
     }},
    {"given up before a trial was counted",
     [](Ledger& l) {
       ASSERT_TRUE(l.accept(notice_of(1)));
       ASSERT_TRUE(l.set_trial_failure({Fault::trial_timeout, 300, 300}));
     }},
    {"outcomes of every kind",
     [](Ledger& l) {
       end_update(l, 1, UpdateState::succeeded, Fault::none);
       end_update(l, 2, UpdateState::failed);
       end_update(l, 3, UpdateState::rolled_back, Fault::boot_failed);
       end_update(l, 4, UpdateState::refused, Fault::not_newer);
       l.outcome_sent(l.outcome(1).serial, 77);
       ASSERT_TRUE(l.acknowledge_outcome(l.outcome(1).serial));
       ASSERT_TRUE(l.acknowledge(l.outcome(2).serial, Mark::received));
     }},
    {"more outcomes than are kept, and one in hand",
     [](Ledger& l) {
       for (std::uint32_t i = 0; i < 30; ++i)
         end_update(l, i, i % 3 == 0 ? UpdateState::failed : UpdateState::rolled_back);
       ASSERT_TRUE(l.accept(notice_of(31)));
     }},
    {"attempts of one image again and again",
     [](Ledger& l) {
       for (int i = 0; i < 300; ++i) end_update(l, 3, UpdateState::failed);
     }},
    {"both slots",
     [](Ledger& l) {
       ASSERT_TRUE(l.set_slot(0, content_of(1)));
       ASSERT_TRUE(l.set_slot(1, content_of(2)));
       ASSERT_TRUE(l.set_slot(1, content_of(3)));
       ASSERT_TRUE(l.forget_slot(0));
     }},
    {"the reset of numbers acknowledged",
     [](Ledger& l) { ASSERT_TRUE(l.seq_reset_acknowledged()); }},
    {"the reset of numbers over",
     [](Ledger& l) {
       ASSERT_TRUE(l.seq_reset_acknowledged());
       ASSERT_TRUE(l.session_ended());
     }},
    {"accepted by its manifest",
     [](Ledger& l) { ASSERT_TRUE(l.accept(longest_notice(), facts_with(3))); }},
    {"accepted when its manifest was judged, in the middle of its life",
     [](Ledger& l) {
       ASSERT_TRUE(l.accept(longest_notice()));
       ASSERT_TRUE(l.mark(Mark::waiting, true));
       ASSERT_TRUE(l.accept_manifest(facts_with(3)));
     }},
    {"key lists and a confirmed counter",
     [](Ledger& l) {
       ASSERT_TRUE(l.set_key_lists({list_of(1, 4), {}}));
       ASSERT_TRUE(l.set_key_lists({list_of(2, 5), list_of(1, 4)}));
       ASSERT_TRUE(l.set_slot(0, content_of(2)));
       ASSERT_TRUE(l.confirm_slot(0, facts_with(9)));
     }},
    {"a floor that the roots have lowered",
     [](Ledger& l) {
       ASSERT_TRUE(l.set_key_lists({list_of(1, 900), {}}));
       ASSERT_TRUE(l.set_key_lists({list_of(2, 5, 1), list_of(1, 900)}));
       ASSERT_TRUE(l.set_key_lists({list_of(3, 4, 0), list_of(2, 5, 1)}));
     }},
};

TEST(Ledger, RemembersEveryFactAcrossARestart) {
  for (const Scene& scene : scenes) {
    SCOPED_TRACE(scene.name);
    FakeFlash flash{8 * sector};
    Start start{flash,
                8 * sector};  // banks so large that nothing but the wildest scene is compacted
    scene.play(start.ledger);
    EXPECT_EQ(facts_of(Start(flash, 8 * sector).ledger), facts_of(start.ledger));
  }
}

TEST(Ledger, RemembersEveryFactAcrossACompaction) {
  for (const Scene& scene : scenes) {
    SCOPED_TRACE(scene.name);
    FakeFlash flash{2 * sector};
    Start start{flash};
    scene.play(start.ledger);
    const std::string before = facts_of(start.ledger);
    for (int times = 0; times < 3; ++times) {
      ASSERT_TRUE(start.journal.compact());
      Start next{flash};
      ASSERT_TRUE(next.opened);
      EXPECT_EQ(facts_of(next.ledger), before);
    }
  }
}

TEST(Ledger, TheFullestOneFitsABankOfOneSector) {
  FakeFlash flash{2 * sector};
  Start start{flash};
  contract::Notice notice = longest_notice();
  const auto finish_one = [&](std::uint32_t number) {
    notice.digest = digest_of(number);
    ASSERT_TRUE(start.ledger.accept(notice));
    ASSERT_TRUE(start.ledger.finish(UpdateState::failed, {Fault::digest_mismatch, -1, -1}, 1));
  };
  for (std::uint32_t i = 0; i < 12; ++i) {
    notice.update.assign(std::string(contract::max_update_id_bytes - 1, 'i') +
                         static_cast<char>('a' + i));
    finish_one(i);
  }
  notice.update.clear();
  finish_one(20);
  SlotContent content = content_of(1);
  content.version = longest_notice().version;
  ASSERT_TRUE(start.ledger.set_slot(0, content));
  ASSERT_TRUE(start.ledger.set_slot(1, content));
  ASSERT_TRUE(start.ledger.set_key_lists({list_of(2, 5), list_of(1, 4)}));
  ASSERT_TRUE(start.ledger.note_time(1790000000));
  ASSERT_TRUE(start.ledger.accept(longest_notice(), facts_with(1)));
  ASSERT_TRUE(start.ledger.begin_download({}, 1, std::string(72, 'e')));
  ASSERT_TRUE(start.ledger.start_trial());
  ASSERT_TRUE(start.ledger.set_reselected());
  ASSERT_TRUE(start.ledger.set_trial_failure({Fault::boot_failed, 1, 1}));
  ASSERT_TRUE(start.journal.compact());
  // Room enough that a bank is not filled again by a handful of records.
  EXPECT_GT(start.journal.bytes_free(), 512U);
  EXPECT_EQ(facts_of(Start(flash).ledger), facts_of(start.ledger));
}

TEST(Ledger, ReplaysARandomLifeThroughCutsAsItWasLived) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937 random{seed};
    FakeFlash flash{2 * sector};
    auto start = std::make_unique<Start>(flash);
    std::uint32_t number = 0;
    for (int step = 0; step < 120; ++step) {
      Ledger& ledger = start->ledger;
      const std::string before = facts_of(ledger);
      if (random() % 8 == 0) {
        flash.cut_after(random() % 3);
        flash.tear(static_cast<std::uint32_t>(random()));
      }
      Status done;
      const auto below = [&random](std::uint32_t limit) {
        return static_cast<std::uint32_t>(random() % limit);
      };
      const auto act = random() % 8;
      if (act == 6) {
        const auto serial = static_cast<std::uint32_t>(step + 1);
        done = ledger.set_key_lists({list_of(serial, below(50), below(3)), {}});
      } else if (act == 7) {
        done = ledger.confirm_slot(random() % 2, facts_with(below(99), below(3)));
      } else if (!ledger.current()) {
        done = ledger.accept(notice_of(number++ % 40), facts_with(below(99)));
      } else if (act == 0) {
        done = ledger.finish(
            random() % 2 == 0 ? UpdateState::failed : UpdateState::succeeded, {Fault::busy}, 1);
      } else if (act == 1) {
        done = ledger.set_phase(static_cast<Phase>(random() % 5));
      } else if (act == 2) {
        done = ledger.begin_download({}, static_cast<std::uint32_t>(random()), "\"etag\"");
      } else if (act == 3) {
        done = ledger.start_trial();
      } else if (act == 4 && ledger.outcome_count() > 0) {
        done = ledger.acknowledge_outcome(ledger.outcome(random() % ledger.outcome_count()).serial);
      } else {
        done =
            ledger.set_slot(random() % 2, content_of(static_cast<std::uint32_t>(random() % 100)));
      }
      const std::string after = facts_of(ledger);
      if (!done) {
        EXPECT_EQ(after, before) << "changed although the record did not reach the flash";
      }
      if (flash.powered() && random() % 10 != 0) continue;
      flash.power_on();
      start = std::make_unique<Start>(flash);
      ASSERT_TRUE(start->opened);
      if (done) {
        EXPECT_EQ(facts_of(start->ledger), after);
      }
      // Without an answer the record may have arrived as a whole; then it is one that begins like
      // `before`.
    }
  }
}

// --- numbers
// -----------------------------------------------------------------------------------------------------------

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
// -----------------------------------------------------------------------------------------------

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

// --- trust

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
