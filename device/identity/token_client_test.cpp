#include "device/identity/token_client.hpp"

#include <gtest/gtest.h>

#include <string>

#include "contract/openssl/crypto.hpp"
#include "device/identity/proof.hpp"

namespace otaria::device {
namespace {

using contract::MemoryFile;

class TestClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return now; }
  [[nodiscard]] std::optional<std::uint32_t> unix_s() const override { return std::nullopt; }
  std::uint64_t now = 5000;
};

class TestRandom final : public Random {
 public:
  std::uint32_t next() override { return value; }
  std::uint32_t value = 0;
};

class TestKey final : public DeviceKey {
 public:
  bool public_key(std::span<std::uint8_t, public_bytes> into) override {
    std::copy_n(key.public_key().bytes.begin(), into.size(), into.begin());
    return present;
  }
  bool sign(const contract::Digest& digest,
            std::span<std::uint8_t, signature_bytes> into) override {
    const auto signature = key.sign(digest);
    std::copy_n(signature.begin(), into.size(), into.begin());
    return present;
  }
  crypto::PrivateKey key = crypto::PrivateKey::generate(contract::Algorithm::es256);
  bool present = true;
};

class TestFetcher final : public Fetcher {
 public:
  void get(const Request& request) override {
    ++requests;
    url = request.url;
    content_type = request.content_type;
    body = request.body;
  }
  void cancel() override {}
  int requests = 0;
  std::string url, content_type, body;
};

class LineCheck final : public contract::SignatureVisitor {
 public:
  explicit LineCheck(const crypto::PublicKey& key) : key_{key} {}
  bool on_signature(const contract::SignatureLine& line) override {
    crypto::OpenSslVerifier verifier;
    valid = line.key == key_.key_id() &&
            verifier.verify(line.algorithm, key_.bytes, line.digest, line.signature);
    return true;
  }
  bool valid = false;

 private:
  const crypto::PublicKey& key_;
};

class TokenClientTest : public ::testing::Test {
 protected:
  TokenClientTest() {
    access_.key = &key_;
    access_.server = "https://ota.example:8443";
    identity_.id.assign("boiler-7");
    identity_.mac.assign("a4cf12e0a1b2");
    settings_.access = &access_;
    settings_.identity = &identity_;
  }
  TokenClient& client() {
    if (!client_) client_.emplace(settings_, fetcher_, hasher_, clock_, random_, work_);
    return *client_;
  }
  void answer(std::uint32_t status, std::string_view body, std::string_view retry_after = {}) {
    ASSERT_TRUE(client().owns_request());
    if (!retry_after.empty()) client().on_header("Retry-After", retry_after);
    client().on_head(status);
    for (std::size_t at = 0; at < body.size(); at += 100) {
      const std::string_view piece = body.substr(at, 100);
      client().on_body({reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()});
    }
    client().on_end();
  }
  void begin() {
    clock_.now += client().wait_ms();
    ASSERT_EQ(client().wait_ms(), 0U);
    client().begin();
  }
  void get_nonce(const std::string& nonce = "bm9uY2U") {
    begin();
    ASSERT_EQ(fetcher_.url, "https://ota.example:8443/api/v1/device/nonce");
    answer(200, R"({"nonce":")" + nonce + R"("})");
  }
  void get_token(const std::string& token = "aaa.bbb.ccc") {
    get_nonce();
    begin();
    ASSERT_EQ(fetcher_.url, "https://ota.example:8443/api/v1/device/token");
    answer(200,
           R"({"token":")" + token +
               R"(","expires_in":1000,"time":1790000000,"id":"sensor_A1B2",)"
               R"("username":"a4cf12e0a1b2","clientid":"sensor_A1B2",)"
               R"("mqtt":["mqtts://ota.example:8883"],"keys":4,"seq":77})");
  }
  /// Payload of a proof that verifies by the device's key; empty for one that does not.
  std::string proven(const contract::SignedKind& kind, const std::string& line) {
    MemoryFile file{line};
    std::array<std::uint8_t, 64> signature{};
    LineCheck check{key_.key.public_key()};
    contract::PayloadPlace place;
    if (contract::read_signed_file(kind, file, hasher_, signature, check, place) !=
            contract::SignedDefect::none ||
        !check.valid) {
      return {};
    }
    return crypto::from_base64url(line.substr(place.offset, place.characters)).value_or("");
  }

  TokenAccess access_;
  Identity identity_;
  TokenSettings settings_;
  std::array<char, TokenClient::work_bytes> work_{};
  TestFetcher fetcher_;
  TestKey key_;
  crypto::Sha256Hasher hasher_;
  TestClock clock_;
  TestRandom random_;
  std::optional<TokenClient> client_;
};

