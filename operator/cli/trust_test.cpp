#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/judgement.hpp"
#include "operator/cli/testing/fake_server.hpp"
#include "operator/cli/testing/program.hpp"
#include "operator/keys/testing/soft_hsm.hpp"

/// `otaria key`, `otaria keylist` and signed releases as an operator meets them: the program, real
/// key files and tokens, and a server that keeps what it is given.
namespace otaria::cli {
namespace {

using keys::testing::new_folder;
using keys::testing::SoftHsm;
using keys::testing::write_file;
using nlohmann::json;
using testing::FakeServer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;

const std::string otaria = OTARIA_BIN_DIR "/otaria";
constexpr const char* passphrase = "correct horse battery staple";

std::string content_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// What the trust verbs ask of otariad.
class TrustServer {
 public:
  TrustServer() : server_([this](const FakeServer::Seen& seen) { return answer(seen); }) {}
  [[nodiscard]] FakeServer& server() { return server_; }
  void set_lists(std::map<unsigned, std::string> lists) {
    const std::lock_guard lock(mutex_);
    lists_ = std::move(lists);
  }
  void set_devices(json devices) {
    const std::lock_guard lock(mutex_);
    devices_ = std::move(devices);
  }
  void set_releases(json releases) {
    const std::lock_guard lock(mutex_);
    releases_ = std::move(releases);
  }

 private:
  FakeServer::Reply answer(const FakeServer::Seen& seen) {
    const std::lock_guard lock(mutex_);
    if (seen.target == "/keys.jws" && !lists_.empty())
      return {200, lists_.rbegin()->second, "application/jose"};
    if (seen.target.starts_with("/keys/")) {
      const auto list = lists_.find(static_cast<unsigned>(std::stoul(seen.target.substr(6))));
      if (list != lists_.end()) return {200, list->second, "application/jose"};
    }
    if (seen.target == "/api/v1/keylist" && seen.method == "PUT")
      return FakeServer::json({{"serial", lists_.size() + 1}}, 201);
    if (seen.target.starts_with("/api/v1/devices"))
      return FakeServer::json({{"items", devices_}, {"next", nullptr}});
    if (seen.target.starts_with("/api/v1/releases") && seen.method == "POST")
      return FakeServer::json({{"id", "01JD8Z6M5V3T4R2Q1P0N9M8K7J"}, {"size", 262144}}, 201);
    if (seen.target.starts_with("/api/v1/releases"))
      return FakeServer::json({{"items", releases_}, {"next", nullptr}});
    return FakeServer::problem(404, "not_found", "There is nothing here.", "");
  }

  std::mutex mutex_;
  std::map<unsigned, std::string> lists_;
  json devices_ = json::array();
  json releases_ = json::array();
  FakeServer server_;
};

class Trust : public ::testing::Test {
 protected:
  std::string folder_ = new_folder("trust");
  TrustServer server_;

