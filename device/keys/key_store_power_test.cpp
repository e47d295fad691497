#include <gtest/gtest.h>

#include "device/keys/testing/key_bench.hpp"

/// The power fails at each flash operation of what the key store does, whole and torn; the next
/// start decides for exactly the old or the new.
namespace otaria::device {
namespace {

using testing::fetch;
using testing::KeyStart;
using testing::provision;

class KeyStorePowerTest : public ::testing::Test {
 protected:
  KeyStorePowerTest() { EXPECT_TRUE(init_crypto()); }

  /// A device that holds `lists`, one after the other; each but the last has proven itself.
  void arrange(FakeFlash& flash, const std::vector<std::string>& lists) {
    KeyStart start{flash};
    for (const std::string& list : lists) {
      ASSERT_TRUE(start.store.note_verified());
      ASSERT_TRUE(provision(start.store, list));
    }
  }

  /// Plays `act` with a cut at each operation in turn, and has `check` look at the next start: the
  /// serial and floor must be the old pair or the new one, and the new one if the act said that it
  /// was done.
  template <class Act>
  void at_each_operation(const std::vector<std::string>& held,
                         Act act,
                         std::uint32_t old_serial,
                         std::uint32_t new_serial) {
    bool done = false;
    bool was_old = false;
    for (std::uint64_t cut = 0; !done; ++cut) {
      for (const bool torn : {false, true}) {
        SCOPED_TRACE(::testing::Message() << "cut at " << cut << (torn ? ", torn" : ""));
        FakeFlash flash{testing::flash_bytes};
        arrange(flash, held);
        KeyStart start{flash};
        flash.cut_after(cut);
        if (torn) flash.tear(static_cast<std::uint32_t>(cut));
        done = act(start.store);
        flash.power_on();
        KeyStart next{flash};
        ASSERT_TRUE(next.opened);
        ASSERT_EQ(next.store.standing(), ListStanding::active);
        const std::uint32_t serial = next.store.serial();
        EXPECT_TRUE(serial == old_serial || serial == new_serial) << serial;
        EXPECT_EQ(next.ledger.security_floor(), serial);
        if (done) {
          EXPECT_EQ(serial, new_serial);
        }
        was_old = was_old || serial == old_serial;
        // And it goes on from there.
        EXPECT_TRUE(act(next.store) || serial == new_serial);
        EXPECT_EQ(next.store.serial(), new_serial);
        EXPECT_FALSE(flash.rule_broken());
      }
      ASSERT_LT(cut, 500U);
    }
    EXPECT_TRUE(was_old);
  }

  std::string list(std::uint32_t serial) {
    op.text.floor = "\"sensor\":" + std::to_string(serial);
    return op.list(serial);
  }

  testing::Operator op;
};

TEST_F(KeyStorePowerTest, AcceptingAListIsOneSwitch) {
  const std::string third = list(3);
  at_each_operation(
      {list(1), list(2)},
      [&third](KeyStore& store) {
        if (!fetch(store, Fetched::key_list, third)) return false;
        const auto verdict = store.accept(0);
        return verdict && verdict.value().ok();
      },
      2,
      3);
}

TEST_F(KeyStorePowerTest, InstallingAProvisionedListOverAnOlderOneIsOneSwitch) {
  const std::string third = list(3);
  at_each_operation(
      {list(1)}, [&third](KeyStore& store) { return provision(store, third); }, 1, 3);
}

TEST_F(KeyStorePowerTest, DroppingThePreviousListLosesNoList) {
  at_each_operation(
      {list(1), list(2)},
      [](KeyStore& store) { return static_cast<bool>(store.note_verified()); },
      2,
      2);
}

TEST_F(KeyStorePowerTest, TheFirstStartOfAllCanBeRepeated) {
  const std::string first = list(1);
  bool done = false;
  for (std::uint64_t cut = 0; !done; ++cut) {
    for (const bool torn : {false, true}) {
      SCOPED_TRACE(::testing::Message() << "cut at " << cut << (torn ? ", torn" : ""));
      FakeFlash flash{testing::flash_bytes};
      flash.cut_after(cut);
      if (torn) flash.tear(static_cast<std::uint32_t>(cut));
      {
        KeyStart start{flash};
        done = start.opened && provision(start.store, first);
      }
      flash.power_on();
      KeyStart next{flash};
      ASSERT_TRUE(next.opened);
      const bool installed = next.store.has_keys();
      EXPECT_TRUE(installed || !done);
      EXPECT_EQ(provision(next.store, first), !installed);
      EXPECT_EQ(next.store.serial(), 1U);
    }
    ASSERT_LT(cut, 500U);
  }
}

}  // namespace
}  // namespace otaria::device
