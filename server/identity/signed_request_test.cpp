#include "server/identity/signed_request.hpp"

#include <gtest/gtest.h>

#include "server/identity/testing/signing_device.hpp"

namespace otaria::server {
namespace {

using testing::jws_of;
using testing::Members;
using testing::object_of;
using testing::SigningDevice;

const std::string nonce(43, 'n');

TEST(SignedRequest, AnEnrolmentIsReadAsTheDeviceSignedIt) {
  SigningDevice device{"a4cf12e0a1b2"};
  const auto read = read_enrolment(device.enrolment(nonce, "claim", "boiler"));
  ASSERT_TRUE(read) << read.refusal().detail;
  EXPECT_EQ(read.value().mac, "a4cf12e0a1b2");
  EXPECT_EQ(read.value().pub, device.pub());
  EXPECT_EQ(read.value().claim, "claim");
  EXPECT_EQ(read.value().nonce, nonce);
  EXPECT_EQ(read.value().id, "boiler");
}

TEST(SignedRequest, AnEnrolmentForAnothersKeyIsRefused) {
  SigningDevice device{"a4cf12e0a1b2"}, other{"a4cf12e0a1b2"};
  const auto read = read_enrolment(device.sign(
      "otaria-enrol+jws", {{"mac", device.mac()}, {"pub", other.pub()}, {"nonce", nonce}}));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.refusal().code, "bad_request");
}

TEST(SignedRequest, AnEnrolmentNamesTheKeyThatSignedIt) {
  SigningDevice device{"a4cf12e0a1b2"};
  const auto read = read_enrolment(
      jws_of(R"({"alg":"ES256","kid":"0123456789abcdef","typ":"otaria-enrol+jws"})",
             object_of({{"mac", device.mac()}, {"pub", device.pub()}, {"nonce", nonce}}),
             device.key()));
  EXPECT_FALSE(read);
}

TEST(SignedRequest, APointOffTheCurveIsNoKey) {
  std::string bytes(64, '\1');
  EXPECT_FALSE(device_key_from(crypto::base64url(bytes)));
  EXPECT_FALSE(device_key_from(crypto::base64url(std::string(64, '\0'))));
  EXPECT_FALSE(device_key_from(crypto::base64url(std::string(63, 'x'))));
  EXPECT_FALSE(device_key_from(""));
  SigningDevice device{"a4cf12e0a1b2"};
  EXPECT_TRUE(device_key_from(device.pub()));
}

TEST(SignedRequest, AnAssertionIsReadAndKnowsItsSigner) {
  SigningDevice device{"a4cf12e0a1b2"}, other{"a4cf12e0a1b2"};
  const auto read = read_assertion(device.assertion(nonce));
  ASSERT_TRUE(read) << read.refusal().detail;
  EXPECT_EQ(read.value().mac, "a4cf12e0a1b2");
  EXPECT_EQ(read.value().aud, "https://ota.example");
  EXPECT_EQ(read.value().fw, "1.4.0");
  EXPECT_TRUE(is_signed_by(read.value().signature, device.key().public_key()));
  EXPECT_FALSE(is_signed_by(read.value().signature, other.key().public_key()));
}

TEST(SignedRequest, TheKeyIdMustBeThatOfTheKeyThatVerifies) {
  SigningDevice device{"a4cf12e0a1b2"}, other{"a4cf12e0a1b2"};
  const auto read = read_assertion(
      jws_of(R"({"alg":"ES256","kid":")" + other.kid() + R"(","typ":"otaria-assertion+jwt"})",
             object_of(device.claims(nonce)),
             device.key()));
  ASSERT_TRUE(read);
  EXPECT_FALSE(is_signed_by(read.value().signature, device.key().public_key()));
}

TEST(SignedRequest, NeitherAlgorithmNorTypeIsTheSendersChoice) {
  SigningDevice device{"a4cf12e0a1b2"};
  const std::string payload = object_of(device.claims(nonce));
  const std::string kid = R"("kid":")" + device.kid() + "\"";
  for (const std::string& header :
       {R"({"alg":"none",)" + kid + R"(,"typ":"otaria-assertion+jwt"})",
        R"({"alg":"HS256",)" + kid + R"(,"typ":"otaria-assertion+jwt"})",
        R"({"alg":"PS256",)" + kid + R"(,"typ":"otaria-assertion+jwt"})",
        R"({"alg":"ES256",)" + kid + R"(,"typ":"otaria-enrol+jws"})",
        R"({"alg":"ES256",)" + kid + R"(,"typ":"JWT"})",
        R"({"alg":"ES256",)" + kid + "}",
        R"({"alg":"ES256",)" + kid + R"(,"typ":"otaria-assertion+jwt","jwk":{}})",
        R"({"alg":"ES256",)" + kid + R"(,"typ":"otaria-assertion+jwt","crit":[]})"}) {
    const auto read = read_assertion(jws_of(header, payload, device.key()));
    EXPECT_FALSE(read) << header;
  }
  // No signature at all.
  std::string unsigned_text = device.assertion(nonce);
  unsigned_text.resize(unsigned_text.rfind('.') + 1);
  EXPECT_FALSE(read_assertion(unsigned_text));
}

