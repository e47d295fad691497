#include <gmock/gmock.h>

#include <string>

#include "device/agent/testing/bench_device.hpp"

namespace otaria::device::testing {
namespace {

constexpr std::uint32_t life_s = 3600;

/// The server's side of the token exchange, as far as a device can tell.
class TokenService {
 public:
  std::pair<int, std::string> operator()(const std::string& url) {
    if (!answers) return {503, "{}"};
    if (url.ends_with("/nonce")) return {200, R"({"nonce":"bm9uY2U"})"};
    if (refuses) return {403, R"({"code":"unknown_device"})"};
    ++granted;
    return {200,
            R"({"token":"t.o.k)" + std::to_string(granted) + R"(","expires_in":)" +
                std::to_string(life_s) + R"(,"time":1790000000,"id":")" + id + R"(","keys":)" +
                std::to_string(keys) + R"(,"seq":)" + std::to_string(seq) + "}"};
  }
  bool answers = true;
  bool refuses = false;
  int granted = 0;
  std::string id = "sensor_A1B2";
  std::uint32_t keys = 0;
  std::uint32_t seq = 0;
};

class AgentTokenTest : public ::testing::Test {
 protected:
  AgentTokenTest() : device_{{.server = "https://ota.example"}} {
    device_.server.posts = [this](const std::string& url) { return service_(url); };
  }
  std::string offer(const std::string& version, std::uint32_t payload = 60000) {
    return device_.publish(version, BenchDevice::image(version, payload), R"("update":"U1")");
  }

