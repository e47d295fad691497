#include "simulator/device/virtual_device.hpp"

#include <gmock/gmock.h>
#include <mosquitto.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "device/agent/testing/signing_desk.hpp"
#include "device/verify/golden_image.hpp"
#include "simulator/chip/inspection.hpp"
#include "simulator/chip/provision.hpp"
#include "simulator/chip/temporary_folder.hpp"
#include "simulator/net/test_support/test_broker.hpp"
#include "simulator/net/test_support/test_http_server.hpp"

namespace otaria::simulator {
namespace {

using device::Bytes;
using testing::HasSubstr;
using testing::Not;

/// The golden image with another version in its descriptor.
Bytes image_of(std::string_view version) {
  Bytes image = device::golden_image();
  std::fill_n(image.begin() + 0x20 + 16, 32, std::uint8_t{0});
  device::put_text(image, 0x20 + 16, version);
  device::reseal(image, device::golden_digest_at);
  return image;
}

std::string hex(const contract::Digest& digest) {
  const auto text = contract::hex_of(digest);
  return {text.data(), text.size()};
}

/// One device, a real broker and a server with the image of 1.4.0; the device runs 1.3.0.
class VirtualDeviceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(device::init_crypto());
    mosquitto_lib_init();
  }
  void SetUp() override {
    make({.id = "sensor_A1B2", .development = true}, "");
    options_.broker = {.host = "127.0.0.1", .port = broker_.port(), .tls = false};
    options_.run_for = std::chrono::seconds{60};  // ends only a test that has failed
    options_.seed = 1;
    options_.telemetry = std::chrono::seconds{0};
    options_.policy.reconnect_first_ms = 50;
    options_.policy.reconnect_limit_ms = 200;
    options_.policy.retry_first_ms = 20;
    options_.policy.retry_limit_ms = 100;
  }

  void make(const IdentityWish& wish, const std::string& key_list) {
    provision(flash_,
              image_of("1.3.0"),
              {.identity = make_identity(wish, flash_.size(), 1), .key_list = key_list});
  }
  void publish(const std::string& topic, const std::string& payload) {
    mosquitto* client = mosquitto_new(nullptr, true, nullptr);
    bool sent = false;
    mosquitto_user_data_set(client, &sent);
    mosquitto_publish_callback_set(
        client, [](mosquitto*, void* done, int) { *static_cast<bool*>(done) = true; });
    ASSERT_EQ(mosquitto_connect(client, "127.0.0.1", broker_.port(), 60), MOSQ_ERR_SUCCESS);
    mosquitto_publish(
        client, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1, true);
    while (!sent && mosquitto_loop(client, 100, 1) == MOSQ_ERR_SUCCESS) {
    }
    mosquitto_destroy(client);
    ASSERT_TRUE(sent);
  }
  void offer(std::string_view version, const std::string& more = "") {
    publish("sensor_A1B2/firmware/update",
            "{\"version\":\"" + std::string{version} + "\",\"url\":\"" + server_.url("/new.bin") +
                "\",\"signature\":\"" + hex(device::sha256_of(new_image_)) +
                "\",\"update\":\"first\"" + more + "}");
  }
  VirtualDevice::End run(std::initializer_list<std::string_view> faults = {}) {
    FaultPlan plan;
    for (std::string_view fault : faults) add_fault(plan, fault);
    EventLog log{folder_ / "log"};
    VirtualDevice device{flash_, options_, plan, log};
    return device.run(stop_);
  }
  /// Switches the device off once its log has the text: it cannot know that this is the test's end.
  VirtualDevice::End run_until(const std::string& text,
                               std::initializer_list<std::string_view> faults = {}) {
    std::thread watch{[&] {
      while (log().find(text) == std::string::npos && !stop_) {
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
      }
      stop_ = true;
    }};
    const auto end = run(faults);
    stop_ = true;
    watch.join();
    stop_ = false;
    return end;
  }
  std::string log() {
    std::ifstream in{folder_ / "log"};
    return (std::ostringstream{} << in.rdbuf()).str();
  }
  std::string version_in_flash() {
    const DeviceInspection found = inspect_device(flash_);
    return found.slots.at(found.next.slot).version + (found.confirmed ? " confirmed" : "");
  }

