#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>

#include "contract/device/json_writer.hpp"
#include "contract/device/state_writer.hpp"
#include "contract/device/status_writer.hpp"
#include "contract/json_text.hpp"

namespace otaria::contract {
namespace {

constexpr std::uint32_t largest = std::numeric_limits<std::uint32_t>::max();

template <class Write>
std::string written(Write write) {
  std::array<char, 2048> buffer{};
  const std::size_t length = write(std::span<char>{buffer});
  return {buffer.data(), length};
}

std::string written(const StatusFields& fields) {
  return written([&](std::span<char> out) { return write_status(fields, out); });
}
std::string written(const StateFields& fields) {
  return written([&](std::span<char> out) { return write_state(fields, out); });
}

std::string json_string(std::string_view text) {
  return written([text](std::span<char> out) {
    JsonWriter json{out};
    json.string(text);
    return json.finish();
  });
}

StatusFields downloading() {
  return {.id = "sensor_A1B2",
          .version = "1.3.0",
          .build = "d2a84f4b8b650937",
          .update = "01K0F3Z4Q8X5V7W9Y2B4D6F8HA",
          .target = "1.4.0",
          .state = UpdateState::downloading,
          .progress = Progress{.percent = 42, .bytes = 387072, .total = 922809},
          .error = {},
          .seq = 1187,
          .at = 1790000000};
}

StateFields confirmed() {
  StateFields fields;
  fields.id = "sensor_A1B2";
  fields.mac = "a4cf12e0a1b2";
  fields.session = 57;
  fields.product = "sensor";
  fields.hardware = "esp32s3-8mb";
  fields.chip = "esp32s3";
  fields.channel = "stable";
  fields.version = "1.4.0";
  fields.build = "d2a84f4b8b650937";
  fields.image.bytes.fill(0xAB);
  fields.slot = "ota_1";
  fields.security_counter = 3;
  fields.keys = 2;
  fields.agent = "0.1.0";
  fields.max_image = 3342336;
  fields.reset_reason = "power_on";
  fields.last = LastOutcome{.update = "01K0F3Z4Q8X5V7W9Y2B4D6F8HA", .target = "1.4.0", .seq = 1201};
  fields.seq = 1202;
  return fields;
}

TEST(StatusWriter, WritesTheContractsMembersInItsOrder) {
  EXPECT_EQ(
      written(downloading()),
      R"({"id":"sensor_A1B2","version":"1.3.0","build":"d2a84f4b8b650937","update":"01K0F3Z4Q8X5V7W9Y2B4D6F8HA",)"
      R"("target":"1.4.0","state":"downloading","progress":42,"bytes":387072,"total":922809,"seq":1187,"at":1790000000})");
}

TEST(StatusWriter, WhatIsNotKnownIsNotWritten) {
  EXPECT_EQ(written(StatusFields{.id = "a", .version = "1.0.0"}),
            R"({"id":"a","version":"1.0.0","state":"received","seq":0})");
}

TEST(StatusWriter, AFaultIsNamedWithItsSentences) {
  StatusFields fields{.id = "a", .version = "1.0.0", .state = UpdateState::failed, .seq = 7};
  fields.error =
      StatusError{.fault = Fault::digest_mismatch, .detail = "got \"00\"", .hint = "publish again"};
  EXPECT_EQ(
      written(fields),
      R"({"id":"a","version":"1.0.0","state":"failed",)"
      R"("error":{"code":"digest_mismatch","detail":"got \"00\"","hint":"publish again"},"seq":7})");
}

TEST(StatusWriter, TheLongestStatusFitsThePacket) {
  const std::string id(max_device_id_bytes, 'A');
  const std::string version(max_version_bytes, '9');
  const std::string build(build_text_bytes, 'f');
  const std::string update(max_update_id_bytes, 'Z');
  std::size_t longest = 0;
  for (std::size_t fault = 1; fault < fault_names.size(); ++fault) {
    for (std::size_t state = 0; state < update_state_names.size(); ++state) {
      const std::string detail(max_error_text_bytes / 2, 'd');
      const std::string hint(max_error_text_bytes - detail.size(), 'h');
      const StatusFields fields{
          .id = id,
          .version = version,
          .build = build,
          .update = update,
          .target = version,
          .state = static_cast<UpdateState>(state),
          .progress = Progress{.percent = 100, .bytes = largest, .total = largest},
          .error = StatusError{static_cast<Fault>(fault), detail, hint},
          .seq = largest,
          .at = largest};
      std::array<char, max_status_bytes> buffer{};
      longest = std::max(longest, write_status(fields, buffer));
      ASSERT_NE(write_status(fields, buffer), 0U);
    }
  }
  EXPECT_LE(publish_packet_bytes(max_device_id_bytes + status_topic_suffix.size(), longest),
            max_packet_bytes);
  EXPECT_EQ(
      publish_packet_bytes(max_device_id_bytes + status_topic_suffix.size(), max_status_bytes),
      max_packet_bytes);
}

TEST(StateWriter, WritesTheContractsMembersInItsOrder) {
  std::string image;
  for (int i = 0; i < 32; ++i) image += "ab";
  EXPECT_EQ(
      written(confirmed()),
      R"({"id":"sensor_A1B2","mac":"a4cf12e0a1b2","online":true,"session":57,"product":"sensor",)"
      R"("hardware":"esp32s3-8mb","chip":"esp32s3","channel":"stable","version":"1.4.0","build":"d2a84f4b8b650937",)"
      R"("image":")" +
          image +
          R"(","slot":"ota_1","confirmed":true,"security_counter":3,"keys":2,"mode":"production","agent":"0.1.0",)"
          R"("max_image":3342336,"patch":[],"reset_reason":"power_on","last":{"update":"01K0F3Z4Q8X5V7W9Y2B4D6F8HA",)"
          R"("target":"1.4.0","state":"succeeded","seq":1201},"seq":1202})");
}

