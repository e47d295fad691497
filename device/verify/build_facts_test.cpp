#include <gtest/gtest.h>

#include <string_view>

#include "device/verify/image_format.hpp"

namespace otaria::device {
namespace {

std::uint32_t built_on(std::string_view date) {
  AppDescriptor descriptor;
  descriptor.date.assign(date);
  return build_time_of(descriptor);
}

TEST(BuildTime, IsTheDayBeforeTheDescriptorsDate) {
  // date -u -d '2026-11-24' +%s
  EXPECT_EQ(built_on("Nov 25 2026"), 1795478400U);
  EXPECT_EQ(built_on("Mar  1 2024"), 1709164800U);  // 29 February
  EXPECT_EQ(built_on("Jan  1 2017"), 1483142400U);
  EXPECT_EQ(built_on("Dec 31 2100"), 4133808000U);
}

TEST(BuildTime, WhatIsNoDateIsNoTime) {
  for (const std::string_view date : {"",
                                      "Nov 25 2015",
                                      "Jan  1 2101",
                                      "Feb 30 2026",
                                      "Nov 00 2026",
                                      "Nov 32 2026",
                                      "nov 25 2026",
                                      "ovD 25 2026",
                                      "Nov 25 20x6",
                                      "Nov 25 2026 ",
                                      "Nov-25-2026",
                                      "2026-11-25",
                                      "Nov 2a 2026",
                                      "Nov -5 2026"}) {
    EXPECT_EQ(built_on(date), 0U) << date;
  }
}

TEST(Build, IsNamedByTheFirst16DigitsOfTheElfDigest) {
  AppDescriptor descriptor;
  for (std::size_t i = 0; i < descriptor.app_elf_sha256.bytes.size(); ++i) {
    descriptor.app_elf_sha256.bytes[i] = static_cast<std::uint8_t>(0xA0 + i);
  }
  EXPECT_EQ(build_of(descriptor).view(), "a0a1a2a3a4a5a6a7");
}

}  // namespace
}  // namespace otaria::device