  TemporaryFolder folder_;
  TestBroker broker_;
  Bytes new_image_ = image_of("1.4.0");
  TestHttpServer server_{[this](const std::string& head) { return answer(head); }};
  VirtualFlash flash_ = VirtualFlash::in_memory(8 * VirtualFlash::megabyte);
  DeviceOptions options_;
  std::atomic<bool> stop_{false};
  std::string manifest_;

 private:
  [[nodiscard]] TestHttpServer::Answer answer(const std::string& head) const {
    if (head.starts_with("GET /manifests/")) {
      return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(manifest_.size()) +
                  "\r\n\r\n" + manifest_,
              false};
    }
    std::size_t from = 0;
    if (const auto at = head.find("Range: bytes="); at != std::string::npos)
      from = std::stoul(head.substr(at + 13));
    const std::string all{new_image_.begin(), new_image_.end()};
    const std::string body = all.substr(from);
    std::string response = from == 0 ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 206 Partial Content\r\n";
    if (from != 0) {
      response += "Content-Range: bytes " + std::to_string(from) + "-" +
                  std::to_string(all.size() - 1) + "/" + std::to_string(all.size()) + "\r\n";
    }
    response += "ETag: \"e\"\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return {response, false};
  }
};

TEST_F(VirtualDeviceTest, TakesAnUpdateFromTheRetainedNoticeToItsConfirmation) {
  offer("1.4.0");
  options_.exit_when_confirmed = "1.4.0";
  EXPECT_EQ(run(), VirtualDevice::End::confirmed) << log();
  EXPECT_EQ(version_in_flash(), "1.4.0 confirmed");
  EXPECT_EQ(flash_.counters().forbidden_bits, 0u) << "the agent broke a rule of the flash";
  EXPECT_THAT(log(), HasSubstr("reset reason software"));
}

TEST_F(VirtualDeviceTest, WithItsVersionAlreadyConfirmedItLeavesAtOnce) {
  options_.exit_when_confirmed = "1.3.0";
  EXPECT_EQ(run(), VirtualDevice::End::confirmed) << log();
}

TEST_F(VirtualDeviceTest, SwitchedOffItEnds) {
  stop_ = true;
  EXPECT_EQ(run(), VirtualDevice::End::switched_off);
}

TEST_F(VirtualDeviceTest, TheTimeAllowedEndsIt) {
  options_.run_for = std::chrono::seconds{0};
  EXPECT_EQ(run(), VirtualDevice::End::time_over);
}

TEST_F(VirtualDeviceTest, AnErasedFlashIsUnusable) {
  flash_ = VirtualFlash::in_memory(8 * VirtualFlash::megabyte);
  EXPECT_EQ(run(), VirtualDevice::End::unusable);
  EXPECT_THAT(log(), HasSubstr("no partition table"));
}

/// A new image that fails in some way, and the reset its return is seen by.
struct Failure {
  const char* fault;
  const char* logged;
  std::uint32_t trial_timeout_s =
      60;  ///< longer than any machine takes, but where it is the failure
};
class FailingTrial : public VirtualDeviceTest, public testing::WithParamInterface<Failure> {};

TEST_P(FailingTrial, EndsOnTheOldVersionAndSaysSo) {
  offer("1.4.0");
  options_.watchdog = std::chrono::milliseconds{100};
  options_.policy.trial_timeout_s = GetParam().trial_timeout_s;
  const auto end = run_until("\"state\":\"rolled_back\"", {GetParam().fault});
  EXPECT_EQ(end, VirtualDevice::End::switched_off) << log();
  EXPECT_EQ(version_in_flash(), "1.3.0 confirmed");
  EXPECT_THAT(log(), HasSubstr(GetParam().logged));
  EXPECT_THAT(log(), Not(HasSubstr("\"state\":\"succeeded\"")));
}

INSTANTIATE_TEST_SUITE_P(Faults,
                         FailingTrial,
                         testing::Values(Failure{"crash-on-boot=1.4.0", "reset reason panic"},
                                         Failure{"hang-on-boot=1.4.0",
                                                 "reset reason task_watchdog"},
                                         Failure{"crash-in-trial=1.4.0", "reset reason panic"},
                                         Failure{"self-test-fail=1.4.0", "self_test_failed"},
                                         Failure{"no-network-in-trial=1.4.0", "trial_timeout", 2}));

