// The link against a real Mosquitto that speaks TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <fstream>

#include "operator/cert/pem_files.hpp"
#include "server/broker/mqtt_link.hpp"
#include "server/broker/testing/child_process.hpp"
#include "server/broker/testing/temporary_store.hpp"

namespace otaria::server {
namespace {

using testing::comes_true;
using ::testing::HasSubstr;

const cert::Validity a_year{.days = 365, .not_before = 0};

class TlsLink : public ::testing::Test {
 protected:
  TlsLink() {
    cert::write_identity(files("ca"), ca);
    cert::write_identity(files("device"), cert::issue_client(ca, "otariad-1", a_year));
  }
  [[nodiscard]] cert::IdentityFiles files(const std::string& name) const {
    return cert::identity_files(directory.directory(), name);
  }
  void start_broker(const cert::Identity& identity, bool require_certificate = false) {
    broker.reset();
    const auto [certificate, key] = files("broker" + std::to_string(++brokers));
    cert::write_identity({certificate, key}, identity);
    const std::string path = directory.directory() / "mosquitto.conf";
    port = testing::free_port();
    std::ofstream configuration{path};
    configuration << "listener " << port << " 127.0.0.1\nallow_anonymous true\ncertfile "
                  << certificate.string() << "\nkeyfile " << key.string() << "\n";
    if (require_certificate) {
      configuration << "cafile " << files("ca").certificate.string()
                    << "\nrequire_certificate true\n";
    }
    // Started by root it changes to a user that cannot read these keys.
    if (geteuid() == 0) configuration << "user root\n";
    configuration.close();
    broker = std::make_unique<testing::Mosquitto>(directory.directory(), port, path);
  }
  [[nodiscard]] MqttConfig config() const {
    MqttConfig values;
    values.url = parse_broker_url("mqtts://127.0.0.1:" + std::to_string(port)).value();
    values.ca_file = files("ca").certificate;
    values.reconnect_first_ms = 20;
    values.reconnect_limit_ms = 50;
    return values;
  }
  /// Refusals are known by the broker's log: the link itself keeps trying.
  bool connects(const MqttConfig& values) {
    std::atomic<bool> connected{false};
    MqttLink::Events events;
    events.on_connected = [&] { connected = true; };
    events.on_lost = [] {};
    events.on_message = [](std::string_view, std::string_view, bool) {};
    events.on_published = [](int) {};
    MqttLink link{values, events};
    const std::size_t before = tls_errors();
    link.start();
    comes_true([&] { return connected || tls_errors() > before + 2; });
    return connected;
  }
  [[nodiscard]] std::size_t tls_errors() const {
    std::ifstream log{directory.directory() / "mosquitto.log"};
    std::size_t count = 0;
    for (std::string line; std::getline(log, line);) {
      if (line.find("OpenSSL Error") != std::string::npos ||
          line.find("protocol error") != std::string::npos ||
          line.find("closed its connection") != std::string::npos)
        ++count;
    }
    return count;
  }
  static cert::Identity for_loopback(const cert::Identity& authority,
                                     const cert::Validity& validity = a_year) {
    return cert::issue_server(authority, {"127.0.0.1"}, validity);
  }

  testing::TemporaryStore directory;
  const cert::Identity ca = cert::make_authority("Test CA", a_year);
  int port = 8883;
  int brokers = 0;
  std::unique_ptr<testing::Mosquitto> broker;
};

TEST_F(TlsLink, ConnectsToABrokerWhoseCertificateHolds) {
  start_broker(for_loopback(ca));
  EXPECT_TRUE(connects(config()));
}

TEST_F(TlsLink, ConnectsToNoBrokerWhoseCertificateDoesNotHold) {
  const cert::Validity past{.days = 1, .not_before = std::time(nullptr) - std::time_t{3} * 86'400};
  for (const cert::Identity& wrong :
       {for_loopback(cert::make_authority("Test CA", a_year)),  // another CA of that name
        cert::issue_server(ca, {"broker.example"}, a_year),     // another host
        for_loopback(ca, past),                                 // expired
        cert::issue_client(ca, "127.0.0.1", a_year)}) {         // no server's
    start_broker(wrong);
    EXPECT_FALSE(connects(config()));
  }
}

TEST_F(TlsLink, ShowsItsCertificateToABrokerThatAsksForOne) {
  start_broker(for_loopback(ca), true);
  EXPECT_FALSE(connects(config()));
  MqttConfig values = config();
  values.certificate = files("device").certificate;
  values.private_key = files("device").key;
  EXPECT_TRUE(connects(values));
}

TEST_F(TlsLink, DoesNotStartWithAKeyThatOthersMayRead) {
  MqttConfig values = config();
  values.certificate = files("device").certificate;
  values.private_key = files("device").key;
  ::chmod(values.private_key.c_str(), 0640);
  try {
    MqttLink{values, {}}.start();
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("chmod 600 " + values.private_key));
  }
  values.private_key = "/nonexistent.key";
  EXPECT_THROW((MqttLink{values, {}}.start()), std::runtime_error);
}

}  // namespace
}  // namespace otaria::server
