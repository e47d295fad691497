#pragma once

#include <filesystem>

#include "server/access/lockout.hpp"
#include "server/identity/broker_files.hpp"
#include "server/identity/issuer.hpp"
#include "server/identity/rabbitmq_hook.hpp"
#include "server/identity/rate_limit.hpp"
#include "server/identity/registrar.hpp"
#include "server/identity/token_exchange.hpp"

namespace otaria::server {

struct IdentityConfig {
  IssuerConfig issuer;
  TokenExchangeConfig exchange;
  BrokerFilesConfig files;
  std::filesystem::path keys_directory;
  bool trust_first_use = false;
  Rate per_address{.burst = 300, .interval_ms = 50};
};

/// Everything that knows who devices are, put together; what it publishes for brokers follows the
/// store.
/// Errors   the constructor throws what its parts throw: the texts are for the operator.
/// Threads  any. Times in Unix seconds.
class IdentityService {
 public:
  IdentityService(Store& store,
                  const IdentityConfig& config,
                  std::function<std::int64_t(StoreView&)> key_list_serial,
                  std::int64_t now);

  /// Writes key set and denylist where brokers on this machine read them, when they have changed.
  void publish(std::int64_t now);
  /// Call every second or so: forgets what has expired, publishes what time has changed.
  void keep_time(std::int64_t now);

  Nonces nonces;
  Issuer issuer;
  BrokerFiles files;
  Registrar registrar;
  TokenExchange exchange;
  RabbitmqHook rabbitmq;
  RateLimit per_address;
  Lockout failures;  ///< by address and claimed MAC

 private:
  Store& store_;
  std::int64_t tidied_at_;
};

}  // namespace otaria::server