  TokenService service_;
  BenchDevice device_;
};

TEST_F(AgentTokenTest, ConnectsWithATokenOnly) {
  service_.answers = false;
  device_.boot();
  device_.run_for(20'000);
  EXPECT_EQ(device_.broker.connects, 0);
  service_.answers = true;
  ASSERT_TRUE(device_.run_until([&] { return device_.broker.online; }));
  EXPECT_EQ(device_.broker.token, "t.o.k1");
  EXPECT_EQ(device_.broker.id, "sensor_A1B2");
}

TEST_F(AgentTokenTest, ADeviceWithoutAServerUsesNone) {
  BenchDevice plain;
  plain.boot();
  ASSERT_TRUE(plain.run_until([&] { return plain.broker.online; }));
  EXPECT_EQ(plain.broker.token, "");
}

TEST_F(AgentTokenTest, ShowsAFreshTokenBeforeTheOldOneEnds) {
  device_.boot();
  device_.run_for(10'000);
  ASSERT_EQ(device_.broker.connects, 1);
  device_.run_for(std::uint64_t{life_s} * 920);
  EXPECT_EQ(service_.granted, 2);
  EXPECT_EQ(device_.broker.connects, 2);
  EXPECT_EQ(device_.broker.clean_disconnects, 1);
  EXPECT_EQ(device_.broker.token, "t.o.k2");
  EXPECT_TRUE(device_.broker.online);
  // It has said that it goes, and that it is back.
  const auto states = device_.device_states();
  ASSERT_GE(states.size(), 3U);
  EXPECT_EQ(states[states.size() - 2].online, false);
  EXPECT_EQ(states.back().online, true);
}

TEST_F(AgentTokenTest, GoesOnWithItsTokenWhileTheServerIsAway) {
  device_.boot();
  device_.run_for(10'000);
  service_.answers = false;
  device_.run_for(std::uint64_t{life_s} * 950);
  EXPECT_TRUE(device_.broker.online);
  EXPECT_EQ(device_.broker.token, "t.o.k1");
}

TEST_F(AgentTokenTest, ATokenThatTheBrokerRefusesIsReplaced) {
  device_.broker.refuses = true;
  device_.boot();
  ASSERT_TRUE(device_.run_until([&] { return service_.granted >= 2; }, 60'000));
  device_.broker.refuses = false;
  ASSERT_TRUE(device_.run_until([&] { return device_.broker.online; }, 60'000));
}

TEST_F(AgentTokenTest, ARevokedDeviceKeepsWorkingAndAsksRarely) {
  service_.refuses = true;
  device_.boot();
  device_.run_for(3'600'000);
  EXPECT_EQ(device_.broker.connects, 0);
  EXPECT_EQ(device_.running(), "1.3.0");
  EXPECT_LT(device_.server.asked.size(), 120U);
  service_.refuses = false;
  ASSERT_TRUE(device_.run_until([&] { return device_.broker.online; }));
}

TEST_F(AgentTokenTest, AnUpdateIsDoneWithATokenOnEachBoot) {
  device_.boot();
  device_.run_for(5'000);
  device_.broker.offer(offer("1.4.0"));
  ASSERT_TRUE(device_.run_until([&] { return device_.ended(); }));
  EXPECT_EQ(device_.last_status().state, contract::UpdateState::succeeded);
  EXPECT_EQ(device_.running(), "1.4.0");
  EXPECT_EQ(service_.granted, 2);
}

TEST_F(AgentTokenTest, ShowsItsTokenToItsOwnServerOnly) {
  device_.boot();
  device_.run_for(5'000);
  device_.broker.offer(offer("1.4.0"));  // from https://fw.example
  ASSERT_TRUE(device_.run_until([&] { return device_.ended(); }));
  for (const auto& asked : device_.server.asked) EXPECT_EQ(asked.bearer, "") << asked.url;
  const auto image = BenchDevice::image("1.5.0");
  device_.server.files["https://ota.example/firmware/new.bin"] = {image};
  const std::string elsewhere = device_.publish("1.5.0", image, R"("update":"U2")");
  std::string ours = elsewhere;
  const std::size_t begin = ours.find("https://fw.example");
  ours.replace(begin, ours.find('"', begin) - begin, "https://ota.example/firmware/new.bin");
  device_.broker.offer(ours);
  ASSERT_TRUE(device_.run_until([&] { return !device_.states("U2").empty() && device_.ended(); }));
  EXPECT_EQ(device_.running(), "1.5.0");
  bool shown = false;
  for (const auto& asked : device_.server.asked) {
    if (asked.url == "https://ota.example/firmware/new.bin")
      shown = asked.bearer.starts_with("t.o.k");
  }
  EXPECT_TRUE(shown);
}

TEST_F(AgentTokenTest, ATrialWithoutATokenIsATrialWithoutTheBroker) {
  device_.boot();
  device_.run_for(5'000);
  device_.broker.offer(offer("1.4.0"));
  ASSERT_TRUE(device_.run_until([&] { return device_.agent->step() == Step::rebooting; }));
  service_.answers = false;
  ASSERT_TRUE(device_.run_until([&] { return device_.booted.back() == "1.4.0"; }));
  ASSERT_TRUE(device_.run_until([&] { return device_.booted.back() == "1.3.0"; }));
  service_.answers = true;
  ASSERT_TRUE(device_.run_until([&] { return device_.ended(); }));
  EXPECT_EQ(device_.last_status().state, contract::UpdateState::rolled_back);
}

TEST_F(AgentTokenTest, ADownloadComesBeforeARenewal) {
  device_.policy.stall_minimum_bytes = 1;
  device_.boot();
  device_.run_for(5'000);
  device_.server.stalls = true;
  device_.broker.offer(offer("1.4.0"));
  device_.run_for(std::uint64_t{life_s} * 890);
  device_.server.stalls = false;
  ASSERT_TRUE(device_.run_until([&] { return device_.ended(); }));
  EXPECT_TRUE(contract::is_final(device_.last_status().state));
  ASSERT_TRUE(device_.run_until([&] { return device_.broker.online; }));
}

TEST_F(AgentTokenTest, TakesTheIdThatTheServerAssigns) {
  service_.id = "sensor_a4cf12e0a1b2";
  device_.boot();
  ASSERT_TRUE(device_.run_until([&] { return !device_.device_states().empty(); }));
  EXPECT_EQ(device_.broker.id, "sensor_a4cf12e0a1b2");
  EXPECT_EQ(device_.last_state().id, "sensor_a4cf12e0a1b2");
  EXPECT_EQ(device_.agent->ledger().assigned_id(), "sensor_a4cf12e0a1b2");
}

TEST_F(AgentTokenTest, KnowsItsAssignedIdAfterARestartBeforeAnyServerAnswers) {
  service_.id = "sensor_a4cf12e0a1b2";
  device_.boot();
  ASSERT_TRUE(device_.run_until([&] { return device_.broker.online; }));
  device_.token_server.clear();  // as with a password from elsewhere
  device_.cut_power();
  ASSERT_TRUE(device_.run_until([&] { return device_.broker.online; }));
  EXPECT_EQ(device_.broker.id, "sensor_a4cf12e0a1b2");
}

// The topics of a connection, and its will, have the id that it began with.
TEST_F(AgentTokenTest, AnIdThatComesWithARenewalIsUsedFromTheNextConnectionOn) {
  device_.boot();
  device_.run_for(10'000);
  ASSERT_EQ(device_.broker.id, "sensor_A1B2");
  service_.id = "boiler-7";
  ASSERT_TRUE(device_.run_until([&] { return service_.granted == 2; }));
  ASSERT_TRUE(device_.run_until([&] { return device_.broker.connects == 2; }, 60'000));
  EXPECT_EQ(device_.broker.id, "boiler-7");
  const auto states = device_.device_states();
  for (const auto& state : states) {
    if (state.online == false) {
      EXPECT_EQ(state.id, "sensor_A1B2");
    }
  }
  ASSERT_TRUE(device_.run_until([&] { return device_.last_state().id == "boiler-7"; }, 60'000));
}

TEST_F(AgentTokenTest, AnIdThatFlashDoesNotTakeIsNotUsed) {
  service_.id = "sensor_a4cf12e0a1b2";
  device_.boot();
  device_.flash.cut_after(0);
  device_.run_for(10'000);
  EXPECT_EQ(device_.broker.connects, 0);
}

TEST_F(AgentTokenTest, StartsAboveTheSeqThatTheServerKnows) {
  service_.seq = 5000;
  device_.boot();
  ASSERT_TRUE(device_.run_until([&] { return !device_.device_states().empty(); }));
  EXPECT_GT(device_.last_state().seq, 5000U);
}

TEST_F(AgentTokenTest, AServerCannotExhaustTheNumbers) {
  service_.seq = 0xFFFFFFFF;
  device_.boot();
  device_.run_for(10'000);
  EXPECT_EQ(device_.agent->fatal().fault, Fault::none);
  EXPECT_TRUE(device_.broker.online);
}

}  // namespace
}  // namespace otaria::device::testing
