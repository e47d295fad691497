// The operator's programs as TLS clients, and `otaria cert`, against real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "operator/cert/pem_files.hpp"
#include "operator/cli/testing/broker.hpp"
#include "operator/cli/testing/program.hpp"

namespace otaria::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::Program;
using testing::run;

const std::string otaria = OTARIA_BIN_DIR "/otaria";
const std::string send_ota_update = OTARIA_BIN_DIR "/send_ota_update";
const cert::Validity a_year{.days = 365, .not_before = 0};

class TlsClients : public ::testing::Test {
 protected:
  TlsClients() {
    cert::write_identity(cert::identity_files(folder, "ca"), ca);
    fs::create_directory(file("files"));
  }
  ~TlsClients() override {
    server.reset();
    fs::remove_all(folder);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder + "/" + name; }
  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(port);
  }
  /// firmware_server answers otariad's paths with 404, which is enough to know that TLS held.
  void serve(const cert::Identity& identity) {
    server.reset();
    const cert::IdentityFiles files =
        cert::identity_files(folder, "server" + std::to_string(++servers));
    cert::write_identity(files, identity);
    port = testing::free_port();
    server = std::make_unique<Program>(OTARIA_BIN_DIR "/firmware_server",
                                       std::vector<std::string>{"--address",
                                                                "127.0.0.1",
                                                                "--port",
                                                                std::to_string(port),
                                                                "--certificate",
                                                                files.certificate,
                                                                "--private-key",
                                                                files.key,
                                                                file("files")});
    ASSERT_TRUE(testing::await_listener(port));
  }
  [[nodiscard]] std::string code_from(const std::string& server_url,
                                      const std::string& ca_file) const {
    std::vector<std::string> words{"--json", "--server", server_url, "release", "list"};
    if (!ca_file.empty()) words.insert(words.begin(), {"--ca", ca_file});
    const Outcome outcome = run(otaria, words);
    const json said = json::parse(outcome.out);
    EXPECT_FALSE(said["error"]["hint"].get<std::string>().empty());
    return said["error"]["code"].get<std::string>() + " " + std::to_string(outcome.exit_code);
  }

  const std::string folder = testing::new_folder("tls");
  const cert::Identity ca = cert::make_authority("Test CA", a_year);
  int servers = 0;
  std::uint16_t port = 0;
  std::unique_ptr<Program> server;
};

