#include "server/oidc/key_set.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <nlohmann/json.hpp>

#include "contract/json_text.hpp"

namespace otaria::server::oidc {
namespace {

using Json = nlohmann::json;

constexpr std::size_t coordinate_bytes = 32;  // of P-256
constexpr int least_rsa_bits = 2048;
constexpr int most_rsa_bits = 4096;  // what a verification may cost
constexpr std::size_t longest_exponent_bytes = 8;

template <class T, void (*free)(T*)>
struct Freed {
  void operator()(T* object) const { free(object); }
};
using Number = std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>>;
using ParamsBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM, OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_of(const std::string& big_endian) {
  return Number{BN_bin2bn(bytes_of(big_endian), static_cast<int>(big_endian.size()), nullptr)};
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string bytes_member(const Json& json, const char* name) {
  return crypto::from_base64url(text_of(json, name)).value_or("");
}

std::optional<crypto::PublicKey> p256_from(const Json& jwk) {
  const std::string x = bytes_member(jwk, "x");
  const std::string y = bytes_member(jwk, "y");
  if (text_of(jwk, "crv") != "P-256" || x.size() != coordinate_bytes ||
      y.size() != coordinate_bytes) {
    return std::nullopt;
  }
  crypto::PublicKey key;
  key.algorithm = crypto::Algorithm::es256;
  key.bytes.assign(x.begin(), x.end());
  key.bytes.insert(key.bytes.end(), y.begin(), y.end());
  if (!crypto::is_valid(key)) return std::nullopt;
  return key;
}

std::optional<ProviderKey> key_from(const Json& jwk) {
  if (!jwk.is_object()) return std::nullopt;
  const std::string id = text_of(jwk, "kid");
  const std::string use = text_of(jwk, "use");
  const std::string algorithm = text_of(jwk, "alg");
  if (id.empty() || (!use.empty() && use != "sig")) return std::nullopt;
  std::optional<ProviderKey> key;
  if (text_of(jwk, "kty") == "EC") {
    if (auto p256 = p256_from(jwk)) key = ProviderKey{id, std::move(*p256)};
  } else if (text_of(jwk, "kty") == "RSA") {
    if (auto rsa = RsaKey::from(bytes_member(jwk, "n"), bytes_member(jwk, "e"))) {
      key = ProviderKey{id, std::move(*rsa)};
    }
  }
  if (key && !algorithm.empty() && algorithm != key->algorithm()) return std::nullopt;
  return key;
}

}  // namespace

std::optional<RsaKey> RsaKey::from(const std::string& n, const std::string& e) {
  if (e.empty() || e.size() > longest_exponent_bytes) return std::nullopt;
  const Number modulus = number_of(n);
  const Number exponent = number_of(e);
  if (!modulus || !exponent || BN_num_bits(modulus.get()) < least_rsa_bits ||
      BN_num_bits(modulus.get()) > most_rsa_bits || BN_is_odd(exponent.get()) == 0 ||
      BN_is_one(exponent.get()) == 1) {
    return std::nullopt;
  }
  const ParamsBuilder builder{OSSL_PARAM_BLD_new()};
  if (!builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return std::nullopt;
  }
  const Params params{OSSL_PARAM_BLD_to_param(builder.get())};
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return std::nullopt;
  }
  return RsaKey{
      std::shared_ptr<void>{key, [](void* held) { EVP_PKEY_free(static_cast<EVP_PKEY*>(held)); }}};
}

bool RsaKey::verifies(std::string_view text, std::string_view signature) const {
  const DigestContext context{EVP_MD_CTX_new()};
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  // The padding of an RSA key is PKCS #1 v1.5 unless another is asked for: EVP_DigestVerifyInit(3).
  return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(
             context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) ==
             1;
}

std::string_view ProviderKey::algorithm() const {
  return std::holds_alternative<RsaKey>(key) ? "RS256" : "ES256";
}

bool ProviderKey::verifies(std::string_view text, std::string_view signature) const {
  if (const auto* rsa = std::get_if<RsaKey>(&key)) return rsa->verifies(text, signature);
  const auto& p256 = std::get<crypto::PublicKey>(key);
  crypto::OpenSslVerifier verifier;
  return verifier.verify(
      p256.algorithm, p256.bytes, crypto::sha256(text), {bytes_of(signature), signature.size()});
}

Outcome<std::vector<ProviderKey>> key_set_from(std::string_view text) {
  const auto bad = [](std::string detail) {
    return Refusal{"bad_request", std::move(detail), "it must be a JWK Set, RFC 7517"};
  };
  if (text.size() > largest_key_set_bytes) return bad("the key set is larger than 64 KiB");
  if (contract::check_json(text).defect != contract::Defect::none) return bad("is no JSON");
  const Json json = Json::parse(text, nullptr, false);
  const auto keys = json.is_object() ? json.find("keys") : json.end();
  if (keys == json.end() || !keys->is_array()) return bad("has no list `keys`");
  if (keys->size() > most_keys) {
    return bad("has more than " + std::to_string(most_keys) + " keys");
  }
  std::vector<ProviderKey> found;
  for (const Json& jwk : *keys) {
    if (auto key = key_from(jwk)) found.push_back(std::move(*key));
  }
  if (found.empty()) {
    return bad("has no P-256 or RSA signature key (of 2,048 to 4,096 bits) with a `kid`");
  }
  return found;
}

}  // namespace otaria::server::oidc
