#include "server/identity/signed_request.hpp"

#include <array>
#include <span>

#include "contract/trust/signed_file.hpp"
#include "contract/trust/strict_json.hpp"
#include "contract/vocabulary.hpp"

namespace otaria::server {
namespace {

using contract::StrictJson;

constexpr contract::SignedKind rekey_kind{"otaria-rekey+jws", 512, 512, 256, 1};
constexpr std::size_t longest_text = 640;  // new_proof; nothing else is longer

Refusal bad(const std::string& detail) {
  return {"bad_request", detail, "docs/guide/identity.md has the form of the request"};
}

/// Where a member of a payload goes, and how long it may be.
struct Member {
  std::string_view name;
  std::string* into;
  std::size_t longest;
  bool required = true;
};

class OneSignature final : public contract::SignatureVisitor {
 public:
  explicit OneSignature(RequestSignature& into) : into_{into} {}
  bool on_signature(const contract::SignatureLine& line) override {
    into_.kid = line.key.view();
    into_.digest = line.digest;
    into_.bytes.assign(line.signature.begin(), line.signature.end());
    es256_ = line.algorithm == contract::Algorithm::es256;
    return true;
  }
  [[nodiscard]] bool es256() const { return es256_; }

 private:
  RequestSignature& into_;
  bool es256_ = false;
};

class PayloadReader {
 public:
  PayloadReader(contract::ByteSource& payload, std::span<const Member> members)
      : json_{payload, text_}, members_{members} {}

  /// What is wrong; empty: every required member was read.
  std::string read() {
    if (json_.next() != StrictJson::Event::object_begin) return defect();
    for (;;) {
      const auto event = json_.next();
      if (event == StrictJson::Event::object_end) break;
      if (event != StrictJson::Event::member) return defect();
      std::string wrong = read_member(std::string{json_.text()});
      if (!wrong.empty()) return wrong;
    }
    if (json_.next() != StrictJson::Event::end) return defect();
    for (const Member& member : members_) {
      if (member.required && member.into->empty()) {
        return "member `" + std::string{member.name} + "` is missing or empty";
      }
    }
    return {};
  }

 private:
  std::string defect() {
    return "the payload is not of the signed JSON profile: " +
           std::string{contract::name_of(json_.defect())};
  }

  std::string read_member(const std::string& name) {
    // Nothing may be critical that this program does not know, and it knows nothing critical.
    if (name == "crit") return "member `crit` is not understood";
    for (const Member& member : members_) {
      if (member.name != name) continue;
      if (json_.next() != StrictJson::Event::string) return "member `" + name + "` is no string";
      if (json_.text_too_long() || json_.text().size() > member.longest) {
        return "member `" + name + "` is longer than " + std::to_string(member.longest) + " bytes";
      }
      *member.into = json_.text();
      return {};
    }
    return json_.skip() ? std::string{} : defect();
  }

