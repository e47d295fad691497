// `otaria device import|claim|suspend|…` and `otaria issuer …`: what is sent, what is shown, which
// exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "operator/cli/testing/fake_server.hpp"
#include "operator/cli/testing/program.hpp"

namespace otaria::cli {
namespace {

using nlohmann::json;
using testing::FakeServer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;

class IdentityVerbs : public ::testing::Test {
 protected:
  IdentityVerbs()
      : server_{[this](const FakeServer::Seen& seen) {
          const auto found = replies_.find(seen.method + " " + seen.target);
          return found == replies_.end() ? FakeServer::problem(404, "not_found", "nothing here", "")
                                         : found->second;
        }},
        file_{::testing::TempDir() + "identity-" + std::to_string(::getpid())} {}
  ~IdentityVerbs() override { std::filesystem::remove(file_); }

  void answer(const std::string& request, const json& body, int status = 200) {
    replies_[request] = FakeServer::json(body, status);
  }
  Outcome otaria(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--server", server_.url()});
    return testing::run(OTARIA_BIN_DIR "/otaria", std::move(arguments));
  }
  json last_body() { return json::parse(server_.seen().back().body); }

  std::map<std::string, FakeServer::Reply> replies_;
  FakeServer server_;
  const std::string file_;
};

TEST_F(IdentityVerbs, ImportSendsTheFileAsItIsAndTellsTheFigures) {
  std::ofstream(file_) << "mac,public_key\na4cf12e0a1b2,K\n";
  answer("POST /api/v1/devices/import", {{"created", 1}, {"unchanged", 2}});
  const Outcome outcome = otaria({"device", "import", file_});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Registered 1 devices; 2 were"));
  EXPECT_EQ(server_.seen().back().body, "mac,public_key\na4cf12e0a1b2,K\n");
}

TEST_F(IdentityVerbs, ARefusedImportExitsWith3AndTheServersWords) {
  std::ofstream(file_) << "x";
  replies_["POST /api/v1/devices/import"] =
      FakeServer::problem(422, "import_refused", "line 3: no key", "correct it");
  const Outcome outcome = otaria({"device", "import", file_});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("line 3: no key"));
  EXPECT_EQ(otaria({"device", "import", "/nowhere.csv"}).exit_code, 2);
}

TEST_F(IdentityVerbs, ClaimTellsMacsFromIdsAndShowsTheCodes) {
  answer(
      "POST /api/v1/claims",
      {{"items",
        {{{"mac", "a4cf12e0a1b2"}, {"id", "sensor_A1B2"}, {"claim", "01JD8Z6T9K3M5Q7S9V1X3Z5B7D"}},
         {{"mac", nullptr}, {"id", "boiler"}, {"claim", "71JD8Z6T9K3M5Q7S9V1X3Z5B7D"}}}}},
      201);
  const Outcome outcome =
      otaria({"device", "claim", "a4cf12e0a1b2", "boiler", "--product", "sensor"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("01JD8Z6T9K3M5Q7S9V1X3Z5B7D"));
  EXPECT_EQ(last_body()["devices"],
            json({{{"mac", "a4cf12e0a1b2"}, {"product", "sensor"}},
                  {{"id", "boiler"}, {"product", "sensor"}}}));
}

TEST_F(IdentityVerbs, EachStateVerbAsksForItsState) {
  for (const auto& [verb, state] : {std::pair{"activate", "active"},
                                    std::pair{"suspend", "suspended"},
                                    std::pair{"revoke", "revoked"},
                                    std::pair{"retire", "retired"}}) {
    answer("POST /api/v1/devices/sensor_A1B2/state", {{"id", "sensor_A1B2"}, {"state", state}});
    const Outcome outcome = otaria({"device", verb, "sensor_A1B2", "--reason", "lost"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(std::string{"sensor_A1B2 is "} + state));
    EXPECT_EQ(last_body(), json({{"state", state}, {"reason", "lost"}}));
  }
}

TEST_F(IdentityVerbs, ATokenGoesIntoAFileOfItsOwnerAloneAndIsNotShown) {
  answer("POST /api/v1/broker-tokens", {{"token", "a.b.c"}, {"expires_in", 86400}}, 201);
  const Outcome outcome = otaria({"issuer", "token", "monitor-lab", "--out", file_});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("a.b.c")));
  struct stat about {};
  ASSERT_EQ(stat(file_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  std::stringstream text;
  text << std::ifstream(file_).rdbuf();
  EXPECT_EQ(text.str(), "a.b.c\n");
  EXPECT_EQ(otaria({"issuer", "token", "monitor-lab"}).out, "a.b.c\n");
  EXPECT_EQ(otaria({"issuer", "token", "monitor-lab", "--out", "/nowhere/x"}).exit_code, 2);
}

TEST_F(IdentityVerbs, RotateAsksForALeadOnlyWhenOneIsGiven) {
  answer("POST /api/v1/issuer/rotate",
         {{"kid", "abc"}, {"state", "announced"}, {"use_from", 1790000000}},
         201);
  EXPECT_EQ(otaria({"issuer", "rotate"}).exit_code, 0);
  EXPECT_EQ(last_body(), json({{"withdraw_old", false}}));
  EXPECT_EQ(otaria({"issuer", "rotate", "--lead", "0"}).exit_code, 0);
  EXPECT_EQ(last_body()["lead"], 0);
  EXPECT_THAT(otaria({"issuer", "rotate", "--withdraw-old"}).out, HasSubstr("worth nothing"));
  EXPECT_EQ(last_body()["withdraw_old"], true);
  EXPECT_EQ(otaria({"issuer", "rotate", "--lead", "-1"}).exit_code, 2);
}

TEST_F(IdentityVerbs, WithJsonEachPrintsTheServersObject) {
  answer("GET /api/v1/issuer",
         {{"items", {{{"kid", "abc"}, {"state", "signs"}, {"created_at", 1}, {"use_from", 1}}}},
          {"next", nullptr}});
  const Outcome outcome = otaria({"--json", "issuer", "show"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(json::parse(outcome.out)["items"][0]["kid"], "abc");
  EXPECT_THAT(otaria({"issuer", "show"}).out, HasSubstr("signs"));
}

}  // namespace
}  // namespace otaria::cli