TEST_F(TokenClientTest, ProvesItsKeyOverTheServersNonce) {
  get_nonce("c29tZXRoaW5n");
  begin();
  const std::string prefix =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  EXPECT_EQ(fetcher_.content_type, "application/x-www-form-urlencoded");
  ASSERT_TRUE(fetcher_.body.starts_with(prefix));
  EXPECT_EQ(proven(contract::assertion_kind, fetcher_.body.substr(prefix.size())),
            R"({"aud":"https://ota.example:8443","id":"boiler-7","iss":"a4cf12e0a1b2",)"
            R"("nonce":"c29tZXRoaW5n","sub":"a4cf12e0a1b2"})");
}

TEST_F(TokenClientTest, HandsOutTheTokenAndWhatTheServerSaid) {
  EXPECT_EQ(client().token(), "");
  get_token();
  EXPECT_EQ(client().token(), "aaa.bbb.ccc");
  const auto grant = client().take_grant();
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->time, 1790000000U);
  EXPECT_EQ(grant->keys, 4U);
  EXPECT_EQ(grant->seq, 77U);
  EXPECT_EQ(grant->id.view(), "sensor_A1B2");
  EXPECT_FALSE(client().take_grant().has_value());
}

TEST_F(TokenClientTest, RenewsBetweenSeventyAndNinetyPercentOfItsLife) {
  for (const auto& [random, expected_s] : {std::pair{0U, 700U}, std::pair{200U, 900U}}) {
    client_.reset();
    random_.value = random;
    get_token();
    EXPECT_EQ(client().wait_ms(), expected_s * 1000);
  }
  get_token("ddd.eee.fff");
  EXPECT_EQ(client().token(), "ddd.eee.fff");
}

TEST_F(TokenClientTest, KeepsTheOldTokenWhileARenewalFails) {
  get_token();
  begin();
  client().on_failed();
  EXPECT_EQ(client().token(), "aaa.bbb.ccc");
  EXPECT_GT(client().wait_ms(), 0U);
}

TEST_F(TokenClientTest, ATokenEndsByTheDevicesOwnClock) {
  get_token();
  clock_.now += 999'999;
  EXPECT_EQ(client().token(), "aaa.bbb.ccc");
  clock_.now += 1;
  EXPECT_EQ(client().token(), "");
}

TEST_F(TokenClientTest, TakesTheNonceThatARefusalBrings) {
  get_nonce();
  begin();
  answer(401, R"({"code":"use_nonce","nonce":"ZnJlc2g","status":401})");
  begin();
  EXPECT_EQ(fetcher_.url, "https://ota.example:8443/api/v1/device/token");
  EXPECT_NE(
      proven(contract::assertion_kind, fetcher_.body.substr(fetcher_.body.find("assertion=") + 10))
          .find(R"("nonce":"ZnJlc2g")"),
      std::string::npos);
}

TEST_F(TokenClientTest, AServerThatAlwaysWantsAnotherNonceIsNotAskedWithoutPause) {
  get_nonce();
  for (int i = 0; i < 10; ++i) {
    begin();
    answer(401, R"({"nonce":"ZnJlc2g"})");
    EXPECT_GT(client().wait_ms(), 0U);
  }
}

