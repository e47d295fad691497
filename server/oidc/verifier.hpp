#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/access/caller.hpp"
#include "server/broker/clock.hpp"
#include "server/oidc/key_cache.hpp"

namespace otaria::server::oidc {

struct Settings {
  std::string issuer;                 ///< `iss`, byte for byte
  std::string audience;               ///< one of `aud`
  std::string role_claim = "roles";   ///< a claim's name, or a path through objects: `a.b`
  std::map<std::string, Role> roles;  ///< a value of that claim, and the role it stands for
};

/// `group=role, other=role`: nothing when a pair is none, a role unknown, or agent-ci, which has a
/// product that no claim names.
std::optional<std::map<std::string, Role>> role_map_from(std::string_view text);

/// Tells from an OpenID provider's JWT who calls, and what for.
///
/// Asks     compact JWS; `alg` ES256 or RS256, that of the key which `kid` names; no `crit`; `iss`,
///          `aud`, `sub`, `exp`, and `nbf` if it is there, with 30 s for clocks that differ. Keys
///          that come with the token are not looked at.
/// Roles    every value of the claim that the map knows adds its rights.
/// Source   RFC 7515, 7519; RFC 8725; OpenID Connect Core, section 3.1.3.7.
class Verifier final : public BearerVerifier {
 public:
  Verifier(Settings settings, KeyCache& keys, UnixClock clock)
      : settings_{std::move(settings)}, keys_{keys}, clock_{std::move(clock)} {}
  Outcome<Caller> verify(std::string_view token) override;

 private:
  [[nodiscard]] Outcome<Caller> caller_of(const std::string& claims) const;

  const Settings settings_;
  KeyCache& keys_;
  const UnixClock clock_;
};

}  // namespace otaria::server::oidc