TEST_F(VirtualDeviceTest, APowerCutAtAByteOfTheDownloadIsSurvived) {
  offer("1.4.0");
  options_.exit_when_confirmed = "1.4.0";
  EXPECT_EQ(run({"power-cut-at-bytes=300"}), VirtualDevice::End::confirmed) << log();
  EXPECT_THAT(log(), HasSubstr("power cut at byte 300"));
  EXPECT_EQ(version_in_flash(), "1.4.0 confirmed");
}

TEST_F(VirtualDeviceTest, APowerCutInAFlashOperationRestartsTheChip) {
  offer("1.4.0");
  options_.exit_when_confirmed = "1.4.0";
  EXPECT_EQ(run({"power-cut-after=20"}), VirtualDevice::End::confirmed) << log();
  EXPECT_EQ(flash_.counters().power_cuts, 1u);
  EXPECT_THAT(log(), HasSubstr("lost its power"));
}

TEST_F(VirtualDeviceTest, AVetoDelaysTheDownloadAndTheRestart) {
  offer("1.4.0");
  options_.exit_when_confirmed = "1.4.0";
  EXPECT_EQ(run({"veto-download=0.2", "veto-reboot=0.2"}), VirtualDevice::End::confirmed) << log();
  EXPECT_THAT(log(), HasSubstr("\"state\":\"waiting\""));
}

TEST_F(VirtualDeviceTest, WithoutAClockNoStatusNamesATime) {
  offer("1.4.0");
  options_.exit_when_confirmed = "1.4.0";
  EXPECT_EQ(run({"clock=unset"}), VirtualDevice::End::confirmed) << log();
  EXPECT_THAT(log(), Not(HasSubstr("\"at\":")));
}

/// A device for the field, but for its network: what it may install is another matter.
class ProductionDeviceTest : public VirtualDeviceTest {
 protected:
  void SetUp() override {
    VirtualDeviceTest::SetUp();
    flash_ = VirtualFlash::in_memory(8 * VirtualFlash::megabyte);
    make({.id = "sensor_A1B2", .plain_http = true}, desk_.key_list({}));
  }
  void offer_signed(const device::testing::ManifestWish& wish) {
    manifest_ = desk_.manifest(wish, new_image_);
    offer("1.4.0", ",\"manifest\":\"" + server_.url("/manifests/" + wish.release + ".jws") + "\"");
  }

  device::testing::SigningDesk desk_;
};

TEST_F(ProductionDeviceTest, InstallsASignedReleaseAndRemembersItsCounter) {
  offer_signed({.security_counter = 6});
  options_.exit_when_confirmed = "1.4.0";
  EXPECT_EQ(run(), VirtualDevice::End::confirmed) << log();
  EXPECT_EQ(version_in_flash(), "1.4.0 confirmed");
  EXPECT_EQ(inspect_device(flash_).security_counter, 6u);
  EXPECT_EQ(inspect_device(flash_).keys, 1u);
  EXPECT_THAT(log(), HasSubstr("\"mode\":\"production\""));
  EXPECT_EQ(flash_.counters().forbidden_bits, 0u) << "the agent broke a rule of the flash";
}

TEST_F(ProductionDeviceTest, RefusesWhatAnotherKeySigned) {
  offer_signed({.signed_by = {1}});
  options_.policy.retries_without_progress = 1;
  EXPECT_EQ(run_until("unknown_key"), VirtualDevice::End::switched_off) << log();
  options_.run_for = std::chrono::seconds{2};  // the notice is there again, and judged no better
  EXPECT_EQ(run(), VirtualDevice::End::time_over) << log();
  EXPECT_EQ(version_in_flash(), "1.3.0 confirmed");
}

TEST_F(VirtualDeviceTest, TheControlFileIsObeyed) {
  options_.control = folder_ / "control";
  std::ofstream{options_.control} << "crash\nexplode\npower-cut\n";
  EXPECT_EQ(run_until("lost its power"), VirtualDevice::End::switched_off) << log();
  EXPECT_THAT(log(), HasSubstr("there is no fault 'explode'"));
  EXPECT_THAT(log(), HasSubstr("lost its power"));
}

}  // namespace
}  // namespace otaria::simulator