TEST_F(TokenClientTest, EnrolsWithItsClaimWhenTheServerDoesNotKnowIt) {
  access_.claim = "c2VjcmV0";
  get_nonce();
  begin();
  answer(403, R"({"code":"unknown_device"})");
  get_nonce("ZW5yb2w");
  begin();
  EXPECT_EQ(fetcher_.url, "https://ota.example:8443/api/v1/device/enrol");
  EXPECT_EQ(
      proven(contract::enrolment_kind, fetcher_.body),
      R"({"claim":"c2VjcmV0","id":"boiler-7","mac":"a4cf12e0a1b2","nonce":"ZW5yb2w","pub":")" +
          key_.key.public_key().base64url() + R"("})");
  answer(201, R"({"id":"sensor_A1B2"})");
  get_token();
  EXPECT_EQ(client().token(), "aaa.bbb.ccc");
}

TEST_F(TokenClientTest, ARefusedClaimIsShownOnceABoot) {
  access_.claim = "c2VjcmV0";
  get_nonce();
  begin();
  answer(403, "{}");
  get_nonce();
  begin();
  EXPECT_TRUE(fetcher_.url.ends_with("/enrol"));
  answer(403, "{}");  // the claim is used up
  EXPECT_EQ(client().last_status(), 403U);
  for (int i = 0; i < 3; ++i) {
    get_nonce();
    begin();
    EXPECT_TRUE(fetcher_.url.ends_with("/token"));
    answer(403, "{}");
  }
}

