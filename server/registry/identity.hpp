#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/registry/refusal.hpp"

/// Who a device is, as the registry has it. Pure rules: values in, values out.
/// Source  reference trust, sections 12.2 and 12.5; docs/guide/identity.md.
namespace otaria::server {

enum class IdentityState : std::uint8_t {
  pending,    ///< known by its MAC; its key is not
  active,     ///< gets tokens
  suspended,  ///< gets none until it is activated again
  revoked,    ///< gets none; only a new key makes it active
  retired,    ///< out of service; as revoked
};
std::string_view name_of(IdentityState state);
std::optional<IdentityState> identity_state_from(std::string_view name);

/// A device's identity. Times are Unix seconds.
struct DeviceIdentity {
  std::string mac = {};                     ///< 12 lower-case hex digits; never changes
  std::string id = {};                      ///< one identity has it
  std::string key = {};                     ///< base64url of X || Y on P-256; empty while pending
  std::string next_key = {};                ///< announced by the device, not used yet; empty: none
  std::string product = {}, hardware = {};  ///< empty: not said
  IdentityState state = IdentityState::pending;
  std::string origin = {};  ///< `import`, `claim` or `first_use`
  std::string reason = {};  ///< of the latest change of state; free text
  std::int64_t created_at = 0;
  std::int64_t changed_at = 0;
  std::optional<std::int64_t> last_token_at = {};
  std::int64_t ordinal = 0;  ///< the store's order of registration
};

/// A one-time secret of 128 bits that lets a new key speak for a device. Only its SHA-256 is kept.
struct Claim {
  std::string secret_sha256 = {};  ///< hex, of the code's 26 characters
  std::string mac = {};            ///< empty: any device
  std::string id = {};             ///< empty: whatever the device asks for or is given
  std::string product = {}, hardware = {};
  std::string creator = {};
  std::int64_t created_at = 0;
  std::optional<std::int64_t> used_at = {};
  std::string used_by = {};  ///< MAC
};

/// What is remembered of an access token for brokers, so that it can be denied.
struct BrokerToken {
  std::string jti = {};
  std::string subject = {};  ///< MAC of a device, name of a service
  std::string clientid = {};
  std::string kid = {};  ///< of the issuer's key
  std::int64_t issued_at = 0;
  std::int64_t expires_at = 0;
  bool denied = false;
};

/// A program that connects to the broker with a token of ours: a server, or a monitor.
struct ServiceIdentity {
  std::string name = {};  ///< client id and username: `otariad-2`, `monitor-lab`
  std::string creator = {};
  std::int64_t created_at = 0;
  std::optional<std::int64_t> revoked_at = {};
};

/// The public side of a key that signs, signed or will sign access tokens.
struct IssuerKey {
  std::string kid = {};
  std::string key = {};  ///< base64url of X || Y
  std::int64_t created_at = 0;
  std::int64_t use_from = 0;     ///< Unix seconds; signs from then on, until a later one does
  std::int64_t last_expiry = 0;  ///< `exp` of the last token it signed
};

/// 1 to 32 of A-Z a-z 0-9 . _ -: product and hardware.
bool is_plain_name(std::string_view text);

/// `sensor_` and the last two bytes of the MAC, upper-case hex.
std::string short_id(std::string_view mac);
/// `sensor_` and the whole MAC: what a device gets whose short id is taken.
std::string long_id(std::string_view mac);

/// Whether an id belongs to somebody else.
using IdTaken = std::function<bool(const std::string& id)>;

/// The id a device gets. `wanted`: asked for explicitly; empty: the short id, or the long one when
/// that is taken. Code id_conflict.
Outcome<std::string> choose_id(const std::string& mac,
                               const std::string& wanted,
                               const IdTaken& taken);

/// The identity in another state. Codes: no_key (a device without a key cannot be active),
/// identity_revoked (a revoked or retired one needs a new key). The same state again is no error.
Outcome<DeviceIdentity> in_state(const DeviceIdentity& identity,
                                 IdentityState state,
                                 const std::string& reason,
                                 std::int64_t now);

}  // namespace otaria::server
