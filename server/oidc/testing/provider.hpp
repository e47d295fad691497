#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "contract/openssl/crypto.hpp"

/// An OpenID provider as the tests need it: two keys, its key set, and tokens of any content.
namespace otaria::server::oidc::testing {

class Provider {
 public:
  using Json = nlohmann::json;
  Provider() : rsa_{EVP_RSA_gen(2048), EVP_PKEY_free} {}

  [[nodiscard]] Json ec_jwk() const {
    const auto& bytes = ec_.public_key().bytes;
    const std::string point{bytes.begin(), bytes.end()};
    return {{"kty", "EC"},
            {"crv", "P-256"},
            {"kid", "ec-1"},
            {"use", "sig"},
            {"x", crypto::base64url(std::string_view{point}.substr(0, 32))},
            {"y", crypto::base64url(std::string_view{point}.substr(32))}};
  }
  [[nodiscard]] Json rsa_jwk() const {
    return {{"kty", "RSA"},
            {"kid", "rsa-1"},
            {"n", crypto::base64url(number(OSSL_PKEY_PARAM_RSA_N))},
            {"e", crypto::base64url(number(OSSL_PKEY_PARAM_RSA_E))}};
  }
  [[nodiscard]] std::string key_set() const { return Json{{"keys", {ec_jwk(), rsa_jwk()}}}.dump(); }

  static Json claims() {
    return {{"iss", "https://id.example"},
            {"aud", "otaria"},
            {"sub", "alice"},
            {"exp", 2000},
            {"roles", {"fleet-ops", "staff"}}};
  }
  std::string es256(const Json& claims, const Json& header = {{"alg", "ES256"}, {"kid", "ec-1"}}) {
    const std::string text = signed_text(claims, header);
    return text + "." + crypto::base64url(ec_.sign(crypto::sha256(text)));
  }
  [[nodiscard]] std::string rs256(const Json& claims,
                                  const Json& header = {{"alg", "RS256"}, {"kid", "rsa-1"}}) const {
    const std::string text = signed_text(claims, header);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free};
    std::array<unsigned char, 256> signature{};
    std::size_t length = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, rsa_.get());
    EVP_DigestSign(context.get(),
                   signature.data(),
                   &length,
                   reinterpret_cast<const unsigned char*>(text.data()),
                   text.size());
    return text + "." + crypto::base64url(std::span{signature.data(), length});
  }
  static std::string signed_text(const Json& claims, const Json& header) {
    return crypto::base64url(header.dump()) + "." + crypto::base64url(claims.dump());
  }

 private:
  [[nodiscard]] std::string number(const char* name) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(rsa_.get(), name, &value);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(value);
    return bytes;
  }

  crypto::PrivateKey ec_ = crypto::PrivateKey::generate(crypto::Algorithm::es256);
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> rsa_;
};

}  // namespace otaria::server::oidc::testing
