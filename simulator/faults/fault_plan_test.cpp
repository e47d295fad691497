#include "simulator/faults/fault_plan.hpp"

#include <gmock/gmock.h>

namespace otaria::simulator {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal_of(std::string_view fault) {
  FaultPlan plan;
  try {
    add_fault(plan, fault);
  } catch (const FaultError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(FaultPlan, EveryFaultFindsItsPlace) {
  FaultPlan plan;
  for (const char* fault : {"crash-on-boot=1.4.0",
                            "crash-on-boot=1.5.0-rc.1+build",
                            "hang-on-boot=1.4.1",
                            "self-test-fail=1.4.2",
                            "no-network-in-trial=1.4.3",
                            "crash-in-trial=1.4.4",
                            "power-cut-after=17",
                            "power-cut-at-bytes=200000",
                            "slow-flash=0.5",
                            "veto-download=2",
                            "veto-reboot=0.25",
                            "clock=unset"}) {
    add_fault(plan, fault);
  }
  EXPECT_THAT(plan.crash_on_boot, ElementsAre("1.4.0", "1.5.0-rc.1+build"));
  EXPECT_THAT(plan.hang_on_boot, ElementsAre("1.4.1"));
  EXPECT_THAT(plan.self_test_fail, ElementsAre("1.4.2"));
  EXPECT_THAT(plan.no_network_in_trial, ElementsAre("1.4.3"));
  EXPECT_THAT(plan.crash_in_trial, ElementsAre("1.4.4"));
  EXPECT_EQ(plan.power_cut_after, 17u);
  EXPECT_EQ(plan.power_cut_at_bytes, 200'000u);
  EXPECT_EQ(plan.slow_flash, 0.5);
  EXPECT_EQ(plan.veto_download, milliseconds{2000});
  EXPECT_EQ(plan.veto_reboot, milliseconds{250});
  EXPECT_FALSE(plan.clock_is_set);
  add_fault(plan, "clock=ntp");
  EXPECT_TRUE(plan.clock_is_set);
}

TEST(FaultPlan, AMalformedValueIsAnsweredByTheRightForm) {
  EXPECT_THAT(refusal_of("crash-on-boot=1.4"), HasSubstr("crash-on-boot=VERSION"));
  EXPECT_THAT(refusal_of("crash-on-boot="), HasSubstr("crash-on-boot=VERSION"));
  EXPECT_THAT(refusal_of("crash-on-boot"), HasSubstr("crash-on-boot=VERSION"));
  for (const char* value : {"0", "-1", "1x", "", "99999999999999999999", "1.5"}) {
    EXPECT_THAT(refusal_of(std::string{"power-cut-after="} + value), HasSubstr("power-cut-after=N"))
        << value;
  }
  for (const char* value : {"-1", "nan", "inf", "fast", "1e9", ""}) {
    EXPECT_THAT(refusal_of(std::string{"slow-flash="} + value), HasSubstr("slow-flash=FACTOR"))
        << value;
  }
  EXPECT_THAT(refusal_of("veto-download=soon"), HasSubstr("veto-download=SECONDS"));
  EXPECT_THAT(refusal_of("clock=gps"), HasSubstr("clock=unset|ntp"));
}

TEST(FaultPlan, AnUnknownFaultIsAnsweredByAllThereAre) {
  for (const char* fault :
       {"", "=", "explode=1.4.0", "Crash-on-boot=1.4.0", " crash-on-boot=1.4.0"}) {
    EXPECT_THAT(refusal_of(fault), HasSubstr("no-network-in-trial=VERSION")) << fault;
  }
}

TEST(FaultPlan, AMalformedFaultLeavesThePlanAsItWas) {
  FaultPlan plan;
  add_fault(plan, "slow-flash=2");
  EXPECT_THROW(add_fault(plan, "slow-flash=much"), FaultError);
  EXPECT_EQ(plan.slow_flash, 2);
  EXPECT_THROW(add_fault(plan, "clock=gps"), FaultError);
  EXPECT_TRUE(plan.clock_is_set);
}

}  // namespace
}  // namespace otaria::simulator
