#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "operator/cli/testing/broker.hpp"
#include "operator/cli/testing/program.hpp"

/// `otaria up` with the real Mosquitto. In most tests the server's part is played by a script that
/// answers /readyz, so that they show what `up` does with its children; one runs the real otariad.
namespace otaria::cli {
namespace {

using nlohmann::json;
using testing::free_port;
using ::testing::HasSubstr;
using testing::new_folder;
using testing::Outcome;
using testing::Program;

/// A folder with `otaria` (a copy: programs beside it are found first) and an `otariad` made of a
/// few lines.
class Installation {
 public:
  explicit Installation(const std::string& otariad = answers_ready) : folder_(new_folder("up")) {
    std::filesystem::copy_file(OTARIA_BIN_DIR "/otaria", folder_ + "/otaria");
    const std::string script = folder_ + "/otariad";
    std::ofstream(script) << "#!/usr/bin/python3\n" << otariad;
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  }
  ~Installation() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string otaria() const { return folder_ + "/otaria"; }
  [[nodiscard]] std::string data() const { return folder_ + "/data"; }
  [[nodiscard]] std::vector<std::string> arguments(
      const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"up",
                                 "--data",
                                 data(),
                                 "--mqtt-port",
                                 std::to_string(mqtt),
                                 "--http",
                                 "127.0.0.1:" + std::to_string(http)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::uint16_t mqtt = free_port();
  std::uint16_t http = free_port();
  static constexpr const char* answers_ready =
      "import sys, json, os\n"
      "from http.server import BaseHTTPRequestHandler, HTTPServer\n"
      "options = dict(zip(sys.argv[1::2], sys.argv[2::2]))\n"
      "json.dump(options, open(options['--data'] + '/options.json', 'w'))\n"
      "class Answer(BaseHTTPRequestHandler):\n"
      "    def do_GET(self):\n"
      "        self.send_response(200); self.send_header('Content-Length', '0'); "
      "self.end_headers()\n"
      "address, port = options['--http'].rsplit(':', 1)\n"
      "HTTPServer.allow_reuse_address = True\n"
      "HTTPServer((address, int(port)), Answer).serve_forever()\n";

 private:
  std::string folder_;
};

bool alive(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

bool await_death(pid_t pid) {
  for (int i = 0; i < 1500 && alive(pid); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return !alive(pid);
}

json first_object(Program& program) {
  EXPECT_TRUE(program.await("}\n"));
  return json::parse(program.out(), nullptr, false);
}

/// Occupies a port of the loopback.
class Listener {
 public:
  explicit Listener(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const int yes = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
  }
  ~Listener() { ::close(socket_); }

 private:
  int socket_;
};

TEST(Up, StartsBothSaysWhatToDoNextAndStopsBothOnCtrlC) {
  const Installation place;
  Program program(place.otaria(), place.arguments());
  ASSERT_TRUE(program.await("Otaria is up."));
  ASSERT_TRUE(program.await("Ctrl-C stops it"));
  EXPECT_TRUE(testing::await_listener(place.mqtt));
  EXPECT_TRUE(testing::await_listener(place.http));
  program.signal(SIGINT);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr("otaria --server http://127.0.0.1:" + std::to_string(place.http) +
                        " release publish"));
  EXPECT_THAT(outcome.err, HasSubstr("anonymous"));
  EXPECT_THAT(outcome.err, HasSubstr("Stopped."));
  // Both ports are free again: who listens there can do so now.
  const Listener mqtt(place.mqtt);
  const Listener http(place.http);
}

TEST(Up, WithJsonPrintsOneObjectAndPassesTheServerItsFlags) {
  const Installation place;
  Program program(place.otaria(), place.arguments({"--json", "--public-url", "http://fw.example"}));
  const json object = first_object(program);
  ASSERT_TRUE(object.is_object());
  EXPECT_EQ(object["mqtt"], "mqtt://127.0.0.1:" + std::to_string(place.mqtt));
  program.signal(SIGTERM);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
  std::ifstream file(place.data() + "/server/options.json");
  const json options = json::parse(file);
  EXPECT_EQ(options["--public-url"], "http://fw.example");
  EXPECT_EQ(options["--mqtt"], object["mqtt"]);
  EXPECT_EQ(options["--http"], "127.0.0.1:" + std::to_string(place.http));
}

TEST(Up, WithTheRealServerTakesAReleaseAndShowsIt) {
  const Installation place;
  std::filesystem::remove(std::filesystem::path(place.otaria()).parent_path() / "otariad");
  std::filesystem::create_symlink(OTARIA_BIN_DIR "/otariad",
                                  std::filesystem::path(place.otaria()).parent_path() / "otariad");
  Program program(place.otaria(), place.arguments({"--json"}));
  const json object = first_object(program);
  ASSERT_TRUE(object.is_object());
  const std::string server = object["server"];
  const Program::Environment environment{{"OTARIA_TOKEN_FILE", object["token_file"]}};
  const std::string image = place.data() + "/a.bin";
  ASSERT_EQ(testing::run(place.otaria(), {"image", "make", image, "--version", "1.4.0"}).exit_code,
            0);
  ASSERT_EQ(
      testing::run(place.otaria(), {"--server", server, "release", "publish", image}, environment)
          .exit_code,
      0);
  const Outcome again =
      testing::run(place.otaria(), {"--server", server, "release", "publish", image}, environment);
  EXPECT_THAT(again.out, HasSubstr("was there already"));
  EXPECT_THAT(
      testing::run(place.otaria(), {"--server", server, "release", "list"}, environment).out,
      HasSubstr("1.4.0"));
  const Outcome unknown = testing::run(
      place.otaria(),
      {"--server", server, "--json", "update", "send", "sensor_A1B2", "--release", "1.4.0"},
      environment);
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_EQ(json::parse(unknown.out)["error"]["code"], "unknown_device");
  const Outcome nobody = testing::run(place.otaria(), {"--server", server, "release", "list"});
  EXPECT_EQ(nobody.exit_code, 0) << "a bench asks for no token";
  EXPECT_THAT(nobody.out, HasSubstr("1.4.0"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.finish().exit_code, 0);
}

TEST(Up, StartsAChildAgainThatDies) {
  const Installation place;
  Program program(place.otaria(), place.arguments({"--json"}));
  const json object = first_object(program);
  ASSERT_TRUE(object.is_object());
  ::kill(object["pids"]["mosquitto"].get<pid_t>(), SIGKILL);
  ASSERT_TRUE(program.await("mosquitto ended (signal 9"));
  ASSERT_TRUE(program.await("mosquitto started again."));
  EXPECT_TRUE(testing::await_listener(place.mqtt));
  program.signal(SIGTERM);
  EXPECT_EQ(program.finish().exit_code, 0);
}

TEST(Up, LeavesNoOrphansEvenWhenItIsKilled) {
  const Installation place;
  Program program(place.otaria(), place.arguments({"--json"}));
  const json object = first_object(program);
  ASSERT_TRUE(object.is_object());
  program.signal(SIGKILL);
  EXPECT_TRUE(await_death(object["pids"]["mosquitto"].get<pid_t>()));
  EXPECT_TRUE(await_death(object["pids"]["otariad"].get<pid_t>()));
}

TEST(Up, KeepsRetainedMessagesOverARestart) {
  const Installation place;
  const auto once = [&](const std::vector<std::string>& command) {
    Program program(place.otaria(), place.arguments({"--json"}));
    first_object(program);
    const Outcome outcome = testing::run("/usr/bin/env", command);
    program.signal(SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 0);
    return outcome.out;
  };
  const std::string port = std::to_string(place.mqtt);
  once({"mosquitto_pub",
        "-h",
        "127.0.0.1",
        "-p",
        port,
        "-t",
        "sensor_A1B2/firmware/update",
        "-q",
        "1",
        "-r",
        "-m",
        "kept"});
  EXPECT_EQ(once({"mosquitto_sub",
                  "-h",
                  "127.0.0.1",
                  "-p",
                  port,
                  "-t",
                  "+/firmware/update",
                  "-C",
                  "1",
                  "-W",
                  "5"}),
            "kept\n");
}

TEST(Up, APortInUseIsSaidBeforeAnythingStarts) {
  const Installation place;
  for (const bool broker : {true, false}) {
    const std::uint16_t port = broker ? place.mqtt : place.http;
    const Listener occupied(port);
    const Outcome outcome = testing::run(place.otaria(), place.arguments());
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("127.0.0.1:" + std::to_string(port)));
    EXPECT_THAT(outcome.err, HasSubstr(broker ? "--mqtt-port" : "--http"));
    EXPECT_FALSE(std::filesystem::exists(place.data() + "/mosquitto.log"));
    EXPECT_FALSE(std::filesystem::exists(place.data() + "/otariad.log"));
  }
}

TEST(Up, ASecondOneOverTheSameDataIsRefused) {
  const Installation place;
  Program program(place.otaria(), place.arguments({"--json"}));
  first_object(program);
  const Outcome second = testing::run(place.otaria(),
                                      {"up",
                                       "--data",
                                       place.data(),
                                       "--mqtt-port",
                                       std::to_string(free_port()),
                                       "--http",
                                       "127.0.0.1:" + std::to_string(free_port())});
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, HasSubstr("already_up"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.finish().exit_code, 0);
}

TEST(Up, AServerThatEndsAtOnceIsShownWithItsLastWords) {
  const Installation place(
      "import sys\nprint('no such table: releases', file=sys.stderr)\nsys.exit(7)\n");
  const Outcome outcome = testing::run(place.otaria(), place.arguments());
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("exit code 7"));
  EXPECT_THAT(outcome.err, HasSubstr("no such table: releases"));
  const Listener free_again(place.mqtt);  // the broker did not stay behind
}

TEST(Up, ListeningBeyondThisMachineIsWarnedOf) {
  const Installation place;
  Program program(place.otaria(),
                  {"up",
                   "--data",
                   place.data(),
                   "--mqtt-port",
                   std::to_string(place.mqtt),
                   "--bind",
                   "0.0.0.0",
                   "--http",
                   "0.0.0.0:" + std::to_string(place.http)});
  ASSERT_TRUE(program.await("beyond this machine"));
  ASSERT_TRUE(program.await("Otaria is up."));
  program.signal(SIGINT);
  EXPECT_EQ(program.finish().exit_code, 0);
}

}  // namespace
}  // namespace otaria::cli
