#include "contract/trust/signed_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/trust/testing/signed_examples.hpp"

namespace otaria::contract {
namespace {

using testing::known_key_id;
using testing::known_manifest;
using testing::known_payload_sha256;
using testing::known_public_key;
using testing::PrivateKey;
using testing::signed_file;

class Recorder final : public SignatureVisitor {
 public:
  struct Line {
    std::string key;
    Digest digest;
    std::vector<std::uint8_t> signature;
  };
  bool on_signature(const SignatureLine& line) override {
    lines.push_back({std::string{line.key.view()},
                     line.digest,
                     {line.signature.begin(), line.signature.end()}});
    return lines.size() != stop_after;
  }
  std::vector<Line> lines;
  std::size_t stop_after = 0;
};

SignedDefect read(std::string_view text,
                  Recorder& recorder,
                  PayloadPlace& payload,
                  const SignedKind& kind = manifest_kind,
                  std::size_t room = 64) {
  MemoryFile file{text};
  crypto::Sha256Hasher hasher;
  std::vector<std::uint8_t> signature(room);
  return read_signed_file(kind, file, hasher, signature, recorder, payload);
}

SignedDefect read(std::string_view text, const SignedKind& kind = manifest_kind) {
  Recorder recorder;
  PayloadPlace payload;
  return read(text, recorder, payload, kind);
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string line_with_header(std::initializer_list<std::string_view> pieces) {
  std::string header;
  for (const std::string_view piece : pieces) header += piece;
  return crypto::base64url(header).append(".e30.AAAA");
}

TEST(SignedFile, VerifiesTheKnownAnswer) {
  Recorder recorder;
  PayloadPlace payload;
  ASSERT_EQ(read(known_manifest, recorder, payload), SignedDefect::none);
  ASSERT_EQ(recorder.lines.size(), 1U);
  EXPECT_EQ(recorder.lines[0].key, known_key_id);
  const std::string key = *crypto::from_base64url(known_public_key);
  crypto::OpenSslVerifier verifier;
  EXPECT_TRUE(verifier.verify(
      Algorithm::es256, bytes_of(key), recorder.lines[0].digest, recorder.lines[0].signature));
  MemoryFile file{known_manifest};
  crypto::Sha256Hasher hasher;
  const auto hex = hex_of(digest_of_payload(file, payload, hasher));
  EXPECT_EQ((std::string_view{hex.data(), hex.size()}), known_payload_sha256);
}

TEST(SignedFile, ComputesTheKeyIdOfTheKnownKey) {
  const std::string key = *crypto::from_base64url(known_public_key);
  crypto::Sha256Hasher hasher;
  EXPECT_EQ(key_id_of(Algorithm::es256, bytes_of(key), hasher), known_key_id);
}

TEST(SignedFile, GivesEachLineTheDigestOfTheSharedPayload) {
  PrivateKey first = PrivateKey::generate(Algorithm::es256);
  PrivateKey second = PrivateKey::generate(Algorithm::es256);
  const std::string text = signed_file(manifest_kind.type, "{\"a\":1}", {&first, &second});
  Recorder recorder;
  PayloadPlace payload;
  ASSERT_EQ(read(text, recorder, payload), SignedDefect::none);
  ASSERT_EQ(recorder.lines.size(), 2U);
  crypto::OpenSslVerifier verifier;
  EXPECT_TRUE(verifier.verify(Algorithm::es256,
                              first.public_key().bytes,
                              recorder.lines[0].digest,
                              recorder.lines[0].signature));
  EXPECT_TRUE(verifier.verify(Algorithm::es256,
                              second.public_key().bytes,
                              recorder.lines[1].digest,
                              recorder.lines[1].signature));
  EXPECT_FALSE(verifier.verify(Algorithm::es256,
                               second.public_key().bytes,
                               recorder.lines[0].digest,
                               recorder.lines[0].signature));
}

TEST(SignedFile, AcceptsAMissingLastLineFeedOnly) {
  EXPECT_EQ(read(known_manifest), SignedDefect::none);
  EXPECT_EQ(read(known_manifest + "\n"), SignedDefect::none);
  for (const char* tail : {"\n\n", "\r\n", " ", "\n ", "\n\r\n", "."}) {
    EXPECT_EQ(read(known_manifest + tail), SignedDefect::not_compact_jws) << tail;
  }
  EXPECT_EQ(read(known_manifest + std::string(1, '\0')), SignedDefect::not_compact_jws);
}

TEST(SignedFile, RefusesEveryTruncationButTheOnesThatAreAShorterSignature) {
  const std::size_t signature = known_manifest.rfind('.');
  for (std::size_t length = 0; length <= signature; ++length) {
    EXPECT_NE(read(known_manifest.substr(0, length)), SignedDefect::none) << length;
  }
}

TEST(SignedFile, RefusesASecondPayloadAndAFirstLineWithoutOne) {
  EXPECT_EQ(read(known_manifest + "\n" + known_manifest), SignedDefect::payload_repeated);
  const std::string header = known_manifest.substr(0, known_manifest.find('.'));
  EXPECT_EQ(read(header + "..AAAA"), SignedDefect::payload_repeated);
}

TEST(SignedFile, RefusesAFifthLine) {
  const std::string more = "\n" + known_manifest.substr(0, known_manifest.find('.')) + "..AAAA";
  EXPECT_EQ(read(known_manifest + more + more + more), SignedDefect::none);
  EXPECT_EQ(read(known_manifest + more + more + more + more), SignedDefect::too_many_lines);
}

TEST(SignedFile, TakesExactlyThreeHeaderMembers) {
  const std::string rest = R"("kid":"7bc16e6af083f055","typ":"otaria-manifest+jws"})";
  EXPECT_EQ(read(line_with_header({R"({"alg":"ES256",)", rest})), SignedDefect::none);
  for (const char* more : {R"("jwk":{},)",
                           R"("jku":"x",)",
                           R"("x5c":[],)",
                           R"("crit":["exp"],)",
                           R"("b64":false,)",
                           R"("x5u":"x",)",
                           R"("cty":"x",)"}) {
    EXPECT_EQ(read(line_with_header({R"({"alg":"ES256",)", more, rest})), SignedDefect::bad_header)
        << more;
  }
  EXPECT_EQ(read(line_with_header({"{", rest})), SignedDefect::bad_header);
  EXPECT_EQ(read(line_with_header({R"({"alg":"ES256","alg":"ES256",)", rest})),
            SignedDefect::bad_header);
  EXPECT_EQ(read(line_with_header({R"({"alg":"ES256","typ":"otaria-manifest+jws"})"})),
            SignedDefect::bad_header);
  EXPECT_EQ(read(line_with_header({R"({"alg":"ES256","kid":"7bc16e6af083f055"})"})),
            SignedDefect::bad_header);
}

TEST(SignedFile, RefusesAlgorithmsItDoesNotKnow) {
  for (const char* algorithm : {"none", "None", "HS256", "RS256", "ES384", "EdDSA", ""}) {
    EXPECT_EQ(
        read(line_with_header({R"({"alg":")",
                               algorithm,
                               R"(","kid":"7bc16e6af083f055","typ":"otaria-manifest+jws"})"})),
        SignedDefect::bad_algorithm)
        << algorithm;
  }
}

TEST(SignedFile, RefusesAFileOfAnotherKind) {
  EXPECT_EQ(read(known_manifest, key_list_kind), SignedDefect::wrong_type);
  EXPECT_EQ(read(line_with_header(
                {R"({"alg":"ES256","kid":"7bc16e6af083f055","typ":"otaria-manifest+jws "})"})),
            SignedDefect::wrong_type);
}

TEST(SignedFile, RefusesKeyIdsThatAreNoSixteenLowerCaseHexDigits) {
  for (const char* id :
       {"7BC16E6AF083F055", "7bc16e6af083f05", "7bc16e6af083f0555", "", "../../x"}) {
    EXPECT_EQ(read(line_with_header(
                  {R"({"alg":"ES256","kid":")", id, R"(","typ":"otaria-manifest+jws"})"})),
              SignedDefect::bad_header)
        << id;
  }
}

TEST(SignedFile, HoldsEachLimitAndNotAByteMore) {
  PrivateKey key = PrivateKey::generate(Algorithm::es256);
  const auto with_payload = [&](std::size_t bytes) {
    return signed_file(manifest_kind.type, std::string(bytes, 'x'), {&key});
  };
  EXPECT_EQ(read(with_payload(1024)), SignedDefect::none);
  EXPECT_EQ(read(with_payload(1025)), SignedDefect::too_long);
  EXPECT_EQ(read(std::string(4097, 'A')), SignedDefect::too_long);
  EXPECT_EQ(read(""), SignedDefect::empty);
  EXPECT_EQ(read(std::string(220, 'A').append(".e30.AAAA")), SignedDefect::too_long);
}

TEST(SignedFile, LeavesOutASignatureThatIsLongerThanItsRoom) {
  PrivateKey key = PrivateKey::generate(Algorithm::ps256);
  Recorder recorder;
  PayloadPlace payload;
  const std::string text = signed_file(manifest_kind.type, "{}", {&key});
  ASSERT_EQ(read(text, recorder, payload), SignedDefect::none);
  EXPECT_TRUE(recorder.lines.at(0).signature.empty());
  Recorder roomy;
  ASSERT_EQ(read(text, roomy, payload, manifest_kind, 384), SignedDefect::none);
  EXPECT_EQ(roomy.lines.at(0).signature.size(), 384U);
}

/// A medium that fails behind some bytes.
class FailingFile final : public FileSource {
 public:
  FailingFile(std::string_view text, std::uint32_t good) : inner_{text}, good_{good} {}
  [[nodiscard]] std::uint32_t size() const override { return inner_.size(); }
  bool read(std::uint32_t offset, std::span<std::uint8_t> into) override {
    return offset + into.size() <= good_ && inner_.read(offset, into);
  }

 private:
  MemoryFile inner_;
  std::uint32_t good_;
};

TEST(SignedFile, NeverAcceptsAFileThatCouldNotBeReadWhole) {
  crypto::Sha256Hasher hasher;
  for (std::uint32_t good = 0; good < known_manifest.size(); good += 16) {
    FailingFile file{known_manifest, good};
    std::array<std::uint8_t, 64> signature{};
    Recorder recorder;
    PayloadPlace payload;
    EXPECT_NE(read_signed_file(manifest_kind, file, hasher, signature, recorder, payload),
              SignedDefect::none)
        << good;
    EXPECT_TRUE(recorder.lines.empty());
  }
}

}  // namespace
}  // namespace otaria::contract
