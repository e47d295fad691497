#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "contract/openssl/crypto.hpp"
#include "contract/token/key_set.hpp"

/// Tokens as an issuer makes them, and as one never would. For tests.
namespace otaria::token::testing {

inline std::string in_quotes(std::string_view text) {
  return '"' + std::string{text} + '"';
}

/// The claims of one token, each as JSON text; an empty one is left out.
struct Minted {
  std::string issuer = R"("otaria")";
  std::string audience = R"("otaria")";
  std::string subject = R"("a4cf12e0a1b2")";
  std::string username = R"("a4cf12e0a1b2")";
  std::string client_id = R"("sensor_A1B2")";
  std::string issued = "1790000000";
  std::string expires = "1790086400";
  std::string not_before;
  std::string token_id = R"("Zk3vQ1xT0aBc")";
  std::string acl =
      R"({"sub":["sensor_A1B2/firmware/update"],)"
      R"("pub":["sensor_A1B2/ota/status","sensor_A1B2/ota/state","sensor_A1B2/telemetry"]})";
  std::string more;  ///< further members, each with its comma in front
  std::string header = R"({"alg":"ES256","kid":"issuer-1","typ":"JWT"})";

  [[nodiscard]] std::string payload() const {
    std::string json;
    const auto add = [&json](std::string_view name, const std::string& value) {
      if (value.empty()) return;
      json += (json.empty() ? "{" : ",") + in_quotes(name) + ':' + value;
    };
    add("iss", issuer);
    add("aud", audience);
    add("sub", subject);
    add("username", username);
    add("clientid", client_id);
    add("iat", issued);
    add("exp", expires);
    add("nbf", not_before);
    add("jti", token_id);
    add("acl", acl);
    return json + more + '}';
  }
  [[nodiscard]] std::string signed_text() const {
    return crypto::base64url(std::string_view{header}) + '.' +
           crypto::base64url(std::string_view{payload()});
  }
  [[nodiscard]] std::string signed_by(crypto::Signer& key) const {
    const std::string text = signed_text();
    return text + '.' + crypto::base64url(key.sign(crypto::sha256(text)));
  }
};

/// One key of a set as JSON.
inline std::string jwk(const crypto::PublicKey& key, std::string_view id) {
  const std::span point{key.bytes};
  return R"({"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":)" + in_quotes(id) +
         R"(,"x":)" + in_quotes(crypto::base64url(point.first(32))) + R"(,"y":)" +
         in_quotes(crypto::base64url(point.last(32))) + '}';
}

inline std::string jwks(const crypto::PublicKey& key, std::string_view id = "issuer-1") {
  return R"({"keys":[)" + jwk(key, id) + "]}";
}

}  // namespace otaria::token::testing