TEST_F(TlsClients, TrustTheCaTheyAreGivenAndNameWhatIsWrongWithOtherCertificates) {
  serve(cert::issue_server(ca, {"127.0.0.1"}, a_year));
  EXPECT_EQ(code_from(url(), file("ca.pem")), "http_404 3");
  EXPECT_EQ(code_from(url(), ""), "untrusted_certificate 4");  // the system does not know it
  EXPECT_EQ(code_from(url("localhost"), file("ca.pem")), "wrong_host 4");
  EXPECT_EQ(code_from(url(), file("missing.pem")), "no_such_file 2");

  serve(cert::issue_server(cert::make_authority("Test CA", a_year), {"127.0.0.1"}, a_year));
  EXPECT_EQ(code_from(url(), file("ca.pem")), "untrusted_certificate 4");

  const cert::Validity past{.days = 1, .not_before = std::time(nullptr) - std::time_t{3} * 86'400};
  serve(cert::issue_server(ca, {"127.0.0.1"}, past));
  EXPECT_EQ(code_from(url(), file("ca.pem")), "expired_certificate 4");

  const cert::Validity future{.days = 1, .not_before = std::time(nullptr) + 86'400};
  serve(cert::issue_server(ca, {"127.0.0.1"}, future));
  EXPECT_EQ(code_from(url(), file("ca.pem")), "certificate_not_yet_valid 4");

  EXPECT_THAT(code_from("http://127.0.0.1:" + std::to_string(port), ""),
              HasSubstr("https_required 3"));
}

TEST_F(TlsClients, TakeTheCaFromTheEnvironment) {
  serve(cert::issue_server(ca, {"127.0.0.1"}, a_year));
  const Outcome outcome =
      run(otaria, {"--server", url(), "release", "list"}, {{"OTARIA_CA_FILE", file("ca.pem")}});
  EXPECT_THAT(outcome.err, HasSubstr("http_404"));
}

TEST_F(TlsClients, FetchAnImageToHashOnlyFromAServerTheyTrust) {
  serve(cert::issue_server(ca, {"127.0.0.1"}, a_year));
  std::ofstream(file("files/a.bin"), std::ios::binary) << "\xE9" << std::string(5000, 'x');
  const std::vector<std::string> words{"1.4.0",
                                       url() + "/firmware/a.bin",
                                       "--device",
                                       "sensor_A1B2",
                                       "--broker",
                                       "mqtt://127.0.0.1:" + std::to_string(testing::free_port())};
  EXPECT_THAT(run(send_ota_update, words).err, HasSubstr("download_failed"));
  auto trusting = words;
  trusting.insert(trusting.end(), {"--ca", file("ca.pem")});
  EXPECT_THAT(run(send_ota_update, trusting).err, HasSubstr("broker_unreachable"));
}

class TlsBroker : public TlsClients {
 protected:
  Outcome send(const cert::Identity& identity, const std::string& ca_file) {
    const auto files = cert::identity_files(folder, "broker" + std::to_string(++servers));
    cert::write_identity(files, identity);
    const std::string settings = "allow_anonymous true\ncertfile " + files.certificate.string() +
                                 "\nkeyfile " + files.key.string() +
                                 (::geteuid() == 0 ? "\nuser root\n" : "\n");
    const testing::Broker broker(settings);
    std::vector<std::string> words{"1.4.0",
                                   "https://fw.example/a.bin",
                                   "--signature",
                                   std::string(64, 'a'),
                                   "--device",
                                   "sensor_A1B2",
                                   "--broker",
                                   "mqtts://127.0.0.1:" + std::to_string(broker.port())};
    if (!ca_file.empty()) words.insert(words.end(), {"--ca", ca_file});
    return run(send_ota_update, words);
  }
};

TEST_F(TlsBroker, GetsANoticeOnlyWhenItsCertificateHolds) {
  EXPECT_EQ(send(cert::issue_server(ca, {"127.0.0.1"}, a_year), file("ca.pem")).exit_code, 0);
  const cert::Validity past{.days = 1, .not_before = std::time(nullptr) - std::time_t{3} * 86'400};
  for (const auto& wrong :
       {cert::issue_server(cert::make_authority("Test CA", a_year), {"127.0.0.1"}, a_year),
        cert::issue_server(ca, {"broker.example"}, a_year),
        cert::issue_server(ca, {"127.0.0.1"}, past)}) {
    const Outcome refused = send(wrong, file("ca.pem"));
    EXPECT_EQ(refused.exit_code, 4);
    EXPECT_THAT(refused.err, HasSubstr("tls_failed"));
  }
  EXPECT_EQ(send(cert::issue_server(ca, {"127.0.0.1"}, a_year), "").exit_code, 4);
  EXPECT_EQ(send(cert::issue_server(ca, {"127.0.0.1"}, a_year), "/nowhere.pem").exit_code, 2);
}

class CertVerbs : public TlsClients {
 protected:
  static json answer(std::vector<std::string> words, int exit_code) {
    words.insert(words.begin(), {"--json", "cert"});
    const Outcome outcome = run(otaria, words);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.out << outcome.err;
    return json::parse(outcome.out);
  }
};

TEST_F(CertVerbs, MakeACaAndWhatServersAndClientsNeed) {
  const std::string out = file("made");
  const json made = answer({"ca", "--out", out, "--name", "My CA", "--days", "30"}, 0);
  EXPECT_EQ(made["subject"], "CN=My CA");
  EXPECT_EQ(made["certificate"], out + "/ca.pem");
  struct stat about {};
  ASSERT_EQ(::stat((out + "/ca.key").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);

  const json server_made = answer(
      {"server", "--ca", out, "--host", "fw.example", "--host", "127.0.0.1", "--out", out}, 0);
  EXPECT_EQ(server_made["names"], (json{"fw.example", "127.0.0.1"}));
  EXPECT_EQ(server_made["not_after"], made["not_after"]);  // not longer than its CA
  const json client_made =
      answer({"client", "--ca", out, "--name", "a4cf12e0a1b2", "--out", out}, 0);
  EXPECT_EQ(client_made["private_key"], out + "/a4cf12e0a1b2.key");

  const json shown = answer({"show", out + "/server.pem"}, 0);
  EXPECT_EQ(shown["items"][0]["spki_pin"], server_made["spki_pin"]);
  const Outcome for_people = run(otaria, {"cert", "show", out + "/server.pem"});
  EXPECT_THAT(for_people.out, HasSubstr("fw.example, 127.0.0.1"));
  EXPECT_THAT(for_people.out, HasSubstr(server_made["spki_pin"].get<std::string>()));
}

TEST_F(CertVerbs, RefuseWithTheFilesNameAndLeaveEverythingAsItIs) {
  const std::string out = file("made");
  answer({"ca", "--out", out}, 0);
  EXPECT_EQ(answer({"ca", "--out", out}, 3)["error"]["code"], "file_exists");
  EXPECT_EQ(answer({"server", "--ca", file("none"), "--host", "a"}, 2)["error"]["code"],
            "no_such_file");
  EXPECT_EQ(answer({"server", "--ca", out, "--host", "a b", "--out", out}, 2)["error"]["code"],
            "bad_host");
  EXPECT_EQ(answer({"client", "--ca", out, "--name", "../x", "--out", out}, 2)["error"]["code"],
            "bad_name");
  EXPECT_EQ(answer({"show", out + "/ca.key"}, 3)["error"]["code"], "not_a_certificate");
  EXPECT_EQ(answer({"server", "--ca", out}, 2)["error"]["code"], "usage");
  ::chmod((out + "/ca.key").c_str(), 0644);
  EXPECT_EQ(answer({"client", "--ca", out, "--name", "x"}, 2)["error"]["code"], "key_exposed");
  EXPECT_EQ(std::distance(fs::directory_iterator{out}, {}), 2);
}

}  // namespace
}  // namespace otaria::cli
