#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/access/address.hpp"
#include "server/access/approval.hpp"
#include "server/broker/broker_url.hpp"
#include "server/broker/ingest.hpp"
#include "server/broker/notice_pump.hpp"
#include "server/download/downloads.hpp"
#include "server/http/server.hpp"
#include "server/identity/identity_service.hpp"
#include "server/oidc/verifier.hpp"
#include "server/registry/deployment.hpp"

namespace otaria::server {

/// The configuration cannot be used; the text names the key, its source and the reason. otariad
/// ends with 2.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Everything an operator can set. docs/guide/configuration.md describes each key; a test compares
/// the two.
struct Config {
  std::string data = "otaria-data";
  std::string public_url;  ///< empty: made from http.listen
  HttpConfig http;
  BrokerUrl mqtt;
  std::string mqtt_ca_file;
  std::string mqtt_certificate, mqtt_private_key;
  std::string mqtt_password_file;
  std::uint32_t server_number = 1;
  NoticePumpConfig notices;
  IngestConfig ingest;
  Deadlines deadlines;
  std::int64_t silent_after_s = 86'400;
  std::int64_t keep_statuses_days = 90;
  std::optional<DownloadAccess> download_access;  ///< absent: open in development, else signed
  ApprovalRules approvals;
  DownloadSettings downloads;  ///< files that are not named lie in the data directory
  bool development = false;
  /// `tokens` or `open`. Empty until completed: `open` on a bench (see is_bench), else `tokens`.
  std::string access_mode;
  std::string metrics_access = "tokens";
  std::vector<IpNetwork> trusted_proxies;
  std::string audit_checkpoints;  ///< empty: audit-checkpoints.jws in the data directory
  bool audit_syslog = false;
  oidc::Settings oidc;  ///< issuer empty: no OpenID provider
  std::string oidc_keys_file, oidc_keys_url, oidc_ca_file;
  std::string mqtt_token = "none";
  IdentityConfig identity;
  std::string log_level = "info";
  std::string log_format = "text";
};

/// Defaults of the configuration: what holds where no source says otherwise.
Config default_config();

/// The names of all keys, as in otaria.toml: `http.listen`.
std::vector<std::string_view> config_keys();

/// Sets one key from text. `source` is for the error, e.g. `--http` or `otaria.toml`.
/// Errors  ConfigError: unknown key, or a value that the key cannot take.
void set_key(Config& config,
             std::string_view key,
             const std::string& value,
             const std::string& source);

/// Checks what concerns several keys, reads the password file and the TLS files, and fills in
/// public_url. Returns warnings for the log. Errors: ConfigError.
std::vector<std::string> complete(Config& config);

/// Sources, the weaker first: a TOML file, then the environment, then flags.
struct ConfigSources {
  std::optional<std::string> file;
  std::vector<std::pair<std::string, std::string>> environment;  ///< key and value
  std::vector<std::pair<std::string, std::string>> flags;        ///< key and value
};
Config load_config(const ConfigSources& sources);

/// Sets what a TOML text says. `file`: its name, for errors. Errors: ConfigError.
void take_toml(Config& config, std::string_view text, const std::string& file);

/// The keys that have a flag and an environment variable of their own.
struct NamedKey {
  std::string_view key, flag, variable;
};
std::span<const NamedKey> named_keys();

}  // namespace otaria::server
