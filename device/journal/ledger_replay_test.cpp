#include "device/journal/ledger.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "device/journal/testing/ledger_life.hpp"
#include "device/ports/fake_flash.hpp"

namespace otaria::device {
namespace {

using contract::UpdateState;
using testing::content_of;
using testing::digest_of;
using testing::end_update;
using testing::facts_of;
using testing::facts_with;
using testing::id_of;
using testing::list_of;
using testing::longest_notice;
using testing::notice_of;
using testing::sector;
using testing::Start;

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
    {"an id that a server assigned",
     [](Ledger& l) {
       ASSERT_TRUE(l.assign_id(id_of("sensor_a4cf12e0a1b2")));
       ASSERT_TRUE(l.assign_id(id_of(std::string(contract::max_device_id_bytes, 'i'))));
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
  ASSERT_TRUE(start.ledger.assign_id(id_of(std::string(contract::max_device_id_bytes, 'i'))));
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

}  // namespace
}  // namespace otaria::device