TEST(SignedRequest, APayloadThatIsNotOfTheProfileIsRefused) {
  SigningDevice device{"a4cf12e0a1b2"};
  const std::string good = object_of(device.claims(nonce));
  const std::string rest = good.substr(1);
  for (const std::string& payload : {std::string{},
                                     std::string{"[]"},
                                     std::string{"{}"},
                                     R"({"iss":"a4cf12e0a1b2",)" + rest,  // a member twice
                                     R"({"crit":["x"],)" + rest,
                                     R"({"x":null,)" + rest,
                                     R"({"x":1.5,)" + rest,
                                     good + "x",
                                     object_of({{"iss", "a4cf12e0a1b2"}})}) {
    EXPECT_FALSE(read_assertion(crypto::compact_jws("otaria-assertion+jwt", payload, device.key())))
        << payload;
  }
  EXPECT_TRUE(read_assertion(
      crypto::compact_jws("otaria-assertion+jwt", R"({"x":[1,{"y":true}],)" + rest, device.key())));
}

TEST(SignedRequest, AnotherSubjectThanTheIssuerIsRefused) {
  SigningDevice device{"a4cf12e0a1b2"};
  Members claims = device.claims(nonce);
  claims[1].second = "000000000001";
  EXPECT_FALSE(read_assertion(device.sign("otaria-assertion+jwt", claims)));
}

TEST(SignedRequest, ANewKeyIsTakenWithAProofOverTheSameMacAndNonceOnly) {
  SigningDevice device{"a4cf12e0a1b2"}, next{"a4cf12e0a1b2"}, other{"a4cf12e0a1b2"};
  const auto good = read_assertion(device.rekey_assertion(nonce, next));
  ASSERT_TRUE(good) << good.refusal().detail;
  const auto key = read_new_key(good.value());
  ASSERT_TRUE(key) << key.refusal().detail;
  EXPECT_EQ(key.value().base64url(), next.pub());

  const auto judged = [&](const std::string& pub, const std::string& proof) {
    Members claims = device.claims(nonce);
    claims.emplace_back("new_pub", pub);
    claims.emplace_back("new_proof", proof);
    const auto read = read_assertion(device.sign("otaria-assertion+jwt", claims));
    return read && read_new_key(read.value());
  };
  const Members right{{"mac", device.mac()}, {"nonce", nonce}};
  EXPECT_TRUE(judged(next.pub(), next.sign("otaria-rekey+jws", right)));
  EXPECT_FALSE(judged(next.pub(), other.sign("otaria-rekey+jws", right)));
  EXPECT_FALSE(judged(next.pub(), next.sign("otaria-assertion+jwt", right)));
  EXPECT_FALSE(judged(next.pub(),
                      next.sign("otaria-rekey+jws", {{"mac", "000000000001"}, {"nonce", nonce}})));
  EXPECT_FALSE(judged(
      next.pub(), next.sign("otaria-rekey+jws", {{"mac", device.mac()}, {"nonce", "another"}})));
  EXPECT_FALSE(judged("AAAA", next.sign("otaria-rekey+jws", right)));
  EXPECT_FALSE(judged(next.pub(), ""));
}

TEST(SignedRequest, EveryCutAndEveryChangedByteIsRefused) {
  SigningDevice device{"a4cf12e0a1b2"};
  const std::string good = device.enrolment(nonce, "claim");
  for (std::size_t length = 0; length < good.size(); length += 7) {
    EXPECT_FALSE(read_enrolment(good.substr(0, length))) << length;
  }
  for (std::size_t i = 0; i < good.size(); i += 5) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read_enrolment(changed)) << i;
  }
  EXPECT_FALSE(read_enrolment(good + good));
  EXPECT_FALSE(read_enrolment(std::string(1 << 20, 'A')));
}

}  // namespace
}  // namespace otaria::server
