#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contract/openssl/crypto.hpp"

/// A device's side of enrolment and token exchange, for tests; it can also lie.
namespace otaria::server::testing {

using Members = std::vector<std::pair<std::string, std::string>>;

/// A JSON object of strings.
inline std::string object_of(const Members& members) {
  std::string text;
  for (const auto& [name, value] : members) {
    text += (text.empty() ? "\"" : ",\"") + name + "\":\"" + value + "\"";
  }
  return "{" + text + "}";
}

/// A compact JWS from any header and payload, signed by any key.
inline std::string jws_of(const std::string& header,
                          const std::string& payload,
                          crypto::PrivateKey& key) {
  const std::string input = crypto::base64url(header) + "." + crypto::base64url(payload);
  return input + "." + crypto::base64url(key.sign(crypto::sha256(input)));
}

class SigningDevice {
 public:
  explicit SigningDevice(std::string mac)
      : mac_{std::move(mac)}, key_{crypto::PrivateKey::generate(crypto::Algorithm::es256)} {}

  [[nodiscard]] const std::string& mac() const { return mac_; }
  [[nodiscard]] crypto::PrivateKey& key() { return key_; }
  [[nodiscard]] std::string pub() const { return key_.public_key().base64url(); }
  [[nodiscard]] std::string kid() const { return key_.public_key().key_id(); }

  std::string sign(const std::string& type, const Members& payload) {
    return crypto::compact_jws(type, object_of(payload), key_);
  }
  std::string enrolment(const std::string& nonce,
                        const std::string& claim,
                        const std::string& id = "") {
    Members payload{{"mac", mac_}, {"pub", pub()}, {"claim", claim}, {"nonce", nonce}};
    if (!id.empty()) payload.emplace_back("id", id);
    return sign("otaria-enrol+jws", payload);
  }
  [[nodiscard]] Members claims(const std::string& nonce) const {
    return {{"iss", mac_},
            {"sub", mac_},
            {"aud", "https://ota.example"},
            {"nonce", nonce},
            {"id", "sensor_A1B2"},
            {"fw", "1.4.0"}};
  }
  std::string assertion(const std::string& nonce) {
    return sign("otaria-assertion+jwt", claims(nonce));
  }
  /// An assertion that announces the key of `next`.
  std::string rekey_assertion(const std::string& nonce, SigningDevice& next) {
    Members payload = claims(nonce);
    payload.emplace_back("new_pub", next.pub());
    payload.emplace_back("new_proof",
                         next.sign("otaria-rekey+jws", {{"mac", mac_}, {"nonce", nonce}}));
    return sign("otaria-assertion+jwt", payload);
  }

 private:
  const std::string mac_;
  crypto::PrivateKey key_;
};

}  // namespace otaria::server::testing
