#include "server/broker/notice.hpp"

#include <gtest/gtest.h>

#include "contract/host/codec.hpp"

namespace otaria::server {
namespace {

Deployment deployment() {
  Deployment deployment;
  deployment.id = "01JD0000000000000000000001";
  deployment.device = "sensor_A1B2";
  deployment.target = "1.4.0";
  deployment.sha256 = std::string(64, 'a');
  deployment.size = 922809;
  return deployment;
}

TEST(Notice, CarriesWhatADeviceNeeds) {
  const auto payload = notice_payload(deployment(), "http://10.0.0.1:8080");
  ASSERT_TRUE(payload);
  const auto notice = contract::decode_notice(payload.value());
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice.value->version.view(), "1.4.0");
  EXPECT_EQ(notice.value->url.view(),
            "http://10.0.0.1:8080/firmware/" + std::string(64, 'a') + ".bin");
  EXPECT_EQ(notice.value->update.view(), deployment().id);
  EXPECT_EQ(notice.value->size, 922809u);
  EXPECT_FALSE(notice.value->force);
}

TEST(Notice, PointsToAFileElsewhereWhenItLiesThere) {
  Deployment elsewhere = deployment();
  elsewhere.url = "https://cdn.example/fw.bin";
  elsewhere.force = true;
  const auto notice = contract::decode_notice(notice_payload(elsewhere, "http://unused").value());
  EXPECT_EQ(notice.value->url.view(), "https://cdn.example/fw.bin");
  EXPECT_TRUE(notice.value->force);
}

TEST(Notice, ThatNoDeviceCouldTakeIsRefusedWithItsFigures) {
  const auto refused = notice_payload(deployment(), "http://" + std::string(200, 'h'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.refusal().code, "notice_too_long");
  EXPECT_NE(refused.refusal().detail.find("256"), std::string::npos);
}

}  // namespace
}  // namespace otaria::server
