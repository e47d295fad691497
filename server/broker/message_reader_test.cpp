#include "server/broker/message_reader.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

constexpr std::string_view good_status =
    R"({"id":"sensor_A1B2","version":"1.3.0","update":"U1","state":"failed","seq":7,)"
    R"("error":{"code":"digest_mismatch","detail":"d","hint":"h"}})";

TEST(MessageReader, ReadsAStatus) {
  const Report report = read_message("sensor_A1B2/ota/status", good_status, false);
  const auto* status = std::get_if<StatusReport>(&report);
  ASSERT_NE(status, nullptr);
  EXPECT_EQ(status->update, "U1");
  EXPECT_EQ(status->error->code, "digest_mismatch");
  EXPECT_EQ(status->seq, 7u);
}

TEST(MessageReader, ReadsAStateAndAWill) {
  const Report state = read_message(
      "a/ota/state",
      R"({"id":"a","mac":"a4cf12e0a1b2","online":true,"session":5,"seq":9,"seq_reset":true,)"
      R"("last":{"update":"U1","target":"1.4.0","state":"succeeded","seq":8}})",
      true);
  const auto* full = std::get_if<StateReport>(&state);
  ASSERT_NE(full, nullptr);
  EXPECT_FALSE(full->is_presence());
  EXPECT_TRUE(full->seq_reset);
  EXPECT_TRUE(full->retained);
  EXPECT_EQ(full->last->update, "U1");
  const Report will = read_message(
      "a/ota/state", R"({"id":"a","version":"1.3.0","online":false,"session":5})", false);
  ASSERT_NE(std::get_if<StateReport>(&will), nullptr);
  EXPECT_TRUE(std::get<StateReport>(will).is_presence());
}

TEST(MessageReader, RefusesAnIdThatIsNotTheTopics) {
  EXPECT_TRUE(std::holds_alternative<BadMessage>(
      read_message("sensor_FFFF/ota/status", good_status, false)));
  EXPECT_TRUE(std::holds_alternative<BadMessage>(
      read_message("b/ota/state", R"({"id":"a","online":false,"session":5})", false)));
}

TEST(MessageReader, NamesWhatIsWrongAndNeverThrows) {
  const std::string deep(3000, '[');
  const std::string binary{"\x00\xff\x80{", 4};
  for (const std::string& payload : {std::string{},
                                     std::string{"{"},
                                     std::string{"[]"},
                                     std::string{"null"},
                                     deep,
                                     binary,
                                     std::string{R"({"id":"sensor_A1B2"})"},
                                     std::string{R"({"id":1,"version":2})"},
                                     std::string{good_status.substr(0, 60)}}) {
    const Report report = read_message("sensor_A1B2/ota/status", payload, false);
    ASSERT_TRUE(std::holds_alternative<BadMessage>(report)) << payload;
    EXPECT_FALSE(std::get<BadMessage>(report).reason.empty());
  }
  for (const char* topic :
       {"", "/ota/status", "a b/ota/status", "a/ota/other", "a/b/ota/state", "a"}) {
    EXPECT_TRUE(std::holds_alternative<BadMessage>(read_message(topic, good_status, false)))
        << topic;
  }
  EXPECT_TRUE(
      std::holds_alternative<BadMessage>(read_message("a/ota/state", R"({"id":"a"})", false)));
}

}  // namespace
}  // namespace otaria::server
