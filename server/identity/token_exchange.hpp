#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/access/caller.hpp"
#include "server/identity/issuer.hpp"
#include "server/identity/nonce.hpp"
#include "server/identity/rate_limit.hpp"
#include "server/identity/signed_request.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

struct TokenExchangeConfig {
  std::vector<std::string> audiences;  ///< origins under which devices know this server
  std::vector<std::string> mqtt_urls;  ///< under which devices reach the broker
  PublishTemplates also_publish = {"<id>/telemetry"};
  Rate per_device{.burst = 10, .interval_ms = 60'000};
};

/// What a device gets for its assertion.
struct DeviceToken {
  std::string token;
  std::int64_t expires_in = 0;  ///< seconds
  std::int64_t time = 0;        ///< Unix seconds
  std::string id, mac;
  std::vector<std::string> mqtt;
  std::int64_t keys = 0;  ///< serial of the newest key list; 0: none
  std::int64_t seq = 0;   ///< highest the server has seen of this device
};

/// A refusal with what the device needs next to it.
struct TokenRefusal {
  Refusal refusal;
  std::optional<IdentityState> state = {};         ///< with device_not_active
  std::optional<std::int64_t> retry_after_s = {};  ///< with too_many_requests
};

/// Gives broker tokens for proofs of possession.
///
/// To whoever has not signed with a registered key, a MAC that exists and one that does not look
/// alike, in words and in work done.
/// Threads  any. Times in Unix seconds.
/// Source   reference trust, sections 12.3 and 12.5; RFC 7523.
class TokenExchange {
 public:
  /// `key_list_serial`: of the newest key list that is published.
  TokenExchange(Store& store,
                Nonces& nonces,
                Issuer& issuer,
                TokenExchangeConfig config,
                std::function<std::int64_t(StoreView&)> key_list_serial);

  /// Codes: bad_request, wrong_audience, use_nonce, not_enrolled (unknown MAC, or another key's
  /// signature), device_not_active, too_many_requests, token_too_long.
  std::variant<DeviceToken, TokenRefusal> exchange(std::string_view assertion, std::int64_t now);

  struct ServiceToken {
    std::string token, name;
    std::int64_t expires_in = 0;
  };
  /// A token for `otariad-<n>` or `monitor-<x>`; the service is registered by it. Code bad_request.
  Outcome<ServiceToken> mint_service(const std::string& name,
                                     const Caller& caller,
                                     std::int64_t now);

 private:
  std::variant<DeviceToken, TokenRefusal> give(StoreTransaction& transaction,
                                               const Assertion& assertion,
                                               std::int64_t now);

  Store& store_;
  Nonces& nonces_;
  Issuer& issuer_;
  const TokenExchangeConfig config_;
  const std::function<std::int64_t(StoreView&)> key_list_serial_;
  RateLimit per_device_;
  const crypto::PublicKey decoy_;  ///< verified against where there is no key
};

/// The form body of a token request: `grant_type` and `assertion`, each once. The assertion, or
/// code bad_request.
Outcome<std::string> assertion_from_form(std::string_view body);

/// The value of each field of an `application/x-www-form-urlencoded` text; nothing when it is
/// malformed or a name stands there twice. Source  URL standard, section 5.1.
std::optional<std::map<std::string, std::string>> form_fields(std::string_view body);

/// `otariad-<1 to 9 digits>` or `monitor-<1 to 24 of A-Z a-z 0-9 _ ->`.
bool is_server_name(std::string_view name);
bool is_monitor_name(std::string_view name);

}  // namespace otaria::server