TEST_F(TokenClientTest, ARefusalIsAskedAgainMoreRarelyThanAFailure) {
  get_nonce();
  begin();
  answer(403, "{}");
  EXPECT_GE(client().wait_ms(), 30'000U);
}

TEST_F(TokenClientTest, HonoursRetryAfterWithinAnHour) {
  begin();
  answer(429, "{}", "120");
  EXPECT_EQ(client().wait_ms(), 120'000U);
  begin();
  answer(503, "{}", "99999");
  EXPECT_EQ(client().wait_ms(), 3'600'000U);
}

TEST_F(TokenClientTest, TakesTheIdThatTheServerAssigns) {
  get_nonce();
  begin();
  answer(200, R"({"token":"a.b.c","expires_in":100,"id":"sensor_a4cf12e0a1b2"})");
  EXPECT_EQ(client().take_grant()->id.view(), "sensor_a4cf12e0a1b2");
}

// Short ids collide early (contract, 3.1): what nobody chose, nobody insists on.
TEST_F(TokenClientTest, EnrolsWithoutAnIdWhenItsOwnIsTheDefaultOne) {
  access_.claim = "c2VjcmV0";
  struct Row {
    const char* id;
    bool is_asked_for;
  };
  for (const Row& row : {Row{"sensor_A1B2", false},
                         Row{"sensor_a1b2", true},
                         Row{"sensor_A1B3", true},
                         Row{"sensor_A1B", true},
                         Row{"sensor_0A1B2", true},
                         Row{"sensor_a4cf12e0a1b2", true}}) {
    client_.reset();
    identity_.id.assign(row.id);
    get_nonce();
    begin();
    answer(403, "{}");
    get_nonce();
    begin();
    ASSERT_TRUE(fetcher_.url.ends_with("/enrol"));
    const std::string asked = proven(contract::enrolment_kind, fetcher_.body);
    EXPECT_EQ(asked.find(R"("id":")") != std::string::npos, row.is_asked_for) << asked;
    EXPECT_NE(asked.find(R"("mac":"a4cf12e0a1b2")"), std::string::npos) << asked;
  }
}

// A renewal writes over the old token: once it has begun to, only a whole answer brings one back.
TEST_F(TokenClientTest, ARenewalThatBreaksOffWithinTheTokenLeavesNone) {
  get_token();
  get_nonce();
  begin();
  client().on_head(200);
  const std::string_view piece = R"({"id":"sensor_A1B2","tok)";
  client().on_body({reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()});
  EXPECT_EQ(client().token(), "aaa.bbb.ccc");
  const std::string_view next = R"(en":"dd)";
  client().on_body({reinterpret_cast<const std::uint8_t*>(next.data()), next.size()});
  EXPECT_EQ(client().token(), "");
  client().on_failed();
  EXPECT_EQ(client().token(), "");
  EXPECT_FALSE(client().take_grant().has_value());
  get_token("ddd.eee.fff");
  EXPECT_EQ(client().token(), "ddd.eee.fff");
}

TEST_F(TokenClientTest, NoAnswerButAGoodOneToItsQuestionTouchesTheToken) {
  get_token();
  begin();  // a nonce is asked for
  answer(200, R"({"token":"x.y.z","nonce":"bm9uY2U","expires_in":9})");
  begin();
  answer(500, R"({"token":"x.y.z","expires_in":9})");
  EXPECT_EQ(client().token(), "aaa.bbb.ccc");
  get_nonce();
  begin();
  answer(401, R"({"token":"x.y.z","expires_in":9,"nonce":"ZnJlc2g"})");
  EXPECT_EQ(client().token(), "aaa.bbb.ccc");
}

TEST_F(TokenClientTest, BelievesNoAnswerThatIsNone) {
  const std::string long_text(5000, 'x');
  for (const std::string& body :
       {std::string{},
        std::string{"x"},
        std::string{R"({"token":"a.b.c"})"},
        std::string{R"({"token":1,"expires_in":5})"},
        std::string{R"({"token":"a b","expires_in":5})"},
        std::string{R"({"token":"a.b.c","expires_in":0})"},
        std::string{R"({"token":"a.b.c","expires_in":"5"})"},
        std::string{R"({"token":"a.b.c","token":"d.e.f","expires_in":5})"},
        std::string{R"({"token":"a.b.c","expires_in":5,"id":"../x"})"},
        R"({"token":")" + long_text + R"(","expires_in":5})",
        R"({"token":")" + std::string(833, 'a') + R"(","expires_in":5})"}) {
    get_nonce();
    begin();
    answer(200, body);
    EXPECT_EQ(client().token(), "") << body.substr(0, 60);
    EXPECT_GT(client().wait_ms(), 0U);
  }
}

TEST_F(TokenClientTest, ATokenThatTheBrokerRefusesIsReplaced) {
  get_token();
  client().token_refused();
  EXPECT_EQ(client().token(), "");
  EXPECT_LE(client().wait_ms(), 1000U);
  get_token("ggg.hhh.iii");
  EXPECT_EQ(client().token(), "ggg.hhh.iii");
}

TEST_F(TokenClientTest, WithoutAKeyItAsksNothing) {
  key_.present = false;
  get_nonce();
  begin();
  EXPECT_EQ(fetcher_.requests, 1);
  EXPECT_FALSE(client().owns_request());
  EXPECT_GT(client().wait_ms(), 0U);
}

TEST_F(TokenClientTest, TheLongestIdsAndServersFit) {
  const std::string server = "https://" + std::string(120, 'h');
  const std::string claim(64, 'c');
  access_.server = server;
  access_.claim = claim;
  identity_.id.assign(std::string(32, 'i'));
  begin();
  answer(200, R"({"nonce":")" + std::string(64, 'n') + R"("})");
  begin();
  EXPECT_TRUE(fetcher_.url.ends_with("/token"));
  answer(403, "{}");
  begin();
  answer(200, R"({"nonce":")" + std::string(64, 'n') + R"("})");
  begin();
  EXPECT_TRUE(fetcher_.url.ends_with("/enrol"));
  EXPECT_NE(proven(contract::enrolment_kind, fetcher_.body), "");
  client_.reset();
  access_.server = "https://ota.example:8443";
  get_token(std::string(max_token_bytes, 't'));
  EXPECT_EQ(client().token().size(), max_token_bytes);
}

TEST_F(TokenClientTest, AServerWhoseNameIsTooLongIsNoServer) {
  const std::string server = "https://" + std::string(121, 'h');
  access_.server = server;
  EXPECT_FALSE(client().is_used());
}

TEST(Proof, IsEmptyWhenItDoesNotFit) {
  TestKey key;
  crypto::Sha256Hasher hasher;
  std::array<char, 100> small{};
  EXPECT_EQ(write_proof("otaria-enrol+jws", "{}", key, hasher, small), 0U);
}

}  // namespace
}  // namespace otaria::device
