#include "contract/token/checker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>

#include "contract/token/testing/minting.hpp"

namespace otaria::token {
namespace {

using crypto::base64url;
using crypto::PrivateKey;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::jwks;
using testing::Minted;

constexpr std::int64_t now_s = 1790000100;
constexpr std::string_view mac = "a4cf12e0a1b2";
constexpr std::string_view id = "sensor_A1B2";

PrivateKey& issuer() {
  static PrivateKey key = PrivateKey::generate(contract::Algorithm::es256);
  return key;
}

const KeySet& keys() {
  static const KeySet set = KeySet::parse(jwks(issuer().public_key())).keys.value();
  return set;
}

Verdict check(const std::string& token, const Bearer& bearer = {mac, id}) {
  return TokenChecker{}.check(token, bearer, keys(), Denylist{}, now_s);
}

std::string_view refusal(const std::string& token, const Bearer& bearer = {mac, id}) {
  return name_of(check(token, bearer).refusal);
}

std::string_view refusal(const Minted& minted, const Bearer& bearer = {mac, id}) {
  return refusal(minted.signed_by(issuer()), bearer);
}

std::string with_signature(const Minted& minted, std::span<const std::uint8_t> signature) {
  return minted.signed_text() + '.' + base64url(signature);
}

TEST(TokenChecker, BelievesAGoodToken) {
  const Verdict verdict = check(Minted{}.signed_by(issuer()));
  ASSERT_TRUE(verdict.ok()) << name_of(verdict.refusal);
  EXPECT_EQ(verdict.claims.subject, mac);
  EXPECT_EQ(verdict.claims.username, mac);
  EXPECT_EQ(verdict.claims.client_id, id);
  EXPECT_EQ(verdict.claims.token_id, "Zk3vQ1xT0aBc");
  EXPECT_EQ(verdict.claims.issued, 1790000000U);
  EXPECT_EQ(verdict.claims.expires, 1790086400U);
  EXPECT_THAT(verdict.claims.subscribe, ElementsAre("sensor_A1B2/firmware/update"));
  EXPECT_THAT(
      verdict.claims.publish,
      ElementsAre("sensor_A1B2/ota/status", "sensor_A1B2/ota/state", "sensor_A1B2/telemetry"));
}

TEST(TokenChecker, GivesNoRightsForClaimsItDoesNotKnow) {
  Minted minted;
  minted.more =
      R"(,"is_superuser":true,"scope":"otaria.tag:administrator","client_attrs":{"a":"b"})";
  const Verdict verdict = check(minted.signed_by(issuer()));
  EXPECT_TRUE(verdict.ok());
  EXPECT_EQ(verdict.claims.publish.size(), 3U);
}

TEST(TokenChecker, DoesNotAskForNamesThatNobodyGave) {
  EXPECT_EQ(refusal(Minted{}, {}), "none");
  Minted contradicts_itself;
  contradicts_itself.subject = R"("a4cf12e0a1b3")";
  EXPECT_EQ(refusal(contradicts_itself, {}), "wrong_username");
}

TEST(TokenChecker, RefusesWhatIsNoToken) {
  EXPECT_EQ(refusal(""), "missing");
  EXPECT_EQ(refusal(std::string(65536, 'a')), "too_long");
  for (const char* garbage : {"garbage",
                              ".",
                              "..",
                              "...",
                              "a.b",
                              "a.b.c",
                              "e30.e30.",
                              "e30.e30.e30.",
                              "e30=.e30.AA",
                              "e3 0.e30.AA",
                              "e30.e3+.AA",
                              "e30.e30.A/"}) {
    const auto why = check(garbage).refusal;
    EXPECT_TRUE(why == Refusal::not_a_token || why == Refusal::bad_header ||
                why == Refusal::wrong_algorithm)
        << garbage << ": " << name_of(why);
  }
}

TEST(TokenChecker, RefusesATokenOfMoreThan2048Characters) {
  std::size_t longest_taken = 0;
  std::size_t shortest_refused = 0;
  for (std::size_t filler = 1050; shortest_refused == 0; ++filler) {
    Minted minted;
    minted.more = R"(,"x":")" + std::string(filler, 'x') + '"';
    const std::string token = minted.signed_by(issuer());
    const auto why = check(token).refusal;
    if (why == Refusal::none) longest_taken = token.size();
    if (why == Refusal::too_long) shortest_refused = token.size();
    ASSERT_TRUE(why == Refusal::none || why == Refusal::too_long) << name_of(why);
  }
  // Base64 has no text for every length.
  EXPECT_THAT(longest_taken, AnyOf(longest_token, longest_token - 1));
  EXPECT_THAT(shortest_refused, AnyOf(longest_token + 1, longest_token + 2));
}

TEST(TokenChecker, RefusesAnotherKey) {
  PrivateKey stranger = PrivateKey::generate(contract::Algorithm::es256);
  EXPECT_EQ(refusal(Minted{}.signed_by(stranger)), "bad_signature");
}

TEST(TokenChecker, RefusesAnUnsignedToken) {
  Minted none;
  none.header = R"({"alg":"none","typ":"JWT"})";
  EXPECT_EQ(refusal(none.signed_text() + '.'), "wrong_algorithm");
  none.header = R"({"alg":"none","kid":"issuer-1"})";
  EXPECT_EQ(refusal(none.signed_by(issuer())), "wrong_algorithm");
  EXPECT_EQ(refusal(Minted{}.signed_text() + '.'), "bad_signature");
}

TEST(TokenChecker, RefusesAMacMadeWithThePublicKey) {
  Minted confused;
  confused.header = R"({"alg":"HS256","kid":"issuer-1","typ":"JWT"})";
  const std::string pem = issuer().public_key().pem();
  const std::string text = confused.signed_text();
  std::array<std::uint8_t, 32> code{};
  unsigned int length = 0;
  HMAC(EVP_sha256(),
       pem.data(),
       static_cast<int>(pem.size()),
       reinterpret_cast<const unsigned char*>(text.data()),
       text.size(),
       code.data(),
       &length);
  ASSERT_EQ(length, code.size());
  EXPECT_EQ(refusal(with_signature(confused, code)), "wrong_algorithm");
}

TEST(TokenChecker, RefusesOtherAlgorithmsEvenOverAGoodSignature) {
  for (const char* algorithm : {R"("RS256")",
                                R"("PS256")",
                                R"("ES384")",
                                R"("es256")",
                                R"("ES256 ")",
                                R"("")",
                                "1",
                                "true",
                                R"(["ES256"])"}) {
    Minted minted;
    minted.header = std::string{R"({"alg":)"} + algorithm + R"(,"kid":"issuer-1","typ":"JWT"})";
    const auto why = check(minted.signed_by(issuer())).refusal;
    EXPECT_TRUE(why == Refusal::wrong_algorithm || why == Refusal::bad_header) << algorithm;
  }
  Minted without;
  without.header = R"({"kid":"issuer-1","typ":"JWT"})";
  EXPECT_EQ(refusal(without), "wrong_algorithm");
}

TEST(TokenChecker, RefusesSignaturesThatAreNot64Bytes) {
  const Minted minted;
  const std::vector<std::uint8_t> good = issuer().sign(crypto::sha256(minted.signed_text()));
  ASSERT_EQ(refusal(with_signature(minted, good)), "none");
  std::vector<std::uint8_t> longer = good;
  longer.push_back(0);
  std::vector<std::uint8_t> padded{0};
  padded.insert(padded.end(), good.begin(), good.end());
  for (const auto& wrong : {std::vector(good.begin(), good.end() - 1),
                            longer,
                            padded,
                            std::vector<std::uint8_t>{},
                            std::vector<std::uint8_t>(64, 0)}) {
    EXPECT_EQ(refusal(with_signature(minted, wrong)), "bad_signature") << wrong.size();
  }
}

TEST(TokenChecker, RefusesASignatureInDer) {
  const Minted minted;
  const std::vector<std::uint8_t> good = issuer().sign(crypto::sha256(minted.signed_text()));
  ECDSA_SIG* pair = ECDSA_SIG_new();
  ASSERT_EQ(
      ECDSA_SIG_set0(
          pair, BN_bin2bn(good.data(), 32, nullptr), BN_bin2bn(good.data() + 32, 32, nullptr)),
      1);
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair, &der);
  ASSERT_GT(length, 64);
  EXPECT_EQ(refusal(with_signature(minted, {der, static_cast<std::size_t>(length)})),
            "bad_signature");
  OPENSSL_free(der);
  ECDSA_SIG_free(pair);
}

