#include "server/broker/notice.hpp"

#include <gtest/gtest.h>

#include <filesystem>

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

constexpr std::int64_t now = 1'800'000'000;

Outcome<WrittenNotice> written(const Deployment& deployment, const std::string& public_url) {
  return write_notice(deployment, Downloads{{}, public_url, now}, now);
}

TEST(Notice, CarriesWhatADeviceNeeds) {
  const auto payload = written(deployment(), "http://10.0.0.1:8080");
  ASSERT_TRUE(payload);
  EXPECT_FALSE(payload.value().url_until);
  const auto notice = contract::decode_notice(payload.value().payload);
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
  const auto notice = contract::decode_notice(written(elsewhere, "http://unused").value().payload);
  EXPECT_EQ(notice.value->url.view(), "https://cdn.example/fw.bin");
  EXPECT_TRUE(notice.value->force);
}

TEST(Notice, ThatNoDeviceCouldTakeIsRefusedWithItsFigures) {
  const auto refused = written(deployment(), "http://" + std::string(200, 'h'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.refusal().code, "notice_too_long");
  EXPECT_NE(refused.refusal().detail.find("256"), std::string::npos);
}

// The longest of everything: the URL is signed, the manifest named, and a device still takes it.
TEST(Notice, OfASignedReleaseBehindASignedUrlFitsThePacket) {
  const auto directory = std::filesystem::temp_directory_path() / "otaria-notice-test";
  const Downloads downloads{
      {.access = DownloadAccess::signed_url, .secret_file = directory / "download-secret"},
      "https://" + std::string(100, 'h') + ".example:8443",
      now};
  Deployment longest = deployment();
  longest.device = std::string(32, 'd');
  longest.target = "1.4.0-" + std::string(26, 'v');
  longest.manifest = "01JD8Z6T9K3M5Q7S9V1X3Z5B7D";
  longest.force = true;
  longest.spread_s = 86'400;
  longest.not_before = 4'294'967'295;
  longest.deadline = 4'294'967'295;
  const auto payload = write_notice(longest, downloads, now);
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(payload) << payload.refusal().detail;
  EXPECT_GT(payload.value().url_until.value_or(0), now);
  const auto notice = contract::decode_notice(payload.value().payload);
  ASSERT_TRUE(notice);
  EXPECT_TRUE(notice.value->manifest.view().ends_with("/manifests/01JD8Z6T9K3M5Q7S9V1X3Z5B7D.jws"));
  EXPECT_NE(notice.value->url.view().find(".bin?e="), std::string_view::npos);
}

}  // namespace
}  // namespace otaria::server
