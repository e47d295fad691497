// What an OpenID provider and those who claim to come from it send: a key set, a token, claims
// whose signature was good, and the map of roles. Nobody without a role gets in.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "contract/token/testing/minting.hpp"
#include "server/oidc/verifier.hpp"

using namespace otaria::server;
using otaria::contract::claim;
namespace crypto = otaria::crypto;

namespace {

/// A provider with one key, which signs whatever it is given.
class Provider {
 public:
  Provider() { cache_.load(); }
  Outcome<Caller> judge(std::string_view token) { return verifier_.verify(token); }
  std::string sign(std::string_view claims) {
    const std::string text = crypto::base64url(std::string_view{R"({"alg":"ES256","kid":"one"})"}) +
                             '.' + crypto::base64url(claims);
    return text + '.' + crypto::base64url(key_.sign(crypto::sha256(text)));
  }

 private:
  static std::int64_t now() { return std::int64_t{1'790'000'000} * 1000; }
  static oidc::Settings settings() {
    return {"https://id.example", "otaria", "realm.roles", {{"staff", Role::admin}}};
  }
  crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::Algorithm::es256);
  oidc::KeyCache cache_{[this] { return otaria::token::testing::jwks(key_.public_key(), "one"); },
                        now};
  oidc::Verifier verifier_{settings(), cache_, now};
};

void check(const Outcome<Caller>& caller) {
  if (!caller) return claim(!caller.refusal().code.empty());
  claim(caller.value().actor.starts_with("oidc:") && !caller.value().roles.empty());
  claim(caller.value().expires_at > 1'790'000'000);
  claim(caller.value().rights == rights_of(Role::admin));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Provider provider;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto keys = oidc::key_set_from(text)) {
    claim(!keys.value().empty() && keys.value().size() <= oidc::most_keys);
    for (const auto& key : keys.value()) claim(!key.id.empty() && !key.verifies(text, "none"));
  }
  if (const auto roles = oidc::role_map_from(text)) claim(!roles->empty());
  claim(!provider.judge(text));  // nobody else can sign
  check(provider.judge(provider.sign(text)));
  return 0;
}