  [[nodiscard]] std::string at(const std::string& name) const { return folder_ + "/" + name; }
  Outcome run(std::vector<std::string> arguments, testing::Program::Environment more = {}) {
    more.emplace("OTARIA_KEY_PASSPHRASE", passphrase);
    more.emplace("OTARIA_SERVER", server_.server().url());
    return testing::run(otaria, std::move(arguments), std::move(more));
  }
  json run_json(std::vector<std::string> arguments, int exit_code = 0) {
    arguments.emplace_back("--json");
    const Outcome outcome = run(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.out << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }
  std::string code_of(std::vector<std::string> arguments, int exit_code) {
    return run_json(std::move(arguments), exit_code).at("error").at("code");
  }
  /// A key file; its id.
  std::string make_key(const std::string& role, const std::string& name) {
    return run_json({"key", "create", "--role", role, "--out", at(name)}).at("kid");
  }
  std::string image(const std::string& name, const std::string& project = "sensor") {
    std::string path = at(name);
    EXPECT_EQ(run({"image", "make", path, "--version", "1.4.0", "--project", project}).exit_code,
              0);
    return path;
  }
  /// Three roots, a release key, and list 1 signed by two of them; its path.
  std::string first_list() {
    for (const char* name : {"root-a", "root-b", "root-c"}) make_key("root", name);
    release_ = make_key("release", "release");
    run_json({"keylist",
              "make",
              "--root",
              at("root-a"),
              "--root",
              at("root-b"),
              "--root",
              at("root-c"),
              "--release",
              at("release"),
              "--floor",
              "sensor=3",
              "--out",
              at("keys-1.json")});
    sign(at("keys-1.json"), {"root-a", "root-b"});
    return at("keys-1.jws");
  }
  void sign(const std::string& working, const std::vector<std::string>& roots) {
    std::string file = working;
    for (const auto& root : roots)
      file = run_json({"keylist", "sign", file, "--key", at(root)}).at("file");
  }
  std::string release_;  ///< id of the release key of first_list()
};

TEST_F(Trust, MakesEncryptedKeyFilesOfMode0600) {
  for (const char* algorithm : {"ES256", "PS256"}) {
    const std::string path = at(std::string{"key-"} + algorithm);
    const json made =
        run_json({"key", "create", "--role", "root", "--alg", algorithm, "--out", path});
    EXPECT_EQ(made.at("alg"), algorithm);
    EXPECT_EQ(made.at("role"), "root");
    struct stat about {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, 0600U);
    EXPECT_THAT(content_of(path), HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
    EXPECT_THAT(content_of(path), Not(HasSubstr("BEGIN PRIVATE KEY")));
    const json shown = run_json({"key", "show", path});
    EXPECT_EQ(shown.at("kid"), made.at("kid"));
    EXPECT_EQ(shown.at("role"), "root");
    EXPECT_EQ(code_of({"key", "create", "--role", "root", "--out", path}, 2), "file_exists");
  }
}

TEST_F(Trust, ExportsThePublicHalfThatOpenSslAgreesWith) {
  const std::string kid = make_key("release", "k");
  ASSERT_EQ(run({"key", "export", at("k"), "--out", at("k.pub.pem")}).exit_code, 0);
  const auto key = crypto::public_key_from_pem(content_of(at("k.pub.pem")));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->key_id(), kid);
  const Outcome text = run({"key", "export", at("k"), "--format", "base64url"});
  EXPECT_EQ(text.out, key->base64url() + "\n");
}

TEST_F(Trust, NamesWhatIsWrongWithAKeyOnTheCommandLine) {
  make_key("release", "k");
  ::chmod(at("k").c_str(), 0644);
  const Outcome exposed = run({"key", "show", at("k")});
  EXPECT_EQ(exposed.exit_code, 2);
  EXPECT_THAT(exposed.err, HasSubstr("key_file_exposed"));
  EXPECT_THAT(exposed.err, HasSubstr("chmod 600"));
  EXPECT_EQ(code_of({"key", "show", at("nowhere")}, 2), "key_file_unreadable");
  EXPECT_EQ(code_of({"key", "show", "pkcs11:object=a?pin-value=1"}, 2), "pin_on_command_line");
  EXPECT_EQ(code_of({"key", "create", "--role", "root"}, 2), "usage");
  EXPECT_EQ(code_of({"key", "create", "--role", "order", "--out", at("x")}, 2), "usage");
}

TEST_F(Trust, AsksForAPassphraseItWasNotGiven) {
  const Outcome outcome =
      testing::run(otaria, {"key", "create", "--role", "root", "--out", at("k"), "--json"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.out, HasSubstr("passphrase_required"));
  EXPECT_FALSE(std::filesystem::exists(at("k")));
}

TEST_F(Trust, ListsAFolderOfKeys) {
  const std::string root = make_key("root", "a-root");
  const std::string release = make_key("release", "b-release");
  write_file(at("notes.txt"), "no key");
  const json items = run_json({"key", "list", folder_}).at("items");
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].at("kid"), root);
  EXPECT_EQ(items[0].at("role"), "root");
  EXPECT_EQ(items[0].at("state"), "encrypted");
  EXPECT_EQ(items[1].at("kid"), release);
}

TEST_F(Trust, GoesFromNothingToAPublishedList) {
  const std::string list = first_list();
  EXPECT_TRUE(run_json({"keylist", "verify", list}).at("accepted"));
  EXPECT_EQ(run_json({"keylist", "publish", list}).at("serial"), 1);
  const auto seen = server_.server().seen().back();
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/api/v1/keylist");
  EXPECT_THAT(seen.head, HasSubstr("application/jose"));
  EXPECT_EQ(seen.body, content_of(list));
}

TEST_F(Trust, DoesNotPublishWhatDevicesWouldRefuse) {
  const std::string list = first_list();
  EXPECT_EQ(code_of({"keylist", "publish", at("keys-1.json")}, 2), "not_signed");
  server_.set_lists({{1, content_of(list)}});
  run_json({"keylist", "make", "--from", list, "--out", at("keys-2.json")});
  sign(at("keys-2.json"), {"root-c"});
  EXPECT_EQ(code_of({"keylist", "publish", at("keys-2.jws")}, 3), "old_threshold");
  EXPECT_EQ(code_of({"keylist", "verify", at("keys-2.jws"), "--against", list}, 3),
            "old_threshold");
  for (const auto& seen : server_.server().seen()) EXPECT_NE(seen.method, "PUT");
}

TEST_F(Trust, ShowsTheServersKeysAndSaysWhenThereAreNone) {
  EXPECT_EQ(code_of({"key", "list"}, 3), "no_key_list");
  const std::string list = first_list();
  server_.set_lists({{1, content_of(list)}});
  const json shown = run_json({"key", "list"});
  EXPECT_EQ(shown.at("serial"), 1);
  EXPECT_EQ(shown.at("items").size(), 4U);
  EXPECT_EQ(run_json({"key", "show", release_}).at("role"), "release");
  const json whole = run_json({"keylist", "show"});
  EXPECT_EQ(whole.at("list").at("floor").at("sensor"), 3);
  EXPECT_EQ(whole.at("signatures")[0].at("standing"), "valid");
}

// A list that is not even signed by the roots it names is none.
TEST_F(Trust, DoesNotBuildOnAForgedListOfTheServer) {
  const std::string list = first_list();
  const std::string text = content_of(list);
  const std::string one_line = text.substr(0, text.find('\n') + 1);
  server_.set_lists({{1, one_line}});
  EXPECT_EQ(code_of({"key", "list"}, 3), "new_threshold");
  EXPECT_EQ(code_of({"key", "rotate", release_, "--finish"}, 3), "new_threshold");
}

TEST_F(Trust, TellsTheRootWhatItSigns) {
  const std::string list = first_list();
  run_json({"keylist", "make", "--from", list, "--floor", "sensor=5", "--out", at("keys-2.json")});
  const Outcome outcome =
      run({"keylist", "sign", at("keys-2.json"), "--key", at("root-a"), "--against", list});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("- floor sensor: 3"));
  EXPECT_THAT(outcome.err, HasSubstr("+ floor sensor: 5"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("release key")));
}

TEST_F(Trust, RefusesListsThatWouldLowerWhatDevicesNeverLower) {
  const std::string list = first_list();
  EXPECT_EQ(code_of({"keylist", "make", "--from", list, "--floor", "sensor=2"}, 2),
            "floor_lowered");
  run_json({"keylist",
            "make",
            "--from",
            list,
            "--floor",
            "sensor=2",
            "--epoch",
            "1",
            "--out",
            at("keys-2.json")});
  EXPECT_EQ(code_of({"keylist", "make", "--root", at("release"), "--release", at("root-a")}, 2),
            "wrong_role");
  EXPECT_EQ(code_of({"keylist", "make", "--root", at("root-a"), "--out", at("y")}, 3),
            "below_threshold");
}

TEST_F(Trust, WarnsOfAListThatDevicesWithoutRsaCannotUse) {
  make_key("root", "root");
  run_json({"key", "create", "--role", "release", "--alg", "PS256", "--out", at("rsa")});
  const Outcome rsa = run(
      {"keylist", "make", "--root", at("root"), "--release", at("rsa"), "--out", at("rsa.json")});
  EXPECT_THAT(rsa.err, HasSubstr("0 of the release keys are ES256"));
  make_key("release", "ec");
  const Outcome both = run({"keylist",
                            "make",
                            "--root",
                            at("root"),
                            "--release",
                            at("rsa"),
                            "--release",
                            at("ec"),
                            "--out",
                            at("both.json")});
  EXPECT_EQ(both.exit_code, 0) << both.err;
  EXPECT_THAT(both.err, Not(HasSubstr("Warning")));
}

TEST_F(Trust, RotatesAReleaseKeyInTwoHalves) {
  server_.set_lists({{1, content_of(first_list())}});
  const std::string fresh = make_key("release", "fresh");
  EXPECT_EQ(code_of({"key", "rotate", release_, "--finish", "--out", at("x")}, 3),
            "below_threshold");
  run_json({"key", "rotate", release_, "--new", at("fresh"), "--out", at("keys-2.json")});
  sign(at("keys-2.json"), {"root-b", "root-c"});
  EXPECT_TRUE(run_json({"keylist", "verify", at("keys-2.jws"), "--against", at("keys-1.jws")})
                  .at("accepted"));
  server_.set_lists({{1, content_of(at("keys-1.jws"))}, {2, content_of(at("keys-2.jws"))}});
  const json done = run_json({"key", "rotate", release_, "--finish", "--out", at("keys-3.json")});
  EXPECT_EQ(done.at("serial"), 3);
  std::vector<std::string> releases;
  for (const auto& key : done.at("list").at("keys")) {
    if (key.at("roles")[0] == "release") releases.push_back(key.at("kid"));
  }
  EXPECT_EQ(releases, std::vector<std::string>{fresh});
  EXPECT_EQ(code_of({"key", "rotate", release_}, 2), "usage");
  EXPECT_EQ(code_of({"key", "rotate", "0123456789abcdef", "--finish"}, 3), "unknown_key");
}

TEST_F(Trust, DryRunNamesTheDevicesThatWouldBeLeftBehind) {
  server_.set_lists({{1, content_of(first_list())}});
  make_key("release", "fresh");
  server_.set_devices(json::array({{{"id", "sensor_A"}, {"keys", 1}, {"mode", "production"}},
                                   {{"id", "sensor_B"}, {"keys", 9}, {"mode", "production"}},
                                   {{"id", "sensor_C"}, {"keys", nullptr}, {"mode", "production"}},
                                   {{"id", "sensor_D"}, {"keys", 0}, {"mode", "development"}}}));
  const json survey = run_json({"key", "rotate", release_, "--new", at("fresh"), "--dry-run"});
  EXPECT_EQ(survey.at("up_to_date"), 1);
  EXPECT_EQ(survey.at("unknown"), 1);
  EXPECT_EQ(survey.at("left_behind"), 1);
  EXPECT_EQ(survey.at("behind")[0].at("id"), "sensor_B");
  EXPECT_EQ(code_of({"key", "rotate", release_, "--new", at("fresh"), "--out", at("y")}, 3),
            "left_behind");
  EXPECT_FALSE(std::filesystem::exists(at("y")));
  run_json({"key", "rotate", release_, "--new", at("fresh"), "--leave-behind", "--out", at("y")});
}

TEST_F(Trust, RevokesAStolenKeyAndReplacesItAtOnce) {
  server_.set_lists({{1, content_of(first_list())}});
  const std::string fresh = make_key("release", "fresh");
  EXPECT_EQ(code_of({"key", "revoke", release_, "--out", at("x")}, 3), "below_threshold");
  const json made = run_json({"key",
                              "revoke",
                              release_,
                              "--replace",
                              at("fresh"),
                              "--floor",
                              "sensor=4",
                              "--out",
                              at("keys-2.json")});
  EXPECT_EQ(made.at("list").at("revoked"), json::array({release_}));
  EXPECT_EQ(made.at("list").at("floor").at("sensor"), 4);
  sign(at("keys-2.json"), {"root-a", "root-c"});
  // The thief's manifest is refused by the device's own code, with the word for it.
  const std::string manifest = at("thief.jws");
  EXPECT_EQ(code_of({"release",
                     "sign",
                     image("fw"),
                     "--key",
                     at("release"),
                     "--keylist",
                     at("keys-2.jws"),
                     "--security-counter",
                     "9",
                     "--out",
                     manifest},
                    3),
            "revoked_key");
  EXPECT_FALSE(std::filesystem::exists(manifest));
}

TEST_F(Trust, PublishesASignedRelease) {
  server_.set_lists({{1, content_of(first_list())}});
  server_.set_releases(json::array({{{"security_counter", 7}}, {{"security_counter", 2}}}));
  const std::string file = image("fw");
  const Outcome outcome = run({"release",
                               "publish",
                               file,
                               "--key",
                               at("release"),
                               "--hardware",
                               "esp32s3-8mb",
                               "--channel",
                               "stable",
                               "--security-fix"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto seen = server_.server().seen().back();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.body, content_of(file));
  const std::string name = "Otaria-Manifest: ";
  const std::size_t start = seen.head.find(name);
  ASSERT_NE(start, std::string::npos) << seen.head;
  const std::size_t value = start + name.size();
  const auto text =
      crypto::from_base64url(seen.head.substr(value, seen.head.find('\r', value) - value));
  ASSERT_TRUE(text);

  // Judged as a device would.
  crypto::Sha256Hasher hasher;
  crypto::OpenSslVerifier verifier;
  const std::string list = content_of(at("keys-1.jws"));
  contract::MemoryFile list_file{list};
  contract::KeyRing ring{list_file, hasher};
  ASSERT_TRUE(ring.open());
  contract::MemoryFile manifest_file{*text};
  contract::PayloadPlace place;
  EXPECT_TRUE(judge_manifest_signatures(manifest_file, ring, hasher, verifier, place).ok());
  const json manifest =
      json::parse(*crypto::from_base64url(text->substr(place.offset, place.characters)));
  EXPECT_EQ(manifest.at("product"), "sensor");
  EXPECT_EQ(manifest.at("version"), "1.4.0");
  EXPECT_EQ(manifest.at("chip"), "esp32s3");
  EXPECT_EQ(manifest.at("hardware"), json::array({"esp32s3-8mb"}));
  EXPECT_EQ(manifest.at("channel"), "stable");
  EXPECT_EQ(manifest.at("size"), seen.body.size());
  EXPECT_EQ(manifest.at("keys"), 1);
  EXPECT_EQ(manifest.at("security_counter"), 8);  // the highest, 7, and one for the fix
  const json inspected = run_json({"image", "inspect", file});
  EXPECT_EQ(manifest.at("sha256"), inspected.at("sha256"));
  EXPECT_EQ(
      manifest.at("expires").get<std::uint64_t>() - manifest.at("issued").get<std::uint64_t>(),
      365U * 86400U);
}

TEST_F(Trust, TakesTheFloorOfTheListWhereNoReleaseIsHigher) {
  server_.set_lists({{1, content_of(first_list())}});
  const json made =
      run_json({"release", "sign", image("fw"), "--key", at("release"), "--out", at("m.jws")});
  EXPECT_EQ(made.at("manifest").at("security_counter"), 3);
}

// A thief signed a huge counter; the roots began a new epoch: his number counts no more.
TEST_F(Trust, CountsOnlyReleasesOfTheEpochThatTheRootsBegan) {
  const std::string list = first_list();
  run_json({"keylist",
            "make",
            "--from",
            list,
            "--epoch",
            "1",
            "--floor",
            "sensor=0",
            "--out",
            at("keys-2.json")});
  sign(at("keys-2.json"), {"root-a", "root-b"});
  server_.set_lists({{1, content_of(list)}, {2, content_of(at("keys-2.jws"))}});
  server_.set_releases(json::array(
      {{{"security_counter", 259}, {"keys", 1}}, {{"security_counter", 4}, {"keys", 2}}}));
  const json made =
      run_json({"release", "sign", image("fw"), "--key", at("release"), "--out", at("m.jws")});
  EXPECT_EQ(made.at("manifest").at("security_counter"), 4);
}

TEST_F(Trust, SignsWithoutAServerAndUploadsLater) {
  first_list();
  const std::string file = image("fw");
  const json made = run_json({"release",
                              "sign",
                              file,
                              "--key",
                              at("release"),
                              "--keys-serial",
                              "1",
                              "--security-counter",
                              "3",
                              "--out",
                              at("m.jws")});
  EXPECT_TRUE(server_.server().seen().empty());
  EXPECT_EQ(made.at("kids"), json::array({release_}));
  EXPECT_EQ(run({"release", "upload", file, "--manifest", at("m.jws"), "--notes", "x"}).exit_code,
            0);
  EXPECT_THAT(server_.server().seen().back().head, HasSubstr("Otaria-Manifest: "));
  EXPECT_EQ(server_.server().seen().back().target, "/api/v1/releases?notes=x");
  // Another image under this manifest goes nowhere.
  const std::string other = image("other", "other");
  const std::size_t before = server_.server().seen().size();
  EXPECT_EQ(code_of({"release", "upload", other, "--manifest", at("m.jws")}, 3),
            "manifest_mismatch");
  EXPECT_EQ(server_.server().seen().size(), before);
}

TEST_F(Trust, AsksForAsManyReleaseKeysAsTheListDoes) {
  for (const char* name : {"root-a", "one", "two"})
    make_key(name == std::string{"root-a"} ? "root" : "release", name);
  run_json({"keylist",
            "make",
            "--root",
            at("root-a"),
            "--release",
            at("one"),
            "--release",
            at("two"),
            "--threshold-release",
            "2",
            "--out",
            at("keys-1.json")});
  sign(at("keys-1.json"), {"root-a"});
  server_.set_lists({{1, content_of(at("keys-1.jws"))}});
  const std::string file = image("fw");
  EXPECT_EQ(code_of({"release", "publish", file, "--key", at("one")}, 3), "bad_signature");
  EXPECT_EQ(run({"release", "publish", file, "--key", at("one"), "--key", at("two")}).exit_code, 0);
  // The same by two people, one after the other.
  run_json({"release",
            "sign",
            file,
            "--key",
            at("one"),
            "--keys-serial",
            "1",
            "--security-counter",
            "0",
            "--out",
            at("m.jws")});
  const json both = run_json({"release", "sign", file, "--add", at("m.jws"), "--key", at("two")});
  EXPECT_EQ(both.at("kids").size(), 2U);
  EXPECT_EQ(code_of({"release", "sign", "--add", at("m.jws"), "--key", at("two")}, 3),
            "already_signed");
}

TEST_F(Trust, RefusesToSignWhatNoKeyOfTheListDid) {
  server_.set_lists({{1, content_of(first_list())}});
  make_key("release", "stranger");
  const std::string file = image("fw");
  EXPECT_EQ(code_of({"release", "publish", file, "--key", at("stranger")}, 3), "unknown_key");
  EXPECT_EQ(code_of({"release", "publish", file, "--key", at("root-a")}, 3), "unknown_key");
  for (const auto& seen : server_.server().seen()) EXPECT_NE(seen.method, "POST");
}

TEST_F(Trust, RefusesImagesForDevelopmentButForChannelDev) {
  server_.set_lists({{1, content_of(first_list())}});
  const std::string file = image("fw", "OTARIA-DEVELOPMENT-IMAGE");
  EXPECT_EQ(code_of({"release", "publish", file, "--key", at("release")}, 3), "development_image");
  EXPECT_EQ(code_of({"release", "publish", file, "--key", at("release"), "--channel", "stable"}, 3),
            "development_image");
  EXPECT_EQ(run({"release", "publish", file, "--key", at("release"), "--channel", "dev"}).exit_code,
            0);
}

TEST_F(Trust, RefusesImagesThatAreNone) {
  server_.set_lists({{1, content_of(first_list())}});
  const std::string file = image("fw");
  std::string bytes = content_of(file);
  bytes[5000] = static_cast<char>(bytes[5000] ^ 1);
  write_file(file, bytes);
  EXPECT_EQ(code_of({"release", "publish", file, "--key", at("release")}, 3), "bad_checksum");
}

TEST_F(Trust, SaysThatSignedOptionsNeedAKey) {
  EXPECT_EQ(code_of({"release", "publish", image("fw"), "--security-fix"}, 2), "key_required");
}

TEST_F(Trust, SignsWithATokenFromKeyToRelease) {
  SoftHsm hsm{"fleet"};
  const testing::Program::Environment token{{"SOFTHSM2_CONF", hsm.configuration()}};
  const std::string root = hsm.uri("fleet", "root");
  const std::string release = hsm.uri("fleet", "release");
  const auto good = [&](std::vector<std::string> arguments) {
    const Outcome outcome = run(std::move(arguments), token);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(SoftHsm::pin())));
    return outcome.out;
  };
  good({"key", "create", "--role", "root", "--key", root});
  good({"key", "create", "--role", "release", "--alg", "PS256", "--key", release});
  good({"keylist", "make", "--root", root, "--release", release, "--out", at("keys-1.json")});
  good({"keylist", "sign", at("keys-1.json"), "--key", root});
  good({"keylist", "verify", at("keys-1.jws")});
  server_.set_lists({{1, content_of(at("keys-1.jws"))}});
  good({"release", "publish", image("fw"), "--key", release});
  EXPECT_THAT(server_.server().seen().back().head, HasSubstr("Otaria-Manifest: "));
}

TEST_F(Trust, SignsWithAProgram) {
  server_.set_lists({{1, content_of(first_list())}});
  ASSERT_EQ(run({"key", "export", at("release"), "--out", at("pub.pem")}).exit_code, 0);
  // A signing service of another make.
  const std::string script = write_file(at("signer"),
                                        R"(#!/usr/bin/python3
import base64, os, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
folder = os.path.dirname(sys.argv[0])
with open(folder + "/release", "rb") as file, open(folder + "/pass", "rb") as secret:
    key = serialization.load_pem_private_key(file.read(), secret.read())
digest = bytes.fromhex(sys.stdin.readline().strip())
r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
print(base64.urlsafe_b64encode(raw).decode().rstrip("="))
)",
                                        0700);
  write_file(at("pass"), passphrase);
  const Outcome outcome =
      run({"release", "publish", image("fw"), "--signer-cmd", script + "?public=" + at("pub.pem")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

}  // namespace
}  // namespace otaria::cli
