#include "contract/trust/manifest.hpp"

#include <gtest/gtest.h>

#include <string>

#include "contract/trust/testing/signed_examples.hpp"

namespace otaria::contract {
namespace {

using testing::ManifestText;

ManifestReading read(const std::string& json, Manifest& manifest) {
  MemoryBytes bytes{json};
  return read_manifest(bytes, manifest);
}

Defect defect_of(const std::string& json) {
  Manifest manifest;
  return read(json, manifest).defect;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(Manifest, TakesEveryMemberOfTheKnownAnswer) {
  const std::string& line = testing::known_manifest;
  const std::size_t begin = line.find('.') + 1;
  const std::string payload = *crypto::from_base64url(line.substr(begin, line.rfind('.') - begin));
  Manifest manifest;
  ASSERT_TRUE(read(payload, manifest).ok());
  EXPECT_EQ(manifest.release, "01JD8Z6T9K3M5Q7S9V1X3Z5B7D");
  EXPECT_EQ(manifest.product, "sensor");
  EXPECT_EQ(manifest.hardware_count, 1U);
  EXPECT_TRUE(manifest.fits_hardware("esp32s3-8mb"));
  EXPECT_FALSE(manifest.fits_hardware("esp32s3-4mb"));
  EXPECT_EQ(manifest.chip, "esp32s3");
  EXPECT_EQ(manifest.version, "1.4.0");
  EXPECT_EQ(manifest.build, "4f1c2a9b7d3e8056");
  EXPECT_EQ(manifest.size, 922809U);
  EXPECT_EQ(manifest.security_counter, 3U);
  EXPECT_EQ(manifest.issued, 1790000000U);
  EXPECT_EQ(manifest.expires, 1821536000U);
  EXPECT_EQ(manifest.keys, 2U);
  EXPECT_EQ(manifest.min_version, "1.2.0");
  EXPECT_TRUE(manifest.channel.empty());
}

TEST(Manifest, WithoutHardwareFitsAllOfTheProduct) {
  ManifestText text;
  text.hardware.clear();
  Manifest manifest;
  ASSERT_TRUE(read(text.json(), manifest).ok());
  EXPECT_TRUE(manifest.fits_hardware("anything"));
}

TEST(Manifest, MissesEachRequiredMember) {
  const std::string whole = ManifestText{}.json();
  ASSERT_EQ(defect_of(whole), Defect::none);
  for (const char* name : {"build",
                           "chip",
                           "expires",
                           "fmt",
                           "issued",
                           "keys",
                           "product",
                           "release",
                           "security_counter",
                           "sha256",
                           "size",
                           "version"}) {
    EXPECT_EQ(defect_of(replaced(whole, std::string{"\""} + name + "\":", "\"x_x\":")),
              Defect::missing_member)
        << name;
  }
}

TEST(Manifest, RefusesWrongTypes) {
  const std::string whole = ManifestText{}.json();
  EXPECT_EQ(defect_of(replaced(whole, "\"size\":922809", "\"size\":\"922809\"")),
            Defect::wrong_type);
  EXPECT_EQ(defect_of(replaced(whole, "\"version\":\"1.4.0\"", "\"version\":1")),
            Defect::wrong_type);
  EXPECT_EQ(defect_of(replaced(whole, "[\"esp32s3-8mb\"]", "\"esp32s3-8mb\"")), Defect::wrong_type);
  EXPECT_EQ(defect_of(replaced(whole, "[\"esp32s3-8mb\"]", "[1]")), Defect::wrong_type);
}

TEST(Manifest, RefusesValuesThatItsMembersMayNotHave) {
  const std::string whole = ManifestText{}.json();
  for (const auto& [what, with] : std::vector<std::pair<std::string, std::string>>{
           {"1.4.0", "v1.4.0"},
           {"01JD8Z6T9K3M5Q7S9V1X3Z5B7D", "01jd8z6t9k3m5q7s9v1x3z5b7d"},
           {"4f1c2a9b7d3e8056", "4F1C2A9B7D3E8056"},
           {"9f86d081", "9F86D081"},
           {"\"sensor\"", "\"sen/sor\""},
           {"\"sensor\"", "\"\""},
           {"\"size\":922809", "\"size\":0"},
           {"\"fmt\":1", "\"fmt\":0"},
           {"[\"esp32s3-8mb\"]", "[]"},
           {"\"expires\":1821536000", "\"expires\":1790000000"}}) {
    EXPECT_EQ(defect_of(replaced(whole, what, with)), Defect::bad_value) << with;
  }
}

TEST(Manifest, RefusesMoreHardwareThanADeviceHolds) {
  ManifestText text;
  text.hardware = R"(["a","b","c","d","e","f","g","h"])";
  EXPECT_EQ(defect_of(text.json()), Defect::none);
  text.hardware = R"(["a","b","c","d","e","f","g","h","i"])";
  EXPECT_EQ(defect_of(text.json()), Defect::too_many_values);
}

TEST(Manifest, RefusesAMemberTwiceAlsoWhenUnknown) {
  ManifestText text;
  text.more = R"(,"size":1)";
  EXPECT_EQ(defect_of(text.json()), Defect::duplicate_member);
  text.more = R"(,"later":1,"later":2)";
  EXPECT_EQ(defect_of(text.json()), Defect::duplicate_member);
}

TEST(Manifest, PassesOverUnknownMembersUnlessTheyAreCritical) {
  ManifestText text;
  text.more = R"(,"enc":{"alg":"x"},"later":[1,2])";
  Manifest manifest;
  EXPECT_TRUE(read(text.json(), manifest).ok());
  text.more = R"(,"crit":["enc"],"enc":1)";
  EXPECT_TRUE(read(text.json(), manifest).too_new);
  text.more = R"(,"crit":["channel"],"channel":"stable")";
  EXPECT_TRUE(read(text.json(), manifest).ok());
  text.more = R"(,"crit":[])";
  EXPECT_EQ(read(text.json(), manifest).defect, Defect::bad_value);
}

TEST(Manifest, SaysThatANewerFormatIsTooNew) {
  ManifestText text;
  text.fmt = 2;
  Manifest manifest;
  EXPECT_TRUE(read(text.json(), manifest).too_new);
  EXPECT_TRUE(read(R"({"fmt":2,"something":"else"})", manifest).too_new);
}

TEST(Manifest, RefusesEveryTruncation) {
  const std::string whole = ManifestText{}.json();
  Manifest manifest;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(read(whole.substr(0, length), manifest).ok()) << length;
  }
}

}  // namespace
}  // namespace otaria::contract