  std::array<char, longest_text> text_{};
  StrictJson json_;
  std::span<const Member> members_;
};

/// Reads one line and its payload; the signature is not verified. Returns what is wrong.
std::string read_line(const contract::SignedKind& kind,
                      std::string_view jws,
                      std::span<const Member> members,
                      RequestSignature& signature) {
  contract::MemoryFile file{jws};
  crypto::Sha256Hasher hasher;
  std::array<std::uint8_t, contract::es256_signature_bytes> buffer{};
  OneSignature visitor{signature};
  contract::PayloadPlace place;
  const auto defect = contract::read_signed_file(kind, file, hasher, buffer, visitor, place);
  if (defect != contract::SignedDefect::none) {
    return "no JWS of type " + std::string{kind.type} + ": " +
           std::string{contract::name_of(defect)};
  }
  if (!visitor.es256()) return "the algorithm is not ES256";
  contract::Base64UrlBytes payload{file, place.offset, place.characters};
  return PayloadReader{payload, members}.read();
}

// A line end behind the line is what text tools leave there.
std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool is_signed_by(const RequestSignature& signature, const crypto::PublicKey& key) {
  crypto::OpenSslVerifier verifier;
  // The signature is checked whatever `kid` says: how long a refusal takes tells nothing of it.
  const bool verified =
      verifier.verify(contract::Algorithm::es256, key.bytes, signature.digest, signature.bytes);
  return verified && signature.kid == key.key_id();
}

std::optional<crypto::PublicKey> device_key_from(std::string_view base64url) {
  const auto bytes = crypto::from_base64url(base64url);
  if (!bytes || bytes->size() != contract::es256_public_key_bytes) return std::nullopt;
  crypto::PublicKey key{contract::Algorithm::es256, {bytes->begin(), bytes->end()}};
  if (!crypto::is_valid(key)) return std::nullopt;
  return key;
}

Outcome<EnrolmentRequest> read_enrolment(std::string_view jws) {
  EnrolmentRequest request;
  RequestSignature signature;
  const std::array members{Member{"mac", &request.mac, contract::mac_text_bytes},
                           Member{"pub", &request.pub, 86},
                           Member{"nonce", &request.nonce, 64},
                           Member{"claim", &request.claim, 64, false},
                           Member{"id", &request.id, contract::max_device_id_bytes, false}};
  const std::string wrong =
      read_line(contract::enrolment_kind, without_line_end(jws), members, signature);
  if (!wrong.empty()) return bad(wrong);
  if (!contract::is_mac(request.mac)) return bad("`mac` is not 12 lower-case hex digits");
  if (!request.id.empty() && !contract::is_device_id(request.id)) {
    return bad("`id` is not 1 to 32 of A-Z a-z 0-9 _ -");
  }
  auto key = device_key_from(request.pub);
  if (!key) return bad("`pub` is no point on P-256 (base64url of X || Y, 64 bytes)");
  if (!is_signed_by(signature, *key)) return bad("the signature is not by the key in `pub`");
  request.key = std::move(*key);
  return request;
}

Outcome<Assertion> read_assertion(std::string_view jws) {
  Assertion assertion;
  std::string subject;
  const std::array members{Member{"iss", &assertion.mac, contract::mac_text_bytes},
                           Member{"sub", &subject, contract::mac_text_bytes},
                           Member{"aud", &assertion.aud, contract::max_url_bytes},
                           Member{"nonce", &assertion.nonce, 64},
                           Member{"id", &assertion.id, contract::max_device_id_bytes, false},
                           Member{"fw", &assertion.fw, contract::max_version_bytes, false},
                           Member{"new_pub", &assertion.new_pub, 86, false},
                           Member{"new_proof", &assertion.new_proof, 512, false}};
  const std::string wrong =
      read_line(contract::assertion_kind, without_line_end(jws), members, assertion.signature);
  if (!wrong.empty()) return bad(wrong);
  if (!contract::is_mac(assertion.mac)) return bad("`iss` is not 12 lower-case hex digits");
  if (subject != assertion.mac) return bad("`sub` is not `iss`");
  if (assertion.new_pub.empty() != assertion.new_proof.empty()) {
    return bad("`new_pub` and `new_proof` come together");
  }
  return assertion;
}

Outcome<crypto::PublicKey> read_new_key(const Assertion& assertion) {
  auto key = device_key_from(assertion.new_pub);
  if (!key) return bad("`new_pub` is no point on P-256 (base64url of X || Y, 64 bytes)");
  std::string mac, nonce;
  RequestSignature signature;
  const std::array members{Member{"mac", &mac, contract::mac_text_bytes},
                           Member{"nonce", &nonce, 64}};
  const std::string wrong = read_line(rekey_kind, assertion.new_proof, members, signature);
  if (!wrong.empty()) return bad("`new_proof`: " + wrong);
  if (mac != assertion.mac || nonce != assertion.nonce) {
    return bad("`new_proof` is about another MAC or nonce than the assertion");
  }
  if (!is_signed_by(signature, *key)) return bad("`new_proof` is not by the key in `new_pub`");
  return std::move(*key);
}

}  // namespace otaria::server