TEST(TokenChecker, RefusesNumbersOutsideTheGroup) {
  const Minted minted;
  const std::vector<std::uint8_t> good = issuer().sign(crypto::sha256(minted.signed_text()));
  // P-256's order n, and n + 1: both are the same as smaller numbers to careless arithmetic.
  const auto order = crypto::from_base64url("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
  ASSERT_TRUE(order && order->size() == 32);
  for (const std::ptrdiff_t half : {0, 32}) {
    auto zero = good;
    std::fill_n(zero.begin() + half, 32, std::uint8_t{0});
    EXPECT_EQ(refusal(with_signature(minted, zero)), "bad_signature");
    auto too_large = good;
    std::copy(order->begin(), order->end(), too_large.begin() + half);
    EXPECT_EQ(refusal(with_signature(minted, too_large)), "bad_signature");
    ++*(too_large.begin() + half + 31);
    EXPECT_EQ(refusal(with_signature(minted, too_large)), "bad_signature");
  }
}

TEST(TokenChecker, RefusesAChangedHeaderOrPayload) {
  const std::string token = Minted{}.signed_by(issuer());
  Minted other;
  other.client_id = R"("sensor_FFFF")";
  const std::string signature = token.substr(token.rfind('.'));
  EXPECT_EQ(refusal(other.signed_text() + signature, {mac, "sensor_FFFF"}), "bad_signature");
  other = {};
  other.header = R"({"alg":"ES256","typ":"JWT","kid":"issuer-1"})";
  EXPECT_EQ(refusal(other.signed_text() + signature), "bad_signature");
}

TEST(TokenChecker, RefusesAHeaderWithAnythingElse) {
  for (const char* more : {R"("crit":["exp"])",
                           R"("crit":[])",
                           R"("jwk":{"kty":"EC"})",
                           R"("jku":"https://x")",
                           R"("x5c":["AA"])",
                           R"("x5u":"https://x")",
                           R"("b64":false)",
                           R"("zip":"DEF")",
                           R"("cty":"JWT")",
                           R"("new":1)"}) {
    Minted minted;
    minted.header = std::string{R"({"alg":"ES256","kid":"issuer-1","typ":"JWT",)"} + more + '}';
    EXPECT_EQ(refusal(minted), "bad_header") << more;
  }
}

TEST(TokenChecker, RefusesAHeaderThatIsNotOurs) {
  for (const char* header : {"",
                             "[]",
                             "null",
                             R"("ES256")",
                             R"({"alg":"ES256","kid":"issuer-1")",
                             R"({"alg":"ES256","kid":"issuer-1"}})",
                             R"({"alg":"ES256","alg":"ES256","kid":"issuer-1"})",
                             R"({"alg":"none","alg":"ES256","kid":"issuer-1"})",
                             R"({"alg":"ES256","kid":"issuer-1","typ":"at+jwt"})",
                             R"({"alg":"ES256","kid":"issuer-1","typ":"jwt"})",
                             R"({"alg":"ES256","kid":"issuer-1","typ":"otaria-manifest+jws"})",
                             R"({"alg":"ES256","kid":7})",
                             R"({"alg":"ES256","kid":""})"}) {
    Minted minted;
    minted.header = header;
    EXPECT_EQ(refusal(minted), "bad_header") << header;
  }
  Minted long_id;
  long_id.header = R"({"alg":"ES256","kid":")" + std::string(65, 'k') + R"("})";
  EXPECT_EQ(refusal(long_id), "bad_header");
}

TEST(TokenChecker, TakesAHeaderWithoutType) {
  Minted minted;
  minted.header = R"({"kid":"issuer-1","alg":"ES256"})";
  EXPECT_EQ(refusal(minted), "none");
}

TEST(TokenChecker, RefusesAKeyThatItDoesNotKnow) {
  Minted minted;
  minted.header = R"({"alg":"ES256","kid":"issuer-2","typ":"JWT"})";
  EXPECT_EQ(refusal(minted), "unknown_key");
  minted.header = R"({"alg":"ES256","typ":"JWT"})";
  EXPECT_EQ(refusal(minted), "unknown_key");
}

TEST(TokenChecker, BindsTheTokenToItsBearer) {
  EXPECT_EQ(refusal(Minted{}, {"a4cf12e0a1b3", id}), "wrong_username");
  EXPECT_EQ(refusal(Minted{}, {"A4CF12E0A1B2", id}), "wrong_username");
  EXPECT_EQ(refusal(Minted{}, {"", id}), "wrong_username");
  EXPECT_EQ(refusal(Minted{}, {mac, "sensor_FFFF"}), "wrong_client_id");
  EXPECT_EQ(refusal(Minted{}, {mac, "sensor_a1b2"}), "wrong_client_id");
  EXPECT_EQ(refusal(Minted{}, {mac, ""}), "wrong_client_id");
  EXPECT_EQ(refusal(Minted{}, {mac, "sensor_A1B2 "}), "wrong_client_id");
}

TEST(TokenChecker, TakesAUsernameWithColonsWhenTheClaimIsTheSame) {
  Minted minted;
  minted.subject = minted.username = R"("A4:CF:12:E0:A1:B2")";
  EXPECT_EQ(refusal(minted, {"A4:CF:12:E0:A1:B2", id}), "none");
}

TEST(TokenChecker, RefusesAnotherIssuerOrAudience) {
  Minted minted;
  minted.issuer = R"("other")";
  EXPECT_EQ(refusal(minted), "wrong_issuer");
  minted = {};
  minted.audience = R"("other")";
  EXPECT_EQ(refusal(minted), "wrong_audience");
  minted.audience = R"("otaria other")";
  EXPECT_EQ(refusal(minted), "wrong_audience");
  minted.audience = "[]";
  EXPECT_EQ(refusal(minted), "wrong_audience");
  minted.audience = R"(["a",7])";
  EXPECT_EQ(refusal(minted), "bad_payload");
  minted.audience = R"(["other","otaria"])";
  EXPECT_EQ(refusal(minted), "none");
  minted.audience = R"(["otaria","other"])";
  EXPECT_EQ(refusal(minted), "none");
}

TEST(TokenChecker, RefusesATokenThatLacksAClaim) {
  for (auto claim : {&Minted::issuer,
                     &Minted::audience,
                     &Minted::subject,
                     &Minted::username,
                     &Minted::client_id,
                     &Minted::issued,
                     &Minted::expires,
                     &Minted::acl}) {
    Minted minted;
    (minted.*claim).clear();
    EXPECT_EQ(refusal(minted), "missing_claim") << minted.payload();
  }
}

TEST(TokenChecker, TakesATokenWithoutRulesOnlyWhereTheBrokerReadsOthers) {
  Minted minted;
  minted.acl.clear();
  const std::string token = minted.signed_by(issuer());
  EXPECT_EQ(refusal(token), "missing_claim");
  const auto where_optional = [](const std::string& text) {
    return TokenChecker{}.check(text, {mac, id}, keys(), Denylist{}, now_s, AclClaim::optional);
  };
  const Verdict verdict = where_optional(token);
  EXPECT_TRUE(verdict.ok()) << name_of(verdict.refusal);
  EXPECT_THAT(verdict.claims.publish, IsEmpty());
  minted.acl = R"("#")";
  EXPECT_EQ(name_of(where_optional(minted.signed_by(issuer())).refusal), "bad_acl");
}

TEST(TokenChecker, RefusesClaimsOfAnotherType) {
  for (auto claim : {&Minted::issuer,
                     &Minted::audience,
                     &Minted::subject,
                     &Minted::username,
                     &Minted::client_id,
                     &Minted::issued,
                     &Minted::expires,
                     &Minted::not_before,
                     &Minted::token_id}) {
    for (const char* value :
         {"true", "null", "{}", "1e9", "-1", "1790000000.5", "99999999999", "[1]"}) {
      Minted minted;
      minted.*claim = value;
      EXPECT_EQ(refusal(minted), "bad_payload") << minted.payload();
    }
  }
  for (auto claim : {&Minted::issued, &Minted::expires, &Minted::not_before}) {
    Minted minted;
    minted.*claim = R"("1690000000")";
    EXPECT_EQ(refusal(minted), "bad_payload") << minted.payload();
  }
}

TEST(TokenChecker, RefusesAMemberThatStandsThereTwice) {
  for (const char* twice : {R"(,"exp":1790086400)", R"(,"acl":{})", R"(,"x":1,"x":1)"}) {
    Minted minted;
    minted.more = twice;
    EXPECT_EQ(refusal(minted), "bad_payload") << twice;
  }
}

TEST(TokenChecker, RefusesAPayloadThatIsNoJsonObject) {
  for (const char* payload : {"", "[]", "7", "{", R"({"iss":"otaria"}x)", "\xFF"}) {
    const std::string text =
        base64url(std::string_view{Minted{}.header}) + '.' + base64url(std::string_view{payload});
    EXPECT_EQ(refusal(text + '.' + base64url(issuer().sign(crypto::sha256(text)))), "bad_payload")
        << payload;
  }
}

struct Times {
  std::int64_t issued, expires, not_before;
  std::string_view why;
};

TEST(TokenChecker, KnowsItsTimeToTheSecond) {
  constexpr std::int64_t day = 86400;
  const Times rows[] = {
      {now_s - day, now_s - 29, 0, "none"},
      {now_s - day, now_s - 30, 0, "expired"},
      {now_s - day, 0, 0, "expired"},
      {now_s + 30, now_s + day, 0, "none"},
      {now_s + 31, now_s + day, 0, "not_yet_valid"},
      {now_s, now_s + 7 * day, 0, "none"},
      {now_s, now_s + 7 * day + 1, 0, "lives_too_long"},
      {0, now_s + 1, 0, "lives_too_long"},
      {now_s, now_s + day, now_s + 30, "none"},
      {now_s, now_s + day, now_s + 31, "not_yet_valid"},
  };
  for (const auto& [issued, expires, not_before, why] : rows) {
    Minted minted;
    minted.issued = std::to_string(issued);
    minted.expires = std::to_string(expires);
    minted.not_before = std::to_string(not_before);
    EXPECT_EQ(refusal(minted), why) << minted.payload();
  }
}

TEST(TokenChecker, RefusesWhomTheDenylistNames) {
  const std::string token = Minted{}.signed_by(issuer());
  for (const char* line : {"sub:a4cf12e0a1b2", "jti:Zk3vQ1xT0aBc"}) {
    const auto denied = Denylist::parse(line).list.value();
    EXPECT_EQ(TokenChecker{}.check(token, {mac, id}, keys(), denied, now_s).refusal,
              Refusal::denied);
  }
  const auto over = Denylist::parse("sub:a4cf12e0a1b2 until:1790000100").list.value();
  EXPECT_TRUE(TokenChecker{}.check(token, {mac, id}, keys(), over, now_s).ok());
}

TEST(TokenChecker, TakesATokenWithoutId) {
  Minted minted;
  minted.token_id.clear();
  EXPECT_EQ(refusal(minted), "none");
}

TEST(TokenChecker, RefusesRulesThatAreNotExactlyRules) {
  std::string many = R"("a")";
  for (std::size_t i = 1; i < max_filters; ++i) many += R"(,"a")";
  for (const std::string& acl : {
           std::string{R"([{"permission":"allow","action":"all","topic":"#"}])"},
           std::string{R"("all")"},
           std::string{"7"},
           std::string{"true"},
           std::string{R"({"sub":"a"})"},
           std::string{R"({"sub":[1]})"},
           std::string{R"({"sub":["a",["b"]]})"},
           std::string{R"({"sub":{"a":1}})"},
           std::string{R"({"sub":[""]})"},
           std::string{R"({"sub":["a/#/b"]})"},
           std::string{R"({"pub":["a+"]})"},
           std::string{R"({"sub":["$SYS/#"]})"},
           std::string{R"({"sub":["${clientid}/x"]})"},
           std::string{R"({"sub":["a"],"deny":["b"]})"},
           R"({"sub":[)" + many + R"(,"a"]})",
           R"({"all":["a"],"pub":[)" + many + "]}",
       }) {
    Minted minted;
    minted.acl = acl;
    EXPECT_EQ(refusal(minted), "bad_acl") << acl;
  }
  Minted sixteen;
  sixteen.acl = R"({"sub":[)" + many + R"(],"pub":[)" + many + "]}";
  EXPECT_EQ(refusal(sixteen), "none");
}

TEST(TokenChecker, ReadsWhatFollowsABadAcl) {
  Minted minted;
  minted.acl = R"([{"a":[1,2]}])";
  minted.more = R"(,"x":1)";
  EXPECT_EQ(refusal(minted), "bad_acl");
  minted.acl = R"([{"a":[1,2})";
  EXPECT_EQ(refusal(minted), "bad_payload");
}

TEST(TokenChecker, GivesNoRightsWhereNoneAreNamed) {
  Minted minted;
  minted.acl = "{}";
  const Verdict verdict = check(minted.signed_by(issuer()));
  EXPECT_TRUE(verdict.ok());
  EXPECT_THAT(verdict.claims.subscribe, IsEmpty());
  EXPECT_THAT(verdict.claims.publish, IsEmpty());
}

TEST(TokenChecker, ReadsAllAsBothRights) {
  Minted minted;
  minted.acl = R"({"all":["a/b"],"pub":["c"]})";
  const Verdict verdict = check(minted.signed_by(issuer()));
  EXPECT_THAT(verdict.claims.subscribe, ElementsAre("a/b"));
  EXPECT_THAT(verdict.claims.publish, ElementsAre("a/b", "c"));
}

// Judged in the order of the reference: the signature before anything the payload says.
TEST(TokenChecker, SaysNothingAboutClaimsOfAForgedToken) {
  PrivateKey stranger = PrivateKey::generate(contract::Algorithm::es256);
  Minted minted;
  minted.expires = "1";
  minted.issuer = R"("x")";
  EXPECT_EQ(refusal(minted.signed_by(stranger)), "bad_signature");
}

TEST(Refusal, HasANameEach) {
  EXPECT_EQ(name_of(Refusal::none), "none");
  EXPECT_EQ(name_of(Refusal::bad_acl), "bad_acl");
}

}  // namespace
}  // namespace otaria::token