TEST(StateWriter, ATrialOfADevelopmentDeviceThatLostItsJournalSaysSo) {
  StateFields fields = confirmed();
  fields.confirmed = false;
  fields.development = true;
  fields.seq_reset = true;
  fields.last =
      LastOutcome{.update = {}, .target = "1.4.0", .state = UpdateState::rolled_back, .seq = 5};
  const std::string text = written(fields);
  EXPECT_NE(text.find(R"("confirmed":false)"), std::string::npos);
  EXPECT_NE(text.find(R"("mode":"development")"), std::string::npos);
  EXPECT_NE(
      text.find(
          R"("last":{"target":"1.4.0","state":"rolled_back","seq":5},"seq":1202,"seq_reset":true})"),
      std::string::npos);
}

TEST(StateWriter, WhatIsKnownOfTheKeyListAndTheClockIsSaid) {
  EXPECT_EQ(written(confirmed()).find("keys_expired"), std::string::npos);
  StateFields fields = confirmed();
  fields.keys_expired = false;
  fields.fallback_below_floor = true;
  fields.clock = "ok";
  EXPECT_NE(
      written(fields).find(
          R"("keys":2,"keys_expired":false,"fallback_below_floor":true,"mode":"production","clock":"ok","agent")"),
      std::string::npos);
}

TEST(StateWriter, TheLongestStateFitsThePacket) {
  const std::string id(max_device_id_bytes, 'A');
  const std::string name(max_name_bytes, '"');  // each character needs an escape
  const std::string channel(max_channel_bytes, '\\');
  const std::string version(max_version_bytes, '9');
  const std::string update(max_update_id_bytes, 'Z');
  StateFields fields = confirmed();
  fields.id = id;
  fields.online = false;
  fields.session = fields.seq = fields.keys = fields.max_image = fields.security_counter = largest;
  fields.product = fields.hardware = name;
  fields.chip = "sixteen_letters_";
  fields.channel = channel;
  fields.version = fields.agent = version;
  fields.slot = "ota_15";
  fields.confirmed = false;
  fields.development = true;
  fields.reset_reason = "interrupt_watchdog";
  fields.last = LastOutcome{
      .update = update, .target = version, .state = UpdateState::downloading, .seq = largest};
  fields.seq_reset = true;
  fields.keys_expired = fields.fallback_below_floor = false;
  fields.clock = "suspect";
  std::array<char, max_state_bytes> buffer{};
  EXPECT_NE(write_state(fields, buffer), 0U);
  EXPECT_EQ(publish_packet_bytes(max_device_id_bytes + state_topic_suffix.size(), max_state_bytes),
            max_packet_bytes);
}

TEST(StateWriter, TheWillIsExactlyTheContractsText) {
  EXPECT_EQ(
      written([](std::span<char> out) { return write_will("sensor_A1B2", "1.4.0", 57, out); }),
      R"({"id":"sensor_A1B2","version":"1.4.0","online":false,"session":57})");
}

TEST(Writers, WhatDoesNotFitIsNothingAndNoByteIsWrittenBehindTheBuffer) {
  StatusFields status = downloading();
  status.error = StatusError{Fault::busy, "d\n\"\xC3\xA4", "h"};
  const std::string whole_status = written(status);
  const std::string whole_state = written(confirmed());
  for (std::size_t room = 0; room < 1024; ++room) {
    std::vector<char> exact(room);  // the address sanitizer sees a byte too far
    EXPECT_EQ(write_status(status, exact), room >= whole_status.size() ? whole_status.size() : 0U);
    EXPECT_EQ(write_state(confirmed(), exact),
              room >= whole_state.size() ? whole_state.size() : 0U);
  }
}

TEST(JsonWriter, EscapesWhatJsonDemandsAndRepairsWhatIsNoText) {
  EXPECT_EQ(json_string("plain ä 😀"), "\"plain ä 😀\"");
  EXPECT_EQ(json_string("\"\\/"), R"("\"\\/")");
  EXPECT_EQ(json_string("a\n\t\x1f\x7f"), "\"a\\u000a\\u0009\\u001f\x7f\"");
  EXPECT_EQ(json_string(std::string_view{"\0", 1}), R"("\u0000")");
  EXPECT_EQ(json_string("\xFF\xC3(\xE2\x82"),
            R"("??(?)"
            R"(?")");
}

TEST(JsonWriter, AnyBytesBecomeAStringThatReadersTake) {
  std::mt19937 random{7};
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 255 + 1);
    SCOPED_TRACE(testing::PrintToString(bytes));
    EXPECT_EQ(check_json(json_string(bytes)).defect, Defect::none);
    if (HasFailure()) return;
  }
}

TEST(JsonWriter, NumbersAreWrittenWhole) {
  const auto number = [](std::uint32_t value) {
    return written([value](std::span<char> out) {
      JsonWriter json{out};
      json.number(value);
      return json.finish();
    });
  };
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(largest), "4294967295");
}

}  // namespace
}  // namespace otaria::contract
