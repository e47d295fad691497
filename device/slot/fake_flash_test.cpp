#include "device/ports/fake_flash.hpp"

#include <gtest/gtest.h>

#include "device/ports/flash_contract_test.hpp"

namespace otaria::device {
namespace {

struct FakeHolder final : FlashHolder {
  Flash& flash() override { return fake; }
  FakeFlash fake{0x10000};
};
INSTANTIATE_TEST_SUITE_P(Fake,
                         FlashContract,
                         testing::Values(FlashMaker{"fake",
                                                    [] { return std::make_unique<FakeHolder>(); }}),
                         name_of_flash_maker);

TEST(FakeFlash, RefusesToSetABitAndRemembersIt) {
  FakeFlash flash{0x1000};
  ASSERT_TRUE(flash.write(0, std::vector<std::uint8_t>{0x0F, 0x0F}));
  EXPECT_FALSE(flash.rule_broken());
  EXPECT_FALSE(flash.write(0, std::vector<std::uint8_t>{0x00, 0x1F}));
  EXPECT_TRUE(flash.rule_broken());
  EXPECT_EQ(flash.cells()[0], 0x0F);
}

TEST(FakeFlash, LosesPowerAtTheChosenOperationAndStaysDark) {
  FakeFlash flash{0x2000};
  flash.cut_after(1);
  EXPECT_TRUE(flash.write(0, std::vector<std::uint8_t>{0x00}));
  EXPECT_FALSE(flash.write(1, std::vector<std::uint8_t>{0x00}));
  EXPECT_FALSE(flash.erase_sector(0));
  std::array<std::uint8_t, 2> cells{};
  EXPECT_FALSE(flash.read(0, cells));
  flash.power_on();
  EXPECT_TRUE(flash.read(0, cells));
  EXPECT_EQ(cells, (std::array<std::uint8_t, 2>{0x00, 0xFF}));
}

TEST(FakeFlash, CanTearTheLastOperation) {
  FakeFlash flash{0x1000};
  flash.cut_after(0);
  flash.tear(7);
  EXPECT_FALSE(flash.write(0, std::vector<std::uint8_t>(64, 0x00)));
  flash.power_on();
  const auto cells = flash.cells();
  EXPECT_TRUE(
      std::any_of(cells.begin(), cells.begin() + 64, [](std::uint8_t c) { return c != 0xFF; }));
  EXPECT_TRUE(
      std::any_of(cells.begin(), cells.begin() + 64, [](std::uint8_t c) { return c != 0x00; }));
}

}  // namespace
}  // namespace otaria::device
