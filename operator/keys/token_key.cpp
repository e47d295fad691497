#include "operator/keys/token_key.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "operator/keys/cryptoki.hpp"

namespace otaria::keys {
namespace {

using contract::Algorithm;
using Bytes = std::vector<std::uint8_t>;

// DER of the object identifier prime256v1 (RFC 5480, section 2.1.1.1).
constexpr std::array<std::uint8_t, 10> p256_parameters{
    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr CK_ULONG rsa_bits = 3072;
constexpr std::size_t new_id_bytes = 8;

std::string described(const TokenReference& reference) {
  return reference.object.empty() ? "with that id" : "`" + reference.object + "`";
}

CK_OBJECT_HANDLE only_one(const std::vector<CK_OBJECT_HANDLE>& found,
                          const TokenReference& reference,
                          const std::string& token) {
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw usage_error("key_not_found",
                      fmt::format("Token {} has no private key {}.", token, described(reference)),
                      "Make one: otaria key create --role release --key 'pkcs11:token=…;object=…'");
  }
  throw usage_error(
      "ambiguous_key",
      fmt::format("Token {} has {} private keys {}.", token, found.size(), described(reference)),
      "Add id=… to the reference.");
}

KeyError unsuitable(const std::string& what) {
  return usage_error("unsuitable_key",
                     fmt::format("The token's key is {}, not P-256 or RSA with 3,072 bits.", what),
                     "Make one: otaria key create --role release --key 'pkcs11:token=…;object=…'");
}

Bytes with_length(std::uint8_t tag, const Bytes& content) {
  Bytes der{tag};
  const std::size_t length = content.size();
  if (length < 0x80) {
    der.push_back(static_cast<std::uint8_t>(length));
  } else if (length < 0x100) {
    der.insert(der.end(), {0x81, static_cast<std::uint8_t>(length)});
  } else {
    der.insert(der.end(),
               {0x82, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)});
  }
  der.insert(der.end(), content.begin(), content.end());
  return der;
}

/// A number that is not negative, without leading zeros but the one that keeps it so.
Bytes der_integer(std::span<const std::uint8_t> number) {
  while (!number.empty() && number.front() == 0) number = number.subspan(1);
  if (number.empty()) return {};
  Bytes content;
  if ((number.front() & 0x80) != 0) content.push_back(0);
  content.insert(content.end(), number.begin(), number.end());
  return with_length(0x02, content);
}

crypto::PublicKey ec_half(TokenSession& session, CK_OBJECT_HANDLE object) {
  const auto parameters = session.attribute(object, CKA_EC_PARAMS);
  if (!parameters ||
      !std::equal(
          parameters->begin(), parameters->end(), p256_parameters.begin(), p256_parameters.end())) {
    throw unsuitable("on another curve");
  }
  const auto point = session.attribute(object, CKA_EC_POINT);
  return {Algorithm::es256, point ? point_of(*point) : Bytes{}};
}

crypto::PublicKey rsa_half(TokenSession& session, CK_OBJECT_HANDLE object) {
  const auto modulus = session.attribute(object, CKA_MODULUS);
  const auto exponent = session.attribute(object, CKA_PUBLIC_EXPONENT);
  if (!modulus || !exponent) return {Algorithm::ps256, {}};
  return {Algorithm::ps256, pkcs1_of(*modulus, *exponent)};
}

crypto::PublicKey half_of(TokenSession& session, CK_OBJECT_HANDLE object) {
  const auto type = session.number(object, CKA_KEY_TYPE);
  if (!type || (*type != CKK_EC && *type != CKK_RSA)) throw unsuitable("of another kind");
  crypto::PublicKey half = *type == CKK_EC ? ec_half(session, object) : rsa_half(session, object);
  if (half.bytes.empty() || !crypto::is_valid(half)) {
    if (*type == CKK_RSA && !half.bytes.empty()) throw unsuitable("RSA of another size");
    throw refusal(
        "no_public_key",
        fmt::format("Token {} does not give the public half of the key.", session.token().label),
        "Import its certificate or public key object beside it, with the same id.");
  }
  return half;
}

/// The public object that belongs to a private one, by CKA_ID, else by label.
crypto::PublicKey public_half_of(TokenSession& session,
                                 CK_OBJECT_HANDLE key,
                                 const TokenReference& reference) {
  const auto id = session.attribute(key, CKA_ID);
  const std::string id_text = id ? std::string{id->begin(), id->end()} : std::string{};
  auto objects = session.find(CKO_PUBLIC_KEY, id_text.empty() ? reference.object : "", id_text);
  if (objects.size() > 1) objects = session.find(CKO_PUBLIC_KEY, reference.object, id_text);
  // An RSA private key holds both numbers itself; an EC one may.
  return half_of(session, objects.empty() ? key : objects.front());
}

struct Templates {
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG bits = rsa_bits;
  std::array<std::uint8_t, 3> exponent{1, 0, 1};  // 65537
  std::array<std::uint8_t, 10> curve = p256_parameters;
  std::string label;
  std::string id;

  std::vector<CK_ATTRIBUTE> of_public(Algorithm algorithm) {
    std::vector<CK_ATTRIBUTE> attributes{{CKA_TOKEN, &yes, sizeof yes},
                                         {CKA_PRIVATE, &no, sizeof no},
                                         {CKA_VERIFY, &yes, sizeof yes},
                                         {CKA_LABEL, label.data(), label.size()},
                                         {CKA_ID, id.data(), id.size()}};
    if (algorithm == Algorithm::es256) {
      attributes.push_back({CKA_EC_PARAMS, curve.data(), curve.size()});
    } else {
      attributes.push_back({CKA_MODULUS_BITS, &bits, sizeof bits});
      attributes.push_back({CKA_PUBLIC_EXPONENT, exponent.data(), exponent.size()});
    }
    return attributes;
  }
  std::vector<CK_ATTRIBUTE> of_private() {
    return {{CKA_TOKEN, &yes, sizeof yes},
            {CKA_PRIVATE, &yes, sizeof yes},
            {CKA_SENSITIVE, &yes, sizeof yes},
            {CKA_EXTRACTABLE, &no, sizeof no},
            {CKA_SIGN, &yes, sizeof yes},
            {CKA_DECRYPT, &no, sizeof no},
            {CKA_LABEL, label.data(), label.size()},
            {CKA_ID, id.data(), id.size()}};
  }
};

CK_OBJECT_HANDLE generate(TokenSession& session,
                          const TokenReference& reference,
                          Algorithm algorithm) {
  Templates templates;
  templates.label = reference.object;
  templates.id = reference.id;
  if (templates.id.empty()) {
    const auto id = crypto::random_bytes(new_id_bytes);
    templates.id.assign(id.begin(), id.end());
  }
  CK_MECHANISM mechanism{
      algorithm == Algorithm::es256 ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  auto public_half = templates.of_public(algorithm);
  auto private_half = templates.of_private();
  CK_OBJECT_HANDLE public_object = 0;
  CK_OBJECT_HANDLE private_object = 0;
  check(session.calls().C_GenerateKeyPair(session.handle(),
                                          &mechanism,
                                          public_half.data(),
                                          public_half.size(),
                                          private_half.data(),
                                          private_half.size(),
                                          &public_object,
                                          &private_object),
        "C_GenerateKeyPair");
  return private_object;
}

std::unique_ptr<TokenSession> session_for(const TokenReference& reference, bool writable) {
  auto module = CryptokiModule::load(module_of(reference));
  FoundToken token = find_token(*module, reference);
  return std::make_unique<TokenSession>(std::move(module), std::move(token), writable);
}

}  // namespace

std::vector<std::uint8_t> point_of(std::span<const std::uint8_t> attribute) {
  constexpr std::size_t point_bytes = 1 + contract::es256_public_key_bytes;
  if (attribute.size() == point_bytes + 2 && attribute[0] == 0x04 && attribute[1] == point_bytes)
    attribute = attribute.subspan(2);
  if (attribute.size() != point_bytes || attribute[0] != 0x04) return {};
  return {attribute.begin() + 1, attribute.end()};
}

std::vector<std::uint8_t> pkcs1_of(std::span<const std::uint8_t> modulus,
                                   std::span<const std::uint8_t> exponent) {
  Bytes numbers = der_integer(modulus);
  const Bytes second = der_integer(exponent);
  if (numbers.empty() || second.empty()) return {};
  numbers.insert(numbers.end(), second.begin(), second.end());
  return with_length(0x30, numbers);
}

TokenKey::TokenKey(std::unique_ptr<TokenSession> session, unsigned long key, crypto::PublicKey half)
    : session_{std::move(session)}, key_{key}, public_{std::move(half)} {
  const auto each_time = session_->attribute(key_, CKA_ALWAYS_AUTHENTICATE);
  asks_each_time_ = each_time && each_time->size() == 1 && each_time->front() == CK_TRUE;
}

TokenKey::~TokenKey() = default;

std::unique_ptr<TokenKey> TokenKey::open(const TokenReference& reference,
                                         const SecretSources& secrets) {
  auto session = session_for(reference, false);
  session->login(secrets, reference.pin_file);
  const CK_OBJECT_HANDLE key =
      only_one(session->find(CKO_PRIVATE_KEY, reference.object, reference.id),
               reference,
               session->token().label);
  crypto::PublicKey half = public_half_of(*session, key, reference);
  return std::unique_ptr<TokenKey>{new TokenKey{std::move(session), key, std::move(half)}};
}

std::unique_ptr<TokenKey> TokenKey::create(const TokenReference& reference,
                                           Algorithm algorithm,
                                           const SecretSources& secrets) {
  if (reference.object.empty()) {
    throw usage_error("bad_key_reference",
                      "A new key needs a label: object=… in the reference.",
                      "Write it like pkcs11:token=release;object=2026");
  }
  auto session = session_for(reference, true);
  session->login(secrets, reference.pin_file);
  if (!session->find(CKO_PRIVATE_KEY, reference.object, "").empty()) {
    throw usage_error("key_exists",
                      fmt::format("Token {} has a key {} already; nothing was made.",
                                  session->token().label,
                                  described(reference)),
                      "Choose another object=….");
  }
  const CK_OBJECT_HANDLE key = generate(*session, reference, algorithm);
  crypto::PublicKey half = public_half_of(*session, key, reference);
  return std::unique_ptr<TokenKey>{new TokenKey{std::move(session), key, std::move(half)}};
}

std::vector<std::uint8_t> TokenKey::sign(const contract::Digest& digest) {
  CK_FUNCTION_LIST& calls = session_->calls();
  CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, 32};
  const bool rsa = public_.algorithm == Algorithm::ps256;
  CK_MECHANISM mechanism{rsa ? CKM_RSA_PKCS_PSS : CKM_ECDSA,
                         rsa ? static_cast<void*>(&pss) : nullptr,
                         rsa ? sizeof pss : 0};
  check(calls.C_SignInit(session_->handle(), &mechanism, key_), "C_SignInit");
  if (asks_each_time_) session_->login_for_this_signature();
  contract::Digest input = digest;
  std::vector<std::uint8_t> signature(contract::largest_signature_bytes);
  CK_ULONG length = signature.size();
  check(calls.C_Sign(
            session_->handle(), input.bytes.data(), input.bytes.size(), signature.data(), &length),
        "C_Sign");
  signature.resize(std::min<std::size_t>(length, signature.size()));
  crypto::OpenSslVerifier verifier;
  if (!verifier.verify(public_.algorithm, public_.bytes, digest, signature)) {
    throw refusal("bad_signature",
                  fmt::format("What token {} answered ({} bytes) is no signature by key {}.",
                              session_->token().label,
                              signature.size(),
                              public_.key_id()),
                  "Check that public and private object of one id belong together.");
  }
  return signature;
}

crypto::PublicKey public_key_in_token(const TokenReference& reference,
                                      const SecretSources& secrets) {
  {
    auto session = session_for(reference, false);
    const auto found = session->find(CKO_PUBLIC_KEY, reference.object, reference.id);
    if (found.size() == 1) return half_of(*session, found.front());
  }
  return TokenKey::open(reference, secrets)->public_key();
}

}  // namespace otaria::keys
